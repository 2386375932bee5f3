//! Assertions in sentences.

use super::{duration, quoted, shown};
use crate::model::{Check, Count, FileCheck, LogCheck, OriginCheck, RulesCheck, Template, Value};

/// What must hold, without a full stop.
pub(super) fn assertion(check: &Check) -> String {
    match check {
        Check::Status(status) => format!("the status is {status}"),
        Check::Reason(value) => format!("the reason phrase {}", self::value(value)),
        Check::Version(value) => format!("the version {}", self::value(value)),
        Check::Header(name, value) => format!("{name} {}", self::value(value)),
        Check::Trailer(name, value) => format!("the trailer {name} {}", self::value(value)),
        Check::Body(value) => format!("the body {}", self::value(value)),
        Check::Interim(codes) => format!("the 1xx answers are {}", self::codes(codes)),
        Check::Complete(None) => "the answer may be complete or cut off".to_owned(),
        Check::Complete(Some(true)) => "the answer is complete".to_owned(),
        Check::Complete(Some(false)) => "the answer is cut off".to_owned(),
        Check::ConnectionOpen(true) => "the connection stays open".to_owned(),
        Check::ConnectionOpen(false) => "the connection is closed".to_owned(),
        Check::NoAnswer(true) => "there is no answer".to_owned(),
        Check::NoAnswer(false) => "there is an answer".to_owned(),
        Check::Answered(true) => "there is an answer that can be read".to_owned(),
        Check::Answered(false) => "there is no answer that can be read".to_owned(),
        Check::Answer(value) => format!("the whole answer {}", self::value(value)),
        Check::Answers(codes) => format!("the answers are {}", self::codes(codes)),
        Check::Time { above, below } => {
            let above = above.map(|it| format!("at least {}", duration(it)));
            let below = below.map(|it| format!("at most {}", duration(it)));
            let bounds: Vec<String> = above.into_iter().chain(below).collect();
            format!("it takes {}", bounds.join(" and "))
        }
        Check::OriginRequests(count) => {
            format!("the origin has had {} so far", count_of(*count, "request"))
        }
        Check::OriginConnections(count) => {
            format!("on {} to the origin", count_of(*count, "connection"))
        }
        Check::OriginSaw(check) => origin_saw(check),
        Check::AccessLog(check) => log("access log", check),
        Check::WafLog(check) => log("WAF log", check),
        Check::UpstreamLog(check) => log("upstream's log", check),
        Check::WafRules(check) => rules(check),
        Check::File(path, check) => file(path, check),
        Check::Processes { matching, count } => {
            format!("processes that match {}: {}", shown(matching), self::count(*count))
        }
        Check::Ssh(key, value) => format!("the SSH service's {key} {}", self::value(value)),
        Check::SshConfig(key, value) => format!("the directive {key} {}", self::value(value)),
        Check::Load(key, count) => format!("{key} of the load: {}", self::count(*count)),
    }
}

/// A verb phrase: "is `x`", "is absent", "matches `y`".
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Equals(text) if text.is_empty() => "is empty".to_owned(),
        Value::Equals(text) => format!("is {}", shown(text)),
        Value::Not(text) => format!("is not {}", shown(text)),
        Value::Matches(regex) => format!("matches {}", shown(regex)),
        Value::NotMatches(regex) => format!("does not match {}", shown(regex)),
        Value::Contains(text) => format!("contains {}", shown(text)),
        Value::NotContains(text) => format!("does not contain {}", shown(text)),
        Value::Absent => "is absent".to_owned(),
        Value::Present => "is there".to_owned(),
        Value::Count(count) => format!("has {}", count_of(*count, "line")),
        Value::Lines(lines) => format!("has exactly the lines {}", list(lines)),
        Value::Between(from, to) => format!("is a number from {from} to {to}"),
        Value::Size(count) => format!("has {}", count_of(*count, "octet")),
        Value::DateBetween(from, to) => {
            let seconds = |ms: i64| format!("{:+} s", ms as f64 / 1000.0);
            format!("is a date from {} to {} of now", seconds(*from), seconds(*to))
        }
        Value::Includes(members) => format!("lists {}", list(members)),
        Value::Excludes(members) => format!("does not list any of {}", list(members)),
        Value::Only(members) => format!("lists only {}", list(members)),
        Value::First(member) => format!("lists {} first", shown(member)),
        Value::OneOf(texts) => format!("is one of {}", list(texts)),
        Value::All(values) => values.iter().map(self::value).collect::<Vec<_>>().join(" and "),
    }
}

fn list(texts: &[Template]) -> String {
    texts.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn codes(codes: &[u16]) -> String {
    match codes {
        [] => "none".to_owned(),
        codes => codes.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn count(count: Count) -> String {
    match (count.min, count.max) {
        (min, max) if min == max => min.to_string(),
        (0, u64::MAX) => "any number of".to_owned(),
        (0, max) => format!("at most {max}"),
        (min, u64::MAX) => format!("at least {min}"),
        (min, max) => format!("{min} to {max}"),
    }
}

/// `1 line`, `at least 2 lines`.
fn count_of(count: Count, word: &str) -> String {
    let plural = if count.min == 1 && count.max == 1 { "" } else { "s" };
    format!("{} {word}{plural}", self::count(count))
}

fn origin_saw(check: &OriginCheck) -> String {
    let mut parts = Vec::new();
    let single =
        [("its method", &check.method), ("its path", &check.path), ("its body", &check.body)];
    for (name, value) in single {
        parts.extend(value.as_ref().map(|value| format!("{name} {}", self::value(value))));
    }
    let fields = check.headers.iter().map(|(name, it)| format!("{name} {}", value(it)));
    parts.extend(fields);
    let trailers = check.trailers.iter();
    parts.extend(trailers.map(|(name, it)| format!("the trailer {name} {}", value(it))));
    let which = if check.all { "each request" } else { "the last request" };
    format!("of {which} at the origin, {}", parts.join(", "))
}

fn log(name: &str, check: &LogCheck) -> String {
    let mut parts = Vec::new();
    parts.extend(check.count.map(|it| format!("has {}", count_of(it, "line"))));
    let lines = [
        ("its last line", &check.line),
        ("at least one line", &check.any),
        ("no line", &check.none),
        ("each line", &check.every),
    ];
    for (which, value) in lines {
        parts.extend(value.as_ref().map(|value| format!("{which} {}", self::value(value))));
    }
    for (variable, value) in &check.fields {
        parts.push(format!("of its last line, {variable} {}", self::value(value)));
    }
    parts.extend(check.distinct.then(|| "no two lines are the same".to_owned()));
    format!("the {name}: {}", parts.join(", "))
}

fn rules(check: &RulesCheck) -> String {
    let ids = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    let kinds = [("", &check.includes), ("not ", &check.excludes), ("none but ", &check.only)];
    for (which, list) in kinds.into_iter().filter(|(_, list)| !list.is_empty()) {
        parts.push(format!("{which}{}", ids(list)));
    }
    format!("the rules that the WAF log tells of: {}", parts.join("; "))
}

fn file(path: &Template, check: &FileCheck) -> String {
    let mut parts = Vec::new();
    parts.extend(check.exists.map(|it| if it { "exists" } else { "does not exist" }.to_owned()));
    parts.extend(check.mode.map(|mode| format!("has the mode {mode:04o}")));
    parts.extend(check.content.as_ref().map(|it| format!("has content that {}", value(it))));
    format!("the file {} {}", quoted(&path.to_display()), parts.join(" and "))
}
