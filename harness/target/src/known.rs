//! What a target is known to fail, each with its reason.

use edgeproof_scenario::model::CaseId;

/// One entry of `known_failures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFailure {
    /// The case's id.
    pub case: String,
    /// The one expectation that fails (`steps[1].expect.headers.age`); `None`: all that the case expects. What nobody
    /// asked for, [`UNASKED`], is none of that.
    pub expectation: Option<String>,
    /// It may also be that no answer comes that can be read.
    pub unanswered: bool,
    /// Why.
    pub reason: String,
}

/// Where a case stands that the origin or a log, or a client, got what no step asked for.
const UNASKED: [&str; 2] = ["origin", "client"];

/// What did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed<'a> {
    /// `steps[1].expect.headers.age`.
    pub path: &'a str,
    /// There was no answer that can be read, where one was to come.
    pub unanswered: bool,
}

impl KnownFailure {
    /// Is it this failure that is known?
    fn covers(&self, failed: &Failed<'_>) -> bool {
        let expected = match &self.expectation {
            None => !UNASKED.contains(&failed.path),
            Some(expectation) => expectation == failed.path,
        };
        expected && (self.unanswered || !failed.unanswered)
    }
}

/// All entries of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures(Vec<KnownFailure>);

/// What the list says of a case that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed<'a> {
    /// It is not listed: the verdict is what was found.
    No,
    /// It failed as listed.
    Known {
        /// Why.
        reason: &'a str,
    },
    /// It is listed and passes: the list is out of date.
    Fixed {
        /// Why it was listed.
        reason: &'a str,
    },
    /// It failed in more than what is listed: a failure.
    More {
        /// The failed assertions that no entry covers, and where that is why, that there was no answer.
        unlisted: Vec<String>,
    },
}

impl KnownFailures {
    pub(crate) fn new(entries: Vec<KnownFailure>) -> Self {
        Self(entries)
    }

    /// The entries as written.
    pub fn entries(&self) -> &[KnownFailure] {
        &self.0
    }

    /// What the list says of a case of which so much `failed`.
    pub fn verdict(&self, case: &CaseId, failed: &[Failed<'_>]) -> Listed<'_> {
        let entries: Vec<&KnownFailure> =
            self.0.iter().filter(|entry| entry.case == case.0).collect();
        let Some(first) = entries.first() else { return Listed::No };
        if failed.is_empty() {
            return Listed::Fixed { reason: &first.reason };
        }
        let is_listed = |failed: &&Failed<'_>| entries.iter().any(|entry| entry.covers(failed));
        let unlisted: Vec<String> = failed
            .iter()
            .filter(|failed| !is_listed(failed))
            .map(|Failed { path, unanswered }| match unanswered {
                true => format!("{path} without an answer"),
                false => (*path).to_owned(),
            })
            .collect();
        if !unlisted.is_empty() {
            return Listed::More { unlisted };
        }
        let fits = |entry: &&&KnownFailure| failed.iter().any(|failed| entry.covers(failed));
        Listed::Known { reason: &entries.iter().find(fits).unwrap_or(first).reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> KnownFailures {
        let entry = |case: &str, expectation: Option<&str>| KnownFailure {
            case: case.into(),
            expectation: expectation.map(str::to_owned),
            unanswered: case.ends_with("/silent"),
            reason: format!("{case} {}", expectation.unwrap_or("whole")),
        };
        KnownFailures::new(vec![
            entry("cache/a", Some("steps[1].expect.headers.age")),
            entry("cache/b", None),
            entry("cache/silent", None),
        ])
    }

    fn failed(path: &str) -> Failed<'_> {
        Failed { path, unanswered: false }
    }

    #[test]
    fn a_listed_expectation_covers_itself_only() {
        let list = list();
        let case = CaseId("cache/a".into());
        let age = "steps[1].expect.headers.age";
        assert!(matches!(list.verdict(&case, &[failed(age)]), Listed::Known { .. }));
        assert_eq!(
            list.verdict(&case, &[failed(age), failed("steps[2].expect.body")]),
            Listed::More { unlisted: vec!["steps[2].expect.body".into()] }
        );
        assert!(matches!(list.verdict(&case, &[]), Listed::Fixed { .. }));
    }

    #[test]
    fn a_listed_case_covers_all_of_itself_and_nothing_else() {
        let list = list();
        assert_eq!(
            list.verdict(&CaseId("cache/b".into()), &[failed("x"), failed("y")]),
            Listed::Known { reason: "cache/b whole" }
        );
        assert_eq!(list.verdict(&CaseId("cache/b#2".into()), &[failed("x")]), Listed::No);
    }

    #[test]
    fn silence_and_what_nobody_expected_are_known_only_where_it_is_said() {
        let list = list();
        let silent = Failed { path: "steps[1].expect.headers.age", unanswered: true };
        let unlisted = |it: &str| Listed::More { unlisted: vec![it.to_owned()] };
        for case in ["cache/a", "cache/b"] {
            let case = CaseId(case.into());
            let found = list.verdict(&case, &[silent]);
            assert_eq!(found, unlisted("steps[1].expect.headers.age without an answer"));
            for path in ["origin", "client"] {
                assert_eq!(list.verdict(&case, &[failed(path)]), unlisted(path));
            }
        }
        let case = CaseId("cache/silent".into());
        assert!(matches!(list.verdict(&case, &[silent]), Listed::Known { .. }));
        assert_eq!(list.verdict(&case, &[failed("origin")]), unlisted("origin"));
    }
}
