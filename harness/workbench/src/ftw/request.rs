//! An input as the octets that go on the wire, as the format's own player makes them: exactly what is
//! written, apart from what `autocomplete_headers` (the default) adds.

use edgeproof_scenario::model::{Part, Template};

use super::model::Input;

const FORM: &str = "application/x-www-form-urlencoded";

/// Values that are known only when the test is played: the names of the variables that hold them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Later<'l> {
    /// The request-target that the redirect before leads to.
    pub(super) target: Option<&'l str>,
    /// The host of that redirect.
    pub(super) host: Option<&'l str>,
    /// The line with the cookies that were saved.
    pub(super) cookies: Option<&'l str>,
}

/// The request, with places for what is known only later.
pub(super) fn request(
    input: &Input,
    later: Later<'_>,
    span: &edgeproof_diagnostics::Span,
) -> Template {
    if let Some(whole) = &input.whole {
        return Template::literal(whole.clone());
    }
    let variable = |name: &str| {
        let (name, filters, span) = (name.to_owned(), Vec::new(), span.clone());
        Template { parts: vec![Part::Variable { name, filters, span }] }
    };
    let method = input.method.as_deref().unwrap_or("GET");
    let (headers, body) = completed(input, method);
    let mut request = Template::literal(format!("{method} "));
    match later.target {
        Some(name) => request.append(&variable(name)),
        None => request.push_bytes(input.uri.as_deref().unwrap_or("/").as_bytes()),
    }
    request
        .push_bytes(format!(" {}\r\n", input.version.as_deref().unwrap_or("HTTP/1.1")).as_bytes());
    for (name, value) in &headers {
        if later.host.is_none() || !name.eq_ignore_ascii_case("host") {
            request.push_bytes(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    if let Some(name) = later.host {
        request.push_bytes(b"Host: ");
        request.append(&variable(name));
        request.push_bytes(b"\r\n");
    }
    if let Some(name) = later.cookies {
        request.append(&variable(name));
    }
    request.push_bytes(b"\r\n");
    request.push_bytes(&body);
    request
}

/// The fields and the content, completed where that is asked for.
fn completed(input: &Input, method: &str) -> (Vec<(String, String)>, Vec<u8>) {
    let mut input = input.clone();
    let mut body = input.data.take().unwrap_or_default();
    if input.autocomplete && !body.is_empty() {
        if input.fields("content-type").next().is_none() {
            input.headers.push(("Content-Type".to_owned(), FORM.to_owned()));
        }
        if input.fields("content-type").any(|it| it.eq_ignore_ascii_case(FORM)) {
            body = encoded_form(body);
        }
    }
    let is_multipart = |value: &str| value.to_ascii_lowercase().contains("multipart/form-data;");
    if input.fields("content-type").any(is_multipart) {
        body = with_crlf(&body, input.older);
    }
    if input.autocomplete {
        let lacks = |input: &Input, name: &str| input.fields(name).next().is_none();
        if lacks(&input, "connection") {
            input.headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        if lacks(&input, "content-length")
            && (!body.is_empty() || (!input.older && has_content(method)))
        {
            input.headers.push(("Content-Length".to_owned(), body.len().to_string()));
        }
    }
    (input.headers, body)
}

/// Methods whose requests say how long their content is even where there is none.
fn has_content(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH" | "DELETE")
}

/// Every line break as CRLF (RFC 2046 §5.1.1), also one that has a CR already, unless `only_bare`: so the tests
/// of either form expect it.
fn with_crlf(body: &[u8], only_bare: bool) -> Vec<u8> {
    let mut lines = body.split(|b| *b == b'\n');
    let mut text = lines.next().unwrap_or_default().to_vec();
    for line in lines {
        let is_bare = !text.ends_with(b"\r");
        text.extend_from_slice(if is_bare || !only_bare { b"\r\n" } else { b"\n" });
        text.extend_from_slice(line);
    }
    text
}

/// Names and values of a form percent-encoded, unless any of it seems to be already: then it is left alone.
fn encoded_form(form: Vec<u8>) -> Vec<u8> {
    if form.iter().any(|b| matches!(b, b'%' | b'+')) {
        return form;
    }
    let form = form.strip_suffix(b"&").unwrap_or(&form);
    let pair = |pair: &[u8]| match pair.iter().position(|b| *b == b'=') {
        Some(at) => [&form_encoded(&pair[..at])[..], b"=", &form_encoded(&pair[at + 1..])].concat(),
        None => form_encoded(pair),
    };
    form.split(|b| *b == b'&').map(pair).collect::<Vec<_>>().join(&b'&')
}

/// As a form's values are encoded: letters, digits and `-_.~` as they are, a space as `+`, all else `%HH`.
pub(super) fn form_encoded(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'-' | b'_' | b'.' | b'~' => encoded.push(byte),
            b' ' => encoded.push(b'+'),
            byte if byte.is_ascii_alphanumeric() => encoded.push(byte),
            byte => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeproof_diagnostics::Source;

    fn wire(input: &Input) -> String {
        let span = Source::new("a.yaml", "").span(0..0);
        let bytes = request(input, Later::default(), &span).as_literal().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn post(data: &str, pairs: &[(&str, &str)]) -> Input {
        Input {
            method: Some("POST".into()),
            data: Some(data.into()),
            headers: headers(pairs),
            autocomplete: true,
            ..Input::default()
        }
    }

    #[test]
    fn an_empty_input_is_a_plain_get() {
        let input = Input { autocomplete: true, ..Input::default() };
        assert_eq!(wire(&input), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert_eq!(wire(&Input::default()), "GET / HTTP/1.1\r\n\r\n");
    }

    #[test]
    fn what_is_written_goes_out_as_it_is() {
        let input = Input {
            method: Some(String::new()),
            uri: Some("/ a".into()),
            version: Some("JUNK/1.0".into()),
            headers: headers(&[("host", ""), ("X Y", " z"), ("host", "b")]),
            data: Some(b"a=b c".to_vec()),
            ..Input::default()
        };
        assert_eq!(wire(&input), " / a JUNK/1.0\r\nhost: \r\nX Y:  z\r\nhost: b\r\n\r\na=b c");
    }

    #[test]
    fn a_form_is_completed_and_encoded() {
        let head = "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
        assert_eq!(
            wire(&post("a=<b>&c d", &[])),
            format!("{head}Content-Length: 13\r\n\r\na=%3Cb%3E&c+d")
        );
        assert_eq!(wire(&post("a=1&", &[])), format!("{head}Content-Length: 3\r\n\r\na=1"));
        for encoded in ["a=%3C<", "a=b+c<"] {
            assert!(wire(&post(encoded, &[])).ends_with(encoded), "{encoded}");
        }
        let json = post("{<}", &[("content-type", "application/json"), ("Content-Length", "1")]);
        assert!(wire(&json).ends_with("Content-Length: 1\r\nConnection: close\r\n\r\n{<}"));
        assert!(wire(&post("", &[])).ends_with("Connection: close\r\nContent-Length: 0\r\n\r\n"));
        let older = Input { older: true, ..post("", &[]) };
        assert_eq!(wire(&older), "POST / HTTP/1.1\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn parts_of_a_form_have_crlf() {
        let kind = [("Content-Type", "multipart/form-data; boundary=x")];
        let mut input = post("--x\n\na\n--x--\n", &kind);
        assert!(wire(&input).ends_with("Content-Length: 17\r\n\r\n--x\r\n\r\na\r\n--x--\r\n"));
        input.autocomplete = false;
        assert!(wire(&input).ends_with("boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n"));
        input.data = Some(b"--x\r\n\na".to_vec());
        assert!(wire(&input).ends_with("\r\n\r\n--x\r\r\n\r\na"));
        input.older = true;
        assert!(wire(&input).ends_with("\r\n\r\n--x\r\n\r\na"));
    }

    #[test]
    fn what_is_known_later_has_its_place() {
        let span = Source::new("a.yaml", "").span(0..0);
        let mut input = post("", &[("Host", "a"), ("X", "y")]);
        input.autocomplete = false;
        let later = Later { target: Some("to"), host: Some("at"), cookies: Some("cookies") };
        let template = request(&input, later, &span);
        assert_eq!(
            template.to_display(),
            "POST {{to}} HTTP/1.1\r\nX: y\r\nHost: {{at}}\r\n{{cookies}}\r\n"
        );
    }
}
