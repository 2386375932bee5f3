//! The request of a step: as `send`, where that makes the same octets, else as `raw`.

use edgeproof_scenario::model::{Action, Part, Step, Template};

use super::yaml::{scalar, template};

/// What stands under a step's verb.
pub(super) enum Exchange {
    Send(Vec<String>),
    Raw(Vec<String>),
}

impl Exchange {
    pub(super) fn of(step: &Step) -> Self {
        let Action::Raw { bytes, tls, .. } = &step.action else { return Self::Raw(Vec::new()) };
        let text = as_text(bytes);
        match send(&text, *tls) {
            Some(lines) => Self::Send(lines),
            None => {
                let mut lines = vec![format!("bytes: {}", scalar(&text))];
                lines.extend(tls.then(|| "tls: true".to_owned()));
                Self::Raw(lines)
            }
        }
    }

    /// The verb, and below it what belongs to it.
    pub(super) fn lines(&self) -> Vec<String> {
        let (verb, below) = match self {
            Exchange::Send(below) => ("send:", below),
            Exchange::Raw(below) => ("raw:", below),
        };
        std::iter::once(verb.to_owned()).chain(below.iter().map(|it| format!("  {it}"))).collect()
    }
}

/// Octets and places for variables as the text of a scenario. A host that a redirect may name is that of
/// the scenario, which goes nowhere else; saved cookies are one.
fn as_text(bytes: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Bytes(bytes) => template(bytes),
        Part::Variable { name, .. } => match name.as_str() {
            "redirect_host" => "{{host}}".to_owned(),
            "cookie_line" => "Cookie: {{cookie}}\r\n".to_owned(),
            other => format!("{{{{{other}}}}}"),
        },
    };
    bytes.parts.iter().map(part).collect()
}

/// The lines of a `send` that makes these octets: an orderly head, a Host, and content whose length is as
/// it is said.
fn send(text: &str, tls: bool) -> Option<Vec<String>> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path, version) = (words.next()?, words.next()?, words.next()?);
    let orderly =
        words.next().is_none() && !path.is_empty() && matches!(version, "HTTP/1.1" | "HTTP/1.0");
    if !orderly || !is_token(method) || !is_line(head) {
        return None;
    }
    let mut fields = Vec::new();
    let (mut hosts, mut told) = (0, None);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        if !is_token(name) || value.trim_matches([' ', '\t']) != value {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts += 1,
            "transfer-encoding" | "expect" => return None,
            "content-length" if told.is_some() => return None,
            "content-length" => {
                told = Some(value.parse::<usize>().ok()?);
                continue;
            }
            _ => {}
        }
        fields.push(format!("  - {}", scalar(line)));
    }
    // Content whose length only the filled template knows stays as it is written.
    let length = match body.contains("{{") {
        true => return None,
        false => body.len(),
    };
    if hosts != 1 || told.is_some_and(|told| told != length) || (told.is_none() && length > 0) {
        return None;
    }
    let mut send = Vec::new();
    if method != "GET" {
        send.push(format!("method: {}", scalar(method)));
    }
    send.push(format!("path: {}", scalar(path)));
    if version != "HTTP/1.1" {
        send.push(format!("version: {version}"));
    }
    send.push("headers:".to_owned());
    send.extend(fields);
    if told.is_some() {
        send.push(format!("body: {}", scalar(body)));
    }
    send.extend(tls.then(|| "tls: true".to_owned()));
    Some(send)
}

fn is_token(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(letter)
}

/// Nothing but CRLF breaks the lines.
fn is_line(head: &str) -> bool {
    head.replace("\r\n", "").chars().all(|c| !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(wire: &str) -> Option<String> {
        send(&template(wire.as_bytes()), false).map(|lines| lines.join("\n"))
    }

    #[test]
    fn an_orderly_request_is_sent() {
        let wire =
            "POST /a?b=%20 HTTP/1.0\r\nHost: x\r\nX-A: it's: 1\r\nContent-Length: 3\r\n\r\na=b";
        insta::assert_snapshot!(sent(wire).unwrap(), @r#"
        method: POST
        path: '/a?b=%20'
        version: HTTP/1.0
        headers:
          - 'Host: x'
          - "X-A: it's: 1"
        body: 'a=b'
        "#);
        assert_eq!(
            sent("GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap(),
            "path: '/'\nheaders:\n  - 'Host: x'"
        );
    }

    #[test]
    fn any_other_stays_as_it_is() {
        for wire in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x \r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabc",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\nabc",
            "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\nHost: x\n\n",
            "G\u{e9}T / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /{{ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{",
        ] {
            assert_eq!(sent(wire), None, "{wire}");
        }
    }
}
