//! The origin in sentences.

use super::{duration, plural, quoted, shown};
use crate::model::{Answer, Body, FieldValue, Origin, Rule};

/// A sentence a rule, without its full stop.
pub(super) fn sentences(origin: &Origin) -> Vec<String> {
    match origin {
        Origin::Rules(rules) => rules.iter().map(rule).collect(),
        Origin::Refuse => vec!["refuses every connection".to_owned()],
        Origin::Reset => vec!["resets every connection".to_owned()],
        Origin::Stall => vec!["accepts connections and never answers".to_owned()],
        Origin::Reflect(None) => vec![
            "answers any request with an empty 200, and POST /reflect with what it asks for"
                .to_owned(),
        ],
        Origin::Reflect(Some(fixed)) => vec![format!("answers any request with {}", answer(fixed))],
    }
}

fn rule(rule: &Rule) -> String {
    let mut on = match (&rule.on.method, &rule.on.path) {
        (Some(method), Some(path)) => format!("{method} {path}"),
        (Some(method), None) => format!("any {method}"),
        (None, Some(path)) => format!("any method on {path}"),
        (None, None) => "any request".to_owned(),
    };
    for (name, value) in &rule.on.headers {
        on.push_str(&format!(" whose {name} {}", super::check::value(value)));
    }
    let answers: Vec<String> = rule.respond.iter().map(answer).collect();
    match answers.as_slice() {
        [one] => format!("answers {on} with {one}"),
        several => format!("answers {on} first with {}", several.join(", then with ")),
    }
}

fn answer(answer: &Answer) -> String {
    if let Some(raw) = &answer.raw {
        return format!("the bytes {}", shown(raw));
    }
    let mut text = answer.status.to_string();
    for (name, value) in &answer.headers {
        text.push_str(&match value {
            FieldValue::Text(value) => {
                format!(", {}", quoted(&format!("{name}: {}", value.to_display())))
            }
            FieldValue::Date(date) => {
                format!(", {name} {:+} s from now", date.offset_ms as f64 / 1000.0)
            }
            FieldValue::Omit => format!(", no {name}"),
        });
    }
    match &answer.body {
        Body::Bytes(bytes) if bytes.is_empty() => {}
        Body::Bytes(bytes) => text.push_str(&format!(", body {}", shown(bytes))),
        Body::Fill { size, .. } => text.push_str(&format!(", a body of {size} octets")),
        Body::EchoRequest => text.push_str(", the request as its body"),
    }
    if !answer.interim.is_empty() {
        let codes: Vec<String> = answer.interim.iter().map(|it| it.status.to_string()).collect();
        text.push_str(&format!(", after {}", codes.join(", ")));
    }
    if let Some(delay) = answer.delay {
        text.push_str(&format!(", after {}", duration(delay)));
    }
    if let Some(advance) = answer.advance {
        text.push_str(&format!(", the clock {} later", duration(advance)));
    }
    if answer.chunking.is_some() {
        text.push_str(", chunked");
    }
    if !answer.trailers.is_empty() {
        text.push_str(&format!(", with {}", plural(answer.trailers.len(), "trailer field")));
    }
    if let Some(break_off) = answer.break_off {
        let how = if break_off.reset { "reset" } else { "closed" };
        text.push_str(&format!(", {how} after {} octets of the body", break_off.after));
    }
    if answer.close {
        text.push_str(", closing the connection");
    }
    text
}
