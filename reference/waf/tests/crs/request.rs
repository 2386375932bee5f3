//! A test's request as bytes, made as the rule set's own test runner makes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::corpus::Input;

const FORM: &str = "application/x-www-form-urlencoded";

/// The bytes to send.
pub(crate) fn bytes(input: &Input) -> Vec<u8> {
    if let Some(encoded) = &input.encoded {
        let encoded: String = encoded.split_ascii_whitespace().collect();
        return STANDARD.decode(encoded).expect("a request in Base64");
    }
    let mut headers = input.headers.clone();
    let mut data = input.data.clone();
    if !data.is_empty() && input.autocomplete {
        if !has(&headers, "content-type") {
            headers.push(("Content-Type".to_owned(), FORM.to_owned()));
        }
        if value_is(&headers, "content-type", FORM) {
            data = encoded_form(&data).unwrap_or(data);
        }
    }
    if contains(&headers, "content-type", "multipart/form-data;") {
        data = data.replace('\n', "\r\n");
    }
    if input.autocomplete {
        complete(&mut headers, &data, &input.method);
    }
    let mut out = format!("{} {} {}\r\n", input.method, input.uri, input.version);
    for (name, value) in &headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    out.push_str(&data);
    out.into_bytes()
}

/// The same request without a field.
pub(crate) fn without(field: &[u8], request: &[u8]) -> Vec<u8> {
    let is_field =
        |line: &&[u8]| line.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field));
    request
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !is_field(line))
        .collect::<Vec<_>>()
        .concat()
}

/// The fields that a client adds where they are missing.
fn complete(headers: &mut Vec<(String, String)>, data: &str, method: &str) {
    if !has(headers, "connection") {
        headers.push(("Connection".to_owned(), "close".to_owned()));
    }
    let with_body = method.starts_with("POST")
        || ["PUT", "PATCH"].iter().any(|one| method.contains(one))
        || method.ends_with("DELETE");
    if !has(headers, "content-length") && (!data.is_empty() || with_body) {
        headers.push(("Content-Length".to_owned(), data.len().to_string()));
    }
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name))
}

fn value_is(headers: &[(String, String)], name: &str, value: &str) -> bool {
    let fits = |(one, it): &(String, String)| {
        one.eq_ignore_ascii_case(name) && it.eq_ignore_ascii_case(value)
    };
    headers.iter().any(fits)
}

fn contains(headers: &[(String, String)], name: &str, part: &str) -> bool {
    let fits = |(one, it): &(String, String)| {
        one.eq_ignore_ascii_case(name) && it.to_ascii_lowercase().contains(part)
    };
    headers.iter().any(fits)
}

/// A form percent-encoded. None where it is encoded already, which is so if decoding changes it or
/// fails.
fn encoded_form(data: &str) -> Option<String> {
    if data.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return None;
    }
    let encode = |text: &str| {
        let mut out = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    };
    let mut tokens: Vec<&str> = data.split('&').collect();
    if tokens.last() == Some(&"") {
        tokens.pop();
    }
    let fields = tokens.into_iter().map(|token| match token.split_once('=') {
        Some((name, value)) => format!("{}={}", encode(name), encode(value)),
        None => encode(token),
    });
    Some(fields.collect::<Vec<_>>().join("&"))
}
