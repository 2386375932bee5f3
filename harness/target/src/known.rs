//! What a target is known to fail, each with its reason.

use edgeproof_scenario::model::CaseId;

/// One entry of `known_failures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFailure {
    /// The case's id.
    pub case: String,
    /// The one expectation that fails (`steps[1].expect.headers.age`); `None`: the case as a whole.
    pub expectation: Option<String>,
    /// Why.
    pub reason: String,
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
        /// The failed assertions that no entry covers.
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

    /// What the list says of a case whose `failed` assertions (their paths) did not hold.
    pub fn verdict<P: AsRef<str>>(&self, case: &CaseId, failed: &[P]) -> Listed<'_> {
        let entries: Vec<&KnownFailure> =
            self.0.iter().filter(|entry| entry.case == case.0).collect();
        let Some(first) = entries.first() else { return Listed::No };
        if failed.is_empty() {
            return Listed::Fixed { reason: &first.reason };
        }
        let covers = |entry: &KnownFailure, path: &str| match &entry.expectation {
            None => true,
            Some(expectation) => expectation == path,
        };
        let unlisted: Vec<String> = failed
            .iter()
            .map(AsRef::as_ref)
            .filter(|path| !entries.iter().any(|entry| covers(entry, path)))
            .map(str::to_owned)
            .collect();
        if !unlisted.is_empty() {
            return Listed::More { unlisted };
        }
        let fits = |entry: &&&KnownFailure| failed.iter().any(|path| covers(entry, path.as_ref()));
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
            reason: format!("{case} {}", expectation.unwrap_or("whole")),
        };
        KnownFailures::new(vec![
            entry("cache/a", Some("steps[1].expect.headers.age")),
            entry("cache/b", None),
        ])
    }

    #[test]
    fn a_listed_expectation_covers_itself_only() {
        let list = list();
        let case = CaseId("cache/a".into());
        let age = "steps[1].expect.headers.age";
        assert!(matches!(list.verdict(&case, &[age]), Listed::Known { .. }));
        assert_eq!(
            list.verdict(&case, &[age, "steps[2].expect.body"]),
            Listed::More { unlisted: vec!["steps[2].expect.body".into()] }
        );
        assert!(matches!(list.verdict::<&str>(&case, &[]), Listed::Fixed { .. }));
    }

    #[test]
    fn a_listed_case_covers_all_of_itself_and_nothing_else() {
        let list = list();
        assert_eq!(
            list.verdict(&CaseId("cache/b".into()), &["x", "y"]),
            Listed::Known { reason: "cache/b whole" }
        );
        assert_eq!(list.verdict(&CaseId("cache/b#2".into()), &["x"]), Listed::No);
    }
}
