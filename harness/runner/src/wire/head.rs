//! Heads of messages, read tolerantly: what a stricter reader would refuse is kept and noted, since what
//! the other side makes of such lines is what is tested.

use crate::visible::quoted;

/// One field line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// As it was written.
    pub(crate) name: String,
    /// Without the white space round it.
    pub(crate) value: Vec<u8>,
}

/// The field lines of a head or of a trailer section, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields(pub(crate) Vec<Field>);

/// A head that is there to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The request-line or status-line, without its end.
    pub(crate) start: Vec<u8>,
    pub(crate) fields: Fields,
    /// Octets, the empty line and any before the start line included.
    pub(crate) length: usize,
    /// What is against the grammar (RFC 9112 §2.2, §5).
    pub(crate) defects: Vec<String>,
}

/// A head without an end is given up here.
pub(crate) const LONGEST_HEAD: usize = 1024 * 1024;

impl Head {
    /// Reads a head from the front of the input; `None` asks for more.
    pub(crate) fn read(input: &[u8]) -> Option<Self> {
        let mut head =
            Self { start: Vec::new(), fields: Fields::default(), length: 0, defects: Vec::new() };
        for line in input.split_inclusive(|b| *b == b'\n') {
            let line_end = line.strip_suffix(b"\n")?;
            head.length += line.len();
            let text = line_end.strip_suffix(b"\r").unwrap_or_else(|| {
                head.defects.push(format!("a line ends in a bare LF: {}", quoted(line_end)));
                line_end
            });
            match (text.is_empty(), head.start.is_empty()) {
                // RFC 9112 §2.2: empty lines before the start line are ignored.
                (true, true) => {}
                (true, false) => return Some(head),
                (false, true) => head.start = text.to_vec(),
                (false, false) => head.line(text),
            }
        }
        None
    }

    fn line(&mut self, line: &[u8]) {
        if matches!(line[0], b' ' | b'\t') {
            self.defects.push(format!("a folded line: {}", quoted(line)));
            if let Some(last) = self.fields.0.last_mut() {
                last.value.push(b' ');
                last.value.extend_from_slice(line.trim_ascii());
            }
            return;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            self.defects.push(format!("a line without a colon: {}", quoted(line)));
            return;
        };
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            self.defects.push(format!("a field name that is no token: {}", quoted(name)));
        }
        let name = String::from_utf8_lossy(name).trim_end().to_owned();
        let value = trim_whitespace(&line[colon + 1..]).to_vec();
        self.fields.0.push(Field { name, value });
    }
}

/// RFC 9110 §5.6.2.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// Only what RFC 9110 §5.6.3 calls white space: a form feed is part of a value.
pub(super) fn trim_whitespace(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

impl Fields {
    /// The values of every line of that name.
    pub(crate) fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.as_slice())
    }

    /// All lines of that name as one value (RFC 9110 §5.3), or `None` when there is no such line.
    pub(crate) fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let lines: Vec<_> = self.lines(name).collect();
        (!lines.is_empty()).then(|| lines.join(&b", "[..]))
    }

    /// Is `token` a member of that comma-separated list, whatever its case?
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.lines(name)
            .flat_map(|line| line.split(|b| *b == b','))
            .any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Content-Length: `Ok(None)` when there is none; several equal values count as one.
    pub(crate) fn content_length(&self) -> Result<Option<u64>, String> {
        let mut length = None;
        for member in self.lines("content-length").flat_map(|line| line.split(|b| *b == b',')) {
            let member = member.trim_ascii();
            let digits = !member.is_empty() && member.iter().all(u8::is_ascii_digit);
            let value = std::str::from_utf8(member).ok().and_then(|text| text.parse::<u64>().ok());
            let (true, Some(value)) = (digits, value) else {
                return Err(format!("Content-Length is no number: {}", quoted(member)));
            };
            if length.is_some_and(|known| known != value) {
                return Err("Content-Length has two different values".to_owned());
            }
            length = Some(value);
        }
        Ok(length)
    }

    /// Is the last transfer coding `chunked`?
    pub(crate) fn is_chunked(&self) -> bool {
        self.joined("transfer-encoding").is_some_and(|value| {
            let last = value.rsplit(|b| *b == b',').next();
            last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_stay_and_oddities_are_noted() {
        let wire =
            b"\r\nGET / HTTP/1.1\r\nx-a: \x01\x0b b\r\nx-b : 1\nx-c: 1\r\n 2\r\nodd\r\n\r\nrest";
        let head = Head::read(wire).unwrap();
        assert_eq!(head.start, b"GET / HTTP/1.1");
        let values: Vec<_> =
            head.fields.0.iter().map(|f| (f.name.as_str(), &f.value[..])).collect();
        let expected: [(&str, &[u8]); 3] = [("x-a", b"\x01\x0b b"), ("x-b", b"1"), ("x-c", b"1 2")];
        assert_eq!(values, expected);
        assert_eq!(head.length, wire.len() - 4);
        assert_eq!(head.defects.len(), 4, "{:?}", head.defects);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic_and_more_octets_change_nothing(wire: Vec<u8>, more: Vec<u8>) {
            if let Some(head) = Head::read(&wire) {
                prop_assert_eq!(Head::read(&[wire, more].concat()), Some(head));
            }
        }
    }
}
