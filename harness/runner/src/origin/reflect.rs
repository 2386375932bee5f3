//! The reflecting backend, which the regression tests of rule sets expect behind a WAF: it answers whatever
//! comes with an empty 200, and `POST /reflect` with what its content, a JSON document, asks for.
//!
//! | key | the answer's |
//! |---|---|
//! | `status` | status code; 200 if not said |
//! | `headers` | field lines, a mapping of texts; one that is no field is left out |
//! | `body`, `encodedBody` | content, as text or in base64; `body` goes first |
//! | `logMessage` | nothing: it is for the log of the backend that these tests were written for |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeproof_scenario::model::{Answer, FieldValue, Template};
use serde_json::Value;

use super::matching;
use crate::wire::ReadRequest;

const REFLECT: &str = "/reflect";

/// The answer to a request with that content.
pub(super) fn answer(request: &ReadRequest, content: &[u8]) -> Answer {
    let path = matching::path_of(&request.target);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let asks = path == REFLECT || path.starts_with("/reflect/");
    if request.method != "POST" || !asks {
        return plain(200, Vec::new());
    }
    match asked(content) {
        Ok(answer) => answer,
        Err(why) => plain(400, why.as_bytes().to_vec()),
    }
}

/// What the document asks for, or why it cannot be.
fn asked(content: &[u8]) -> Result<Answer, String> {
    let document: Value = serde_json::from_slice(content)
        .map_err(|error| format!("the content is no JSON document: {error}"))?;
    let Value::Object(document) = document else {
        return Err("the content is no JSON object".to_owned());
    };
    let text = |key: &str| match document.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("`{key}` is no text")),
    };
    let status = match document.get("status") {
        None | Some(Value::Null) => 200,
        Some(status) => match status.as_u64().and_then(|code| u16::try_from(code).ok()) {
            Some(0) => 200,
            Some(code @ 200..=599) => code,
            _ => return Err(format!("{status} is no status code of a final answer")),
        },
    };
    let body = match text("body")? {
        "" => STANDARD
            .decode(text("encodedBody")?)
            .map_err(|error| format!("`encodedBody` is no base64: {error}"))?,
        text => text.as_bytes().to_vec(),
    };
    let mut answer = plain(status, body);
    match document.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(fields)) => {
            for (name, value) in fields {
                let value = value.as_str().ok_or_else(|| format!("the field {name} is no text"))?;
                set(&mut answer, name, value);
            }
        }
        Some(_) => return Err("`headers` is no object".to_owned()),
    }
    Ok(answer)
}

/// An answer with the type of its content, which WAFs want to know before they look into it.
fn plain(status: u16, body: Vec<u8>) -> Answer {
    let mut headers = Vec::new();
    if !body.is_empty() {
        let kind = FieldValue::Text(Template::literal(kind(&body)));
        headers.push(("Content-Type".to_owned(), kind));
    }
    Answer { headers, ..Answer::plain(status, body) }
}

fn set(answer: &mut Answer, name: &str, value: &str) {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let is_field = !name.is_empty() && name.bytes().all(token);
    if !is_field || value.contains(['\r', '\n', '\0']) {
        return;
    }
    answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    answer.headers.push((name.to_owned(), FieldValue::Text(Template::literal(value))));
}

/// What servers say of content that nobody named the type of: markup by its first tag, else text, unless
/// there are octets that no text has.
fn kind(body: &[u8]) -> &'static str {
    const TAGS: [&str; 17] = [
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a",
        "<style",
        "<title",
        "<b",
        "<body",
        "<br",
        "<p",
        "<!--",
    ];
    let start = body.trim_ascii_start();
    let begins = |tag: &str| {
        let Some(found) = start.get(..tag.len()) else { return false };
        let ends = tag == "<!--" || matches!(start.get(tag.len()), Some(b' ' | b'>'));
        found.eq_ignore_ascii_case(tag.as_bytes()) && ends
    };
    if TAGS.into_iter().any(begins) {
        return "text/html; charset=utf-8";
    }
    if start.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if body.iter().take(512).any(binary) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

#[cfg(test)]
mod tests {
    use edgeproof_scenario::model::Body;

    use super::*;
    use crate::wire::{Received, RequestReader};

    /// Status, field lines and content of the answer, in a line.
    fn told(line: &str, content: &str) -> String {
        let wire = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
        let Received::Head(_, request) = RequestReader::head(wire.as_bytes()) else { panic!() };
        let answer = answer(&request, content.as_bytes());
        let fields = answer.headers.iter().map(|(name, value)| match value {
            FieldValue::Text(text) => format!("{name}={}", text.to_display()),
            other => format!("{other:?}"),
        });
        let Body::Bytes(body) = &answer.body else { panic!() };
        let fields = fields.collect::<Vec<_>>().join(" ");
        format!("{} [{fields}] {}", answer.status, body.to_display())
    }

    #[test]
    fn what_is_asked_for_is_answered() {
        let document = r#"{"status":502,"headers":{"Content-Type":"application/problem+json","x-a":"1"},"body":"no"}"#;
        assert_eq!(
            told("POST /reflect", document),
            "502 [Content-Type=application/problem+json x-a=1] no"
        );
        assert_eq!(
            told("POST http://a/reflect?x=1", r#"{"encodedBody":"PGh0bWw+aGk="}"#),
            "200 [Content-Type=text/html; charset=utf-8] <html>hi"
        );
        assert_eq!(
            told("POST /reflect", r#"{"headers":{"bad name":"x","x":"a\r\nb"}}"#),
            "200 [] "
        );
    }

    #[test]
    fn everything_else_is_an_empty_200() {
        for line in ["GET /reflect", "POST /reflection", "PUT /", "OPTIONS *"] {
            assert_eq!(told(line, "{}"), "200 [] ", "{line}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_the_reason() {
        for content in [
            "",
            "[]",
            r#"{"status":99}"#,
            r#"{"body":1}"#,
            r#"{"encodedBody":"="}"#,
            r#"{"headers":[]}"#,
        ] {
            let told = told("POST /reflect", content);
            assert!(told.starts_with("400 [Content-Type=text/plain"), "{content}: {told}");
        }
    }

    #[test]
    fn the_type_is_guessed_as_servers_do() {
        assert_eq!(kind(b"\n<!DOCTYPE html>"), "text/html; charset=utf-8");
        assert_eq!(kind(b"<abbr>"), "text/plain; charset=utf-8");
        assert_eq!(kind(b"<?xml version"), "text/xml; charset=utf-8");
        assert_eq!(kind(b"\x7fELF\x01"), "application/octet-stream");
    }
}
