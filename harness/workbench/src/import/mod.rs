//! Cases of other formats as scenario files.
//!
//! ```text
//! model::Case ─▶ Script (what a scenario says of it) ─▶ YAML
//! ```
//!
//! What comes out is a start: it says what the test says, with its own Host and its own octets. Whoever
//! keeps it gives it a name and a place.

mod exchange;
mod yaml;

use std::fmt::Write as _;

use edgeproof_scenario::model::{
    Assertion, CaptureFrom, Case, Check, LogCheck, Origin, RulesCheck, Status, Step, Value,
};

use exchange::Exchange;
use yaml::{text, words};

/// A scenario file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// YAML in the form of docs/scenario-format.md.
    pub text: String,
    /// What could not be said in it, a sentence each.
    pub left_out: Vec<String>,
}

/// The scenario file of these cases, which were read from another format. Several become `cases`, whose ids
/// are the last parts of their own, with their file's name before it where that is not the same in all.
pub fn import(cases: &[Case]) -> Imported {
    let mut left_out = Vec::new();
    let mut out = String::new();
    let sources: Vec<&str> = cases.iter().map(|case| file_name(case.source.path())).collect();
    let one_file = sources.windows(2).all(|pair| pair[0] == pair[1]);
    let from =
        if one_file { sources.first().copied().unwrap_or_default() } else { "several files" };
    line(&mut out, 0, &format!("# From {from}, by `edgeproof import ftw`."));
    match cases {
        [case] => write_case(&mut out, case, &[], 0, &mut left_out),
        cases => {
            let shared = shared(cases);
            shared.iter().for_each(|it| line(&mut out, 0, it));
            line(&mut out, 0, "cases:");
            for case in cases {
                line(&mut out, 1, &format!("- id: {}", text(&short_id(case, one_file))));
                write_case(&mut out, case, &shared, 2, &mut left_out);
            }
        }
    }
    Imported { text: out, left_out }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An id that is unique among the cases of one file or of several.
fn short_id(case: &Case, one_file: bool) -> String {
    let parts: Vec<&str> = case.id.0.split('/').skip(1).collect();
    match (one_file, parts.as_slice()) {
        (true, [.., last]) => (*last).to_owned(),
        _ => parts.join("-"),
    }
}

fn line(out: &mut String, indent: usize, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{line}", "  ".repeat(indent));
}

/// The lines that stand at the top of a file for all of its cases.
fn shared(cases: &[Case]) -> Vec<String> {
    let mut shared = cases.first().map(common).unwrap_or_default();
    shared.retain(|line| cases.iter().all(|case| common(case).contains(line)));
    shared
}

/// The lines of a case that others may have too.
fn common(case: &Case) -> Vec<String> {
    let site = match case.site.waf.as_ref().map(|waf| waf.profile.as_str()) {
        Some(profile) => {
            format!("site: {{ any_host: true, waf: {{ profile: {} }} }}", text(profile))
        }
        None => "site: { any_host: true }".to_owned(),
    };
    let spec = format!("spec: {}", text(&case.spec));
    vec![spec, format!("level: {}", case.level), site, "origin: reflect".to_owned()]
}

fn write_case(
    out: &mut String,
    case: &Case,
    shared: &[String],
    indent: usize,
    left_out: &mut Vec<String>,
) {
    line(out, indent, &format!("name: {}", text(&case.name)));
    if let Some(explain) = &case.explain {
        line(out, indent, &format!("explain: {}", text(explain)));
    }
    if !case.tags.is_empty() {
        line(out, indent, &format!("tags: {}", words(&case.tags)));
    }
    for own in common(case).iter().filter(|line| !shared.contains(line)) {
        line(out, indent, own);
    }
    let mut say = |what: &str| left_out.push(format!("{}: {what}", case.id));
    if matches!(case.origin, Origin::Reflect(Some(_))) {
        say("its own answer of the backend (`response`): give the case an origin with a rule");
    }
    if case.foreign.as_ref().is_some_and(|foreign| foreign.retry_once) {
        say("its second try (`retry_once`): a scenario has one");
    }
    if case.steps.iter().skip(1).any(looks_at_log) {
        say("that each stage is judged by the log lines of its own request: a scenario's add up");
    }
    line(out, indent, "steps:");
    for step in &case.steps {
        write_step(out, step, indent + 1);
    }
}

fn looks_at_log(step: &Step) -> bool {
    step.expect.iter().any(|it| matches!(it.check, Check::WafRules(_) | Check::WafLog(_)))
}

fn write_step(out: &mut String, step: &Step, indent: usize) {
    let exchange = Exchange::of(step);
    for (number, part) in exchange.lines().into_iter().enumerate() {
        let dash = if number == 0 { "- " } else { "  " };
        line(out, indent, &format!("{dash}{part}"));
    }
    // Each stage of a test has a connection of its own; one after another they are `main`'s.
    if !step.client.ends_with(" 1") {
        line(out, indent, &format!("  client: {}", text(&step.client.replace(' ', "-"))));
    }
    let expected = merged(&step.expect);
    if !expected.is_empty() {
        line(out, indent, "  expect:");
        expected.iter().for_each(|it| line(out, indent, &format!("    {it}")));
    }
    let captures: Vec<String> = step.capture.iter().filter_map(|it| capture(&it.from)).collect();
    if !captures.is_empty() {
        line(out, indent, "  capture:");
        captures.iter().for_each(|it| line(out, indent, &format!("    {it}")));
    }
}

/// The assertions as lines below `expect`: a key stands there once, so those of one kind are one.
fn merged(assertions: &[Assertion]) -> Vec<String> {
    let mut rules = RulesCheck::default();
    let mut log = LogCheck::default();
    let mut lines = Vec::new();
    for assertion in assertions {
        match &assertion.check {
            Check::Status(Status::OneOf(codes)) => {
                let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
                lines.push(match codes.as_slice() {
                    [one] => format!("status: {one}"),
                    several => format!("status: [{}]", several.join(", ")),
                });
            }
            Check::Answered(answered) => lines.push(format!("answered: {answered}")),
            Check::Answer(value) => {
                lines.extend(matching(value).map(|it| format!("answer: {{ {it} }}")));
            }
            Check::WafRules(check) => {
                rules.includes.extend(&check.includes);
                rules.excludes.extend(&check.excludes);
                rules.only.extend(&check.only);
            }
            Check::WafLog(check) => {
                log.any = log.any.or_else(|| check.any.clone());
                log.none = log.none.or_else(|| check.none.clone());
            }
            _ => {}
        }
    }
    let kinds =
        [("includes", &rules.includes), ("excludes", &rules.excludes), ("only", &rules.only)];
    let lists: Vec<String> = kinds
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(kind, ids)| {
            let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
            format!("{kind}: [{}]", ids.join(", "))
        })
        .collect();
    if !lists.is_empty() {
        lines.push(format!("waf_rules: {{ {} }}", lists.join(", ")));
    }
    let kinds = [("any", &log.any), ("none", &log.none)].into_iter();
    let lists: Vec<String> = kinds
        .filter_map(|(kind, value)| Some(format!("{kind}: {{ {} }}", matching(value.as_ref()?)?)))
        .collect();
    if !lists.is_empty() {
        lines.push(format!("waf_log: {{ {} }}", lists.join(", ")));
    }
    lines
}

fn matching(value: &Value) -> Option<String> {
    match value {
        Value::Matches(pattern) => {
            let pattern = pattern.as_literal()?;
            Some(format!("matches: {}", yaml::octets(&pattern)))
        }
        _ => None,
    }
}

/// What a later stage takes over, as a scenario can say it.
fn capture(from: &CaptureFrom) -> Option<String> {
    match from {
        CaptureFrom::RedirectTarget { .. } => Some(
            r"redirect_target: { header: location, matches: '^(?:[A-Za-z][-+.0-9A-Za-z]*:)?(?://[^/?#]*)?(/[^#]*)' }"
                .to_owned(),
        ),
        CaptureFrom::CookieLine => {
            Some("cookie: { header: set-cookie, matches: '^([^;]*)' }".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeproof_scenario::model::Template;

    fn assertion(check: Check) -> Assertion {
        let span = edgeproof_diagnostics::Source::new("a", "").span(0..0);
        Assertion { span, path: String::new(), check }
    }

    #[test]
    fn expectations_of_one_key_are_one_line() {
        let rules = |includes: &[u64], only: &[u64]| {
            let (includes, only) = (includes.to_vec(), only.to_vec());
            Check::WafRules(RulesCheck { includes, only, ..RulesCheck::default() })
        };
        let regex = Some(Value::Matches(Template::literal(r#"\[id "\d+"\]"#)));
        let checks = [
            Check::Status(Status::OneOf(vec![400, 403])),
            rules(&[1], &[]),
            rules(&[], &[1]),
            Check::WafLog(LogCheck { none: regex, ..LogCheck::default() }),
        ];
        let lines = merged(&checks.map(assertion));
        assert_eq!(
            lines,
            [
                "status: [400, 403]",
                "waf_rules: { includes: [1], only: [1] }",
                r#"waf_log: { none: { matches: '\[id "\d+"\]' } }"#
            ]
        );
    }
}
