//! `input` of a stage, and the `template` from which newer files make it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use edgeproof_diagnostics::{Diagnostic, Node, Spanned, Value};

use super::model::{Input, Response};
use super::read::Reader;
use super::template;

const INPUT: [&str; 20] = [
    "dest_addr",
    "port",
    "protocol",
    "uri",
    "follow_redirect",
    "version",
    "method",
    "headers",
    "ordered_headers",
    "data",
    "encoded_data",
    "save_cookie",
    "stop_magic",
    "autocomplete_headers",
    "encoded_request",
    "raw_request",
    "response",
    "virtual_host_mode",
    "url",
    "description",
];
const TEMPLATE: [&str; 11] = [
    "dest_addr",
    "port",
    "protocol",
    "uri",
    "version",
    "method",
    "headers",
    "data",
    "autocomplete_headers",
    "stop_magic",
    "save_cookie",
];
const RESPONSE: [&str; 5] = ["headers", "status", "body", "encoded_body", "log_message"];

/// `input` as it is written.
pub(super) fn input<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Input> {
    if node.is_null() {
        return Some(Input { autocomplete: true, ..Input::default() });
    }
    reader.known_keys(node, &INPUT, "`input`");
    node.as_mapping()?;
    let flag = |key| present(node, key).and_then(|it| reader.value(it).bool()).unwrap_or(false);
    let data = match (present(node, "data"), present(node, "encoded_data")) {
        (Some(data), None) => data_of(reader, data),
        (None, Some(encoded)) => from_base64(reader, encoded),
        (Some(data), Some(_)) => {
            reader.value(data).reject("`data` and `encoded_data` exclude each other")
        }
        (None, None) => None,
    };
    let whole = match (present(node, "encoded_request"), present(node, "raw_request")) {
        (Some(encoded), _) => from_base64(reader, encoded).filter(|it| !it.is_empty()),
        (None, Some(raw)) => reader.text(raw).map(String::into_bytes).filter(|it| !it.is_empty()),
        (None, None) => None,
    };
    if let (Some(_), Some(data)) = (&whole, present(node, "data").filter(|_| data.is_some())) {
        reader.value(data).reject::<()>("the whole request is given: `data` goes nowhere");
    }
    Some(Input {
        data,
        whole,
        follow_redirect: flag("follow_redirect"),
        virtual_host: flag("virtual_host_mode"),
        response: present(node, "response").map(|it| response(reader, it)),
        ..shared(reader, [Some(node), None], &|_, text| text)
    })
}

/// What the templates of the test and of the file make of a payload: the test's parts go first.
pub(super) fn from_template<'a>(
    reader: &Reader<'a>,
    templates: [Option<&'a Node>; 2],
    payload: &str,
) -> Input {
    for node in templates.into_iter().flatten() {
        reader.known_keys(node, &TEMPLATE, "`template`");
    }
    let fill = |node: &'a Node, text: String| {
        let filled = filled(reader, node, &text, Some(payload));
        filled.map_or(text, |bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let data = templates.into_iter().flatten().find_map(|it| present(it, "data"));
    let data = data.and_then(|it| filled(reader, it, &reader.text(it)?, Some(payload)));
    Input { data, ..shared(reader, templates, &fill) }
}

type Fill<'f, 'a> = &'f dyn Fn(&'a Node, String) -> String;

/// The parts that an input and a template have in common.
fn shared<'a>(reader: &Reader<'a>, nodes: [Option<&'a Node>; 2], fill: Fill<'_, 'a>) -> Input {
    let get = |key: &str| nodes.into_iter().flatten().find_map(|node| present(node, key));
    let text = |key: &str| get(key).and_then(|it| reader.text(it));
    let flag = |key: &str| get(key).and_then(|it| reader.value(it).bool());
    if let Some(port) = get("port") {
        reader.value(port).u64_in(1..=65535);
    }
    // Where to is the target's business; that it is a text is not.
    text("dest_addr");
    let headers = match get("ordered_headers").or_else(|| get("headers")) {
        Some(node) => fields(reader, node, fill),
        None => Vec::new(),
    };
    let tls = match get("protocol") {
        Some(node) => {
            let word = reader.text(node).unwrap_or_default().to_ascii_lowercase();
            if !matches!(word.as_str(), "http" | "https" | "") {
                let message = format!("expected `http` or `https`, found `{word}`");
                reader.value(node).reject::<()>(message);
            }
            word == "https"
        }
        None => false,
    };
    Input {
        tls,
        method: text("method"),
        uri: get("uri").or_else(|| get("url")).and_then(|it| Some(fill(it, reader.text(it)?))),
        version: text("version"),
        headers,
        autocomplete: flag("autocomplete_headers")
            .unwrap_or_else(|| flag("stop_magic").is_none_or(|stopped| !stopped)),
        save_cookie: flag("save_cookie").unwrap_or(false),
        ..Input::default()
    }
}

/// A mapping of names to values, or a list of `{ name, value }`.
pub(super) fn fields<'a>(
    reader: &Reader<'a>,
    node: &'a Node,
    fill: Fill<'_, 'a>,
) -> Vec<(String, String)> {
    if node.as_sequence().is_some() {
        let entry = |node: &'a Node| {
            reader.known_keys(node, &["name", "value"], "a header");
            let Some(name) = node.get("name") else {
                return reader.value(node).reject("a header without `name`");
            };
            let value = match node.get("value") {
                Some(value) => fill(value, reader.text(value)?),
                None => String::new(),
            };
            Some((reader.text(name)?, value))
        };
        return node.as_sequence().unwrap_or_default().iter().filter_map(entry).collect();
    }
    let entries = reader.value(node).entries().unwrap_or_default();
    let entry = |(name, value): (Spanned<&'a str>, Value<'a>)| {
        let node = value.node()?;
        Some((name.value.to_owned(), fill(node, reader.text(node)?)))
    };
    entries.into_iter().filter_map(entry).collect()
}

/// `data`: a text in which templates are filled in, or (in older files) a list of lines.
fn data_of<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Vec<u8>> {
    let Some(lines) = node.as_sequence() else {
        return filled(reader, node, &reader.text(node)?, None);
    };
    let lines: Vec<String> = lines.iter().filter_map(|line| reader.text(line)).collect();
    Some(lines.join("\r\n").into_bytes())
}

/// A text with its templates filled in; mistakes in them are reported at their place.
pub(super) fn filled<'a>(
    reader: &Reader<'a>,
    node: &'a Node,
    text: &str,
    payload: Option<&str>,
) -> Option<Vec<u8>> {
    match template::fill(text, payload, &|name| std::env::var(name).ok()) {
        Ok(bytes) => Some(bytes),
        Err(mistake) => {
            let place = node.span_within(mistake.at);
            let diagnostic = Diagnostic::error(mistake.message).at(&place.first_line());
            reader.value(node).report(diagnostic.maybe_help(mistake.help))
        }
    }
}

/// Base64 with or without padding; line breaks in it do not count.
pub(super) fn from_base64<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text: String = reader.text(node)?.chars().filter(|c| !c.is_whitespace()).collect();
    match LENIENT.decode(&text) {
        Ok(bytes) => Some(bytes),
        Err(error) => reader.value(node).reject(format!("this is no base64: {error}")),
    }
}

fn response<'a>(reader: &Reader<'a>, node: &'a Node) -> Response {
    reader.known_keys(node, &RESPONSE, "`response`");
    let status = present(node, "status").and_then(|it| reader.value(it).u64_in(200..=599));
    let body = match (present(node, "body"), present(node, "encoded_body")) {
        (Some(body), _) => reader.text(body).map(String::into_bytes),
        (None, Some(encoded)) => from_base64(reader, encoded),
        (None, None) => None,
    };
    Response {
        status: status.and_then(|code| u16::try_from(code).ok()).unwrap_or(200),
        headers: present(node, "headers")
            .map(|it| fields(reader, it, &|_, text| text))
            .unwrap_or_default(),
        body: body.unwrap_or_default(),
    }
}

/// What stands under a key; nothing there is as no key.
pub(super) fn present<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| !value.is_null())
}
