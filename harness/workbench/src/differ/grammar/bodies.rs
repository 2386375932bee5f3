//! The content of a request.

use super::super::request::{Body, Content, Element, Json, Multipart, Part, XmlNode};
use super::Generator;
use super::heads::in_line;

const FORM: &str = "application/x-www-form-urlencoded";
const KINDS: &[&str] = &[
    FORM,
    "text/plain",
    "application/json",
    "text/xml",
    "multipart/form-data",
    "application/octet-stream",
    "application/x-www-form-urlencoded; charset=utf-8",
    "text/html; charset=utf-7",
    "application/json; charset=ibm500",
    "application/soap+xml",
    "application/vnd.api+json",
    "image/png",
    "a",
    "",
];
const FILE_NAMES: &[&str] =
    &["a.txt", "a.php", "../a", "a.php\\x00.png", "a;b.jpg", "a'b", ".htaccess", "%2e%2e/a", ""];
const PART_KINDS: &[&str] =
    &["text/plain", "image/png", "application/x-php", "text/plain; charset=utf-7", ""];

impl Generator {
    pub(super) fn body(&mut self) -> Body {
        let (kind, content) = match self.random.below(10) {
            0..4 => (FORM.to_owned(), self.form()),
            4..6 => return self.multipart(),
            6..8 => ("application/json".to_owned(), Content::Json(self.json(3))),
            8 => ("text/xml".to_owned(), self.xml()),
            _ => {
                let pieces = vec![self.text()];
                let kind = (*self.random.pick(KINDS)).to_owned();
                (kind, Content::Pieces { pieces, between: b"&" })
            }
        };
        // A content that is not what it says it is.
        let kind = if self.random.one_in(15) { *self.random.pick(KINDS) } else { &kind };
        let kind = (!self.random.one_in(60)).then(|| kind.as_bytes().to_vec());
        Body { kind, content }
    }

    fn form(&mut self) -> Content {
        let mut pieces = self.some(4, |it| {
            let pair = it.pair();
            if it.random.one_in(8) { pair } else { it.in_target(&pair) }
        });
        if pieces.is_empty() {
            pieces.push(b"a=b".to_vec());
        }
        Content::Pieces { pieces, between: b"&" }
    }

    fn json(&mut self, depth: usize) -> Json {
        match self.random.below(if depth == 0 { 6 } else { 9 }) {
            0..4 => Json::Text(self.json_text()),
            4 => Json::Raw(self.random.pick(&[&b"1"[..], b"-2.5e3", b"true", b"null"]).to_vec()),
            // Mistakes, and what is no text where one is expected.
            5 if self.random.one_in(4) => Json::Raw(self.text()),
            5 => Json::Text(self.word_for_json()),
            6 => Json::List(self.some(3, |it| it.json(depth - 1))),
            _ => Json::Object(self.some(3, |it| {
                let name = if it.random.one_in(4) { it.json_text() } else { it.word_for_json() };
                (name, it.json(depth - 1))
            })),
        }
    }

    /// The inside of a JSON string, rightly escaped as a rule.
    fn json_text(&mut self) -> Vec<u8> {
        let text = self.text();
        match self.random.below(8) {
            0 => text.into_iter().filter(|octet| *octet != b'"').collect(),
            1 => text.iter().flat_map(|octet| format!("\\u00{octet:02x}").into_bytes()).collect(),
            _ => escaped(&text),
        }
    }

    fn word_for_json(&mut self) -> Vec<u8> {
        escaped(&self.word())
    }

    fn xml(&mut self) -> Content {
        let prolog = match self.random.below(6) {
            0 => b"<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_vec(),
            1 => b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]>".to_vec(),
            2 => b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!-- a -->".to_vec(),
            _ => Vec::new(),
        };
        Content::Xml { prolog, root: self.element(2) }
    }

    fn element(&mut self, depth: usize) -> Element {
        let name = self.random.pick(&[&b"a"[..], b"b:c", b"data", b"x-y"]).to_vec();
        let name = if name.contains(&b':') && depth < 2 { b"c".to_vec() } else { name };
        let attributes = self.some(2, |it| {
            let value = it.text();
            (it.random.pick(&[&b"id"[..], b"href", b"xmlns:b"]).to_vec(), in_xml(&value))
        });
        let children = self.some(3, |it| match it.random.below(4) {
            0 if depth > 0 => XmlNode::Element(it.element(depth - 1)),
            1 => XmlNode::Text([b"<![CDATA[", &it.text()[..], b"]]>"].concat()),
            2 if it.random.one_in(5) => XmlNode::Text(it.text()),
            _ => {
                let text = it.text();
                XmlNode::Text(in_xml(&text))
            }
        });
        Element { name, attributes, children }
    }

    fn multipart(&mut self) -> Body {
        let boundary = self
            .random
            .pick(&[&b"x"[..], b"----WebKitFormBoundaryAbC123", b"a'b", b"1234567890"])
            .to_vec();
        let mut parts = self.some(3, Self::part);
        if parts.is_empty() {
            parts.push(self.part());
        }
        let declared = match self.random.below(25) {
            0 => b"multipart/form-data".to_vec(),
            1 => [b"multipart/form-data; boundary=\"", &boundary[..], b"\""].concat(),
            2 => [b"multipart/form-data; charset=utf-8; boundary=", &boundary[..]].concat(),
            3 => [b"multipart/form-data; boundary=", &boundary[..], b"; boundary=y"].concat(),
            4 => [b"multipart/form-data;boundary=", &boundary[..]].concat(),
            5 => [b"Multipart/Form-Data; BOUNDARY=", &boundary[..]].concat(),
            6 => [b"multipart/mixed; boundary=", &boundary[..]].concat(),
            7 => b"multipart/form-data; boundary=other".to_vec(),
            8 => [b"multipart/form-data; boundary= ", &boundary[..]].concat(),
            9 => [b"multipart/form-data, boundary=", &boundary[..]].concat(),
            _ => [b"multipart/form-data; boundary=", &boundary[..]].concat(),
        };
        let ends = !self.random.one_in(20);
        let line: &[u8] = if self.random.one_in(25) { b"\n" } else { b"\r\n" };
        let content = Content::Multipart(Multipart { boundary, parts, ends, line });
        Body { kind: Some(declared), content }
    }

    fn part(&mut self) -> Part {
        let name = in_line(self.name());
        let mut disposition =
            [b"Content-Disposition: form-data; name=\"", &name[..], b"\""].concat();
        match self.random.below(8) {
            0..3 => {
                let file = match self.random.below(3) {
                    0 => in_line(self.text()),
                    _ => self.random.pick(FILE_NAMES).as_bytes().to_vec(),
                };
                disposition.extend([b"; filename=\"", &file[..], b"\""].concat());
            }
            3 if self.random.one_in(3) => {
                let odd = *self.random.pick(&[
                    &b"; filename=a.txt"[..],
                    b"; filename*=UTF-8''a.php",
                    b"; name=\"b\"",
                    b"; filename='a b'",
                    b"; x=y",
                    b";",
                    b" ; filename = \"a\"",
                    b"; filename=\"a\\\"b\"",
                ]);
                disposition.extend_from_slice(odd);
            }
            _ => {}
        }
        let mut lines = vec![disposition];
        match self.random.below(12) {
            0..3 => {
                let kind = self.random.pick(PART_KINDS);
                lines.push(format!("Content-Type: {kind}").into_bytes());
            }
            3 => lines.push(b"Content-Transfer-Encoding: base64".to_vec()),
            4 => lines.push(in_line([b"X-A: ".to_vec(), self.text()].concat())),
            5 if self.random.one_in(3) => lines.push(in_line(self.text())),
            6 if self.random.one_in(3) => lines.insert(0, b"X: a\r\n b".to_vec()),
            7 if self.random.one_in(4) => lines.clear(),
            _ => {}
        }
        Part { lines, content: self.text() }
    }
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let one = |octet: &u8| match octet {
        b'"' | b'\\' => vec![b'\\', *octet],
        b'\n' => b"\\n".to_vec(),
        0..=0x1f => format!("\\u00{octet:02x}").into_bytes(),
        octet => vec![*octet],
    };
    text.iter().flat_map(one).collect()
}

fn in_xml(text: &[u8]) -> Vec<u8> {
    let one = |octet: &u8| match octet {
        b'<' => b"&lt;".to_vec(),
        b'&' => b"&amp;".to_vec(),
        b'"' => b"&quot;".to_vec(),
        octet => vec![*octet],
    };
    text.iter().flat_map(one).collect()
}
