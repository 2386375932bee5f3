//! Which rules a WAF's log tells of.

use std::collections::BTreeSet;

use edgeproof_scenario::model::RulesCheck;

use super::Mismatch;

const WHAT: &str = "the rules in the WAF log";

/// What does not hold of the rules that a case's lines tell of; `Err`: why there is no log.
pub(crate) fn rules_mismatches(
    check: &RulesCheck,
    rules: Option<&Result<BTreeSet<u64>, String>>,
) -> Vec<Mismatch> {
    let rules = match rules {
        Some(Ok(rules)) => rules,
        Some(Err(why)) => return vec![Mismatch::new(WHAT, "a log", why.clone())],
        None => return vec![Mismatch::new(WHAT, "a log", "none that was looked at")],
    };
    let missing = check.includes.iter().filter(|id| !rules.contains(id));
    let there = check.excludes.iter().filter(|id| rules.contains(id));
    let beside = rules.iter().filter(|id| !check.only.contains(id));
    let mut mismatches = Vec::new();
    let mut differs = |expected: String| {
        mismatches.push(Mismatch::new(WHAT, expected, found(rules)));
    };
    if let Some(missing) = list(missing) {
        differs(missing);
    }
    if let Some(there) = list(there) {
        differs(format!("none of {there}"));
    }
    if !check.only.is_empty() && (rules.is_empty() || beside.count() > 0) {
        differs(format!("only {}", list(check.only.iter()).unwrap_or_default()));
    }
    mismatches
}

fn list<'a>(ids: impl Iterator<Item = &'a u64>) -> Option<String> {
    let ids: Vec<String> = ids.map(u64::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

fn found(rules: &BTreeSet<u64>) -> String {
    list(rules.iter()).unwrap_or_else(|| "none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(check: &RulesCheck, rules: &[u64]) -> Vec<String> {
        let rules = Ok(rules.iter().copied().collect());
        let told = |it: Mismatch| format!("expected {}, found {}", it.expected, it.found);
        rules_mismatches(check, Some(&rules)).into_iter().map(told).collect()
    }

    #[test]
    fn each_kind_says_what_it_wanted_and_what_there_was() {
        let check = RulesCheck { includes: vec![1, 2], excludes: vec![3], only: vec![1, 2] };
        assert_eq!(told(&check, &[2, 1]), Vec::<String>::new());
        assert_eq!(
            told(&check, &[1, 3]),
            [
                "expected 2, found 1, 3",
                "expected none of 3, found 1, 3",
                "expected only 1, 2, found 1, 3"
            ]
        );
        let only = RulesCheck { only: vec![1], ..RulesCheck::default() };
        assert_eq!(told(&only, &[]), ["expected only 1, found none"]);
        let excludes = RulesCheck { excludes: vec![1], ..RulesCheck::default() };
        assert!(told(&excludes, &[]).is_empty());
    }

    #[test]
    fn without_a_log_nothing_holds() {
        let check = RulesCheck { excludes: vec![1], ..RulesCheck::default() };
        assert_eq!(rules_mismatches(&check, None).len(), 1);
        let why = Err("no such file".to_owned());
        assert_eq!(rules_mismatches(&check, Some(&why))[0].found, "no such file");
    }
}
