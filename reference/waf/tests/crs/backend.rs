//! The rule set's test backend: it answers 200 with nothing, and at `/reflect` what the request's
//! body says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The backend's answer.
pub(crate) fn answer(method: &[u8], path: &[u8], body: &[u8]) -> Answer {
    let reflected = method == b"POST" && (path == b"/reflect" || path.starts_with(b"/reflect/"));
    let mut answer = match serde_json::from_slice::<Value>(body) {
        Ok(wanted) if reflected => reflect(&wanted),
        Err(_) if reflected => plain(400, b"Invalid JSON in request body".to_vec()),
        _ => Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    let length = answer.body.len().to_string();
    answer.headers.push(("Content-Length".to_owned(), length));
    answer
}

fn reflect(wanted: &Value) -> Answer {
    let body = match (wanted["body"].as_str(), wanted["encodedBody"].as_str()) {
        (Some(body), _) if !body.is_empty() => body.as_bytes().to_vec(),
        (_, Some(encoded)) => STANDARD.decode(encoded).expect("a body in Base64"),
        _ => Vec::new(),
    };
    let mut answer = plain(wanted["status"].as_u64().map_or(200, |status| status as u16), body);
    for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default().to_owned();
        if name.eq_ignore_ascii_case("content-type") {
            answer.headers.clear();
        }
        answer.headers.push((name.clone(), value));
    }
    answer
}

fn plain(status: u16, body: Vec<u8>) -> Answer {
    let headers = if body.is_empty() {
        Vec::new()
    } else {
        vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())]
    };
    Answer { status, headers, body }
}
