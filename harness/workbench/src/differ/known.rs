//! Differences that are known and stay, with their reasons: a YAML list.
//!
//! ```yaml
//! - rules: [920120, 920121]            # the ids; a request that differs in others beside them is no known one
//!   only: apache-modsecurity           # the target that fires them; left out: either
//!   request: '(?i)content-type: multipart'   # a regex over the octets of the request; left out: any
//!   reason: why it stays
//! - answers: { apache-modsecurity: 400 }     # the status with which one of them answers
//!   beside: 200002                           # rules that both fire for it
//!   request: '^CONNECT '                     # without `rules`, whatever rules differ then
//!   reason: why it stays
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source, Value, parse};
use regex::bytes::Regex;

use super::ledger::{Difference, Sides};

/// One entry of the list.
#[derive(Debug, Clone)]
pub struct KnownDifference {
    /// The rules; `None`: whatever rules differ.
    pub rules: Option<BTreeSet<u64>>,
    /// A target and the status with which it refuses the request; `None`: any answers.
    pub answers: Option<(String, u16)>,
    /// Rules that both fire.
    pub beside: BTreeSet<u64>,
    /// The one target that fires them; `None`: either.
    pub only: Option<String>,
    /// What the request's octets must have; `None`: anything.
    pub request: Option<Regex>,
    /// Why it stays.
    pub reason: String,
}

/// The whole list.
#[derive(Debug, Clone, Default)]
pub struct Known(Vec<KnownDifference>);

impl Known {
    /// Reads files, one after another. Their mistakes go to the diagnostics.
    pub fn load(files: &[PathBuf]) -> (Self, Diagnostics) {
        let diagnostics = Diagnostics::new();
        let mut entries = Vec::new();
        for file in files {
            match std::fs::read_to_string(file) {
                Ok(text) => entries.extend(read(&file.display().to_string(), text, &diagnostics)),
                Err(error) => diagnostics.push(Diagnostic::error(format!(
                    "`{}` cannot be read: {error}",
                    file.display()
                ))),
            }
        }
        (Self(entries), diagnostics)
    }

    /// The entries as written.
    pub fn entries(&self) -> &[KnownDifference] {
        &self.0
    }

    /// What of a difference no entry explains, and the entries (by number) that explain the rest.
    pub(super) fn explain(
        &self,
        sides: &Sides,
        wire: &[u8],
        difference: &Difference,
    ) -> (Difference, Vec<usize>) {
        let (mut left, mut used) = (difference.clone(), Vec::new());
        for (number, entry) in self.0.iter().enumerate() {
            let covers = entry.covers(sides, &left);
            let fits = |regex: &Regex| regex.is_match(wire);
            if covers.meets(&left)
                && entry.answers_so(sides, &left)
                && entry.beside.is_subset(&left.both)
                && entry.request.as_ref().is_none_or(fits)
            {
                left = left.without(&covers);
                used.push(number);
            }
        }
        (left, used)
    }
}

impl KnownDifference {
    /// What of a difference its rules are.
    fn covers(&self, sides: &Sides, left: &Difference) -> Difference {
        let of = |name: &str, differing: &BTreeSet<u64>| match &self.rules {
            _ if self.only.as_ref().is_some_and(|only| only != name) => BTreeSet::new(),
            Some(rules) => rules.clone(),
            None => differing.clone(),
        };
        let (first, second) = (of(&sides.first, &left.first), of(&sides.second, &left.second));
        Difference { first, second, ..Difference::default() }
    }

    fn answers_so(&self, sides: &Sides, left: &Difference) -> bool {
        let Some((name, status)) = &self.answers else { return true };
        let answer = left.answers.and_then(|[first, second]| match name {
            name if *name == sides.first => first,
            name if *name == sides.second => second,
            _ => None,
        });
        answer == Some(*status)
    }
}

fn read(name: &str, text: String, diagnostics: &Diagnostics) -> Vec<KnownDifference> {
    let Some(node) = parse(&Source::new(name, text), diagnostics) else { return Vec::new() };
    if node.is_null() {
        return Vec::new();
    }
    Value::new(&node, diagnostics).list(entry).unwrap_or_default()
}

fn entry(value: Value<'_>) -> Option<KnownDifference> {
    let mut map = value.map("a known difference")?;
    let rules = map.optional("rules");
    let ids: Option<BTreeSet<u64>> =
        rules.one_or_more().map(|ids| ids.into_iter().filter_map(Value::u64).collect());
    let answers = map.optional("answers");
    let answer = answers.entries().and_then(|entries| match &entries[..] {
        [(name, status)] => Some((name.value.to_owned(), status.u64_in(100..=599)?)),
        _ => answers.reject("expected one target and its status"),
    });
    let only = map.optional("only").str().map(str::to_owned);
    let request = map.optional("request");
    let regex = request.parse(|text| {
        edgeproof_scenario::compile_regex(text).map_err(|error| format!("bad regex: {error}"))
    });
    let beside = map.optional("beside").one_or_more().unwrap_or_default();
    let beside = beside.into_iter().filter_map(Value::u64).collect::<BTreeSet<_>>();
    let reason = map.required("reason");
    let text = reason.str();
    map.finish();
    let text = text?;
    let says = [rules, answers, request].iter().any(|it| it.is_present());
    if !says && beside.is_empty() {
        return value.reject(
            "none of `rules`, `answers`, `beside` and `request`: a list says what differs",
        );
    }
    if ids.as_ref().is_some_and(BTreeSet::is_empty) {
        return rules.reject("no rule is named");
    }
    if text.trim().is_empty() {
        return reason.reject("the reason is empty: say why it stays");
    }
    if (request.is_present() && regex.is_none()) || (answers.is_present() && answer.is_none()) {
        return None;
    }
    let answers = answer.and_then(|(name, status)| Some((name, u16::try_from(status).ok()?)));
    let reason = text.trim().to_owned();
    Some(KnownDifference { rules: ids, answers, beside, only, request: regex, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> (Known, String) {
        let diagnostics = Diagnostics::new();
        let entries = read("known.yaml", text.to_owned(), &diagnostics);
        (Known(entries), diagnostics.render(edgeproof_diagnostics::Colour::Never))
    }

    fn left(known: &Known, wire: &str, first: &[u64], second: &[u64]) -> (Vec<u64>, Vec<u64>) {
        let sides = Sides { first: "a".into(), second: "b".into() };
        let set = |ids: &[u64]| ids.iter().copied().collect();
        let difference =
            Difference { first: set(first), second: set(second), ..Difference::default() };
        let (left, _) = known.explain(&sides, wire.as_bytes(), &difference);
        (left.first.into_iter().collect(), left.second.into_iter().collect())
    }

    #[test]
    fn an_entry_explains_its_rules_on_its_side_in_its_requests() {
        let (list, mistakes) = known(
            "- { rules: [1, 2], only: b, request: '(?i)^put', reason: r }\n- { rules: 3, reason: s }\n",
        );
        assert_eq!(mistakes, "");
        assert_eq!(left(&list, "PUT /", &[], &[1, 2]), (vec![], vec![]));
        assert_eq!(left(&list, "PUT /", &[1], &[2, 4]), (vec![1], vec![4]));
        assert_eq!(left(&list, "GET /", &[3], &[1]), (vec![], vec![1]));
    }

    #[test]
    fn a_refusal_explains_whatever_differs_by_it() {
        let (list, mistakes) =
            known("- { answers: { b: 400 }, beside: 4, request: '%', reason: r }\n");
        assert_eq!(mistakes, "");
        let sides = Sides { first: "a".into(), second: "b".into() };
        let left = |answers: [u16; 2], wire: &[u8]| {
            let answers = Some(answers.map(Some));
            let difference =
                Difference { first: [1, 2].into(), second: [3].into(), answers, both: [4].into() };
            list.explain(&sides, wire, &difference).0.is_empty()
        };
        assert!(left([200, 400], b"GET /%"));
        assert!(!left([200, 400], b"GET /") && !left([400, 200], b"GET /%"));
    }

    #[test]
    fn every_mistake_is_told() {
        let (list, mistakes) = known(
            "- { rules: [], reason: r }\n- { rules: 1, reason: ' ' }\n- { rules: 1, reason: r, request: '(' }\n- { rule: 1, reason: r }\n- { answers: { a: 1000 }, reason: r }\n",
        );
        assert_eq!(list.entries().len(), 0);
        for part in [
            "no rule is named",
            "from 100 to 599",
            "the reason is empty",
            "bad regex",
            "unknown key `rule`",
        ] {
            assert!(mistakes.contains(part), "{part}: {mistakes}");
        }
    }
}
