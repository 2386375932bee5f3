//! A request as a structure, so that it can be made smaller without breaking by accident, and the octets
//! that it stands for.

/// A request. Its framing is right unless [`Framing`] says otherwise, whatever its content becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, or anything.
    pub method: Vec<u8>,
    /// The request-target up to its query.
    pub path: Vec<u8>,
    /// What stands behind `?`, joined by `&`; without any there is no `?`.
    pub query: Vec<Vec<u8>>,
    /// `HTTP/1.1`, or anything.
    pub version: Vec<u8>,
    /// The value of Host; `None`: no such line.
    pub host: Option<Vec<u8>>,
    /// Has it a User-Agent and an Accept that no rule objects to?
    pub usual: bool,
    /// Further field lines, as they are.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// One Cookie line of these, joined by `; `; without any there is none.
    pub cookies: Vec<Vec<u8>>,
    /// The content, and its Content-Type.
    pub body: Body,
    /// How its length is told.
    pub framing: Framing,
}

/// The content of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Content-Type; `None`: no such line.
    pub kind: Option<Vec<u8>>,
    /// What it is.
    pub content: Content,
}

/// What a content is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// No content.
    Nothing,
    /// Pieces with something between them: the pairs of a form, the lines of anything else.
    Pieces {
        /// The pieces.
        pieces: Vec<Vec<u8>>,
        /// What stands between them.
        between: &'static [u8],
    },
    /// A multipart form.
    Multipart(Multipart),
    /// JSON, or something like it.
    Json(Json),
    /// XML, or something like it.
    Xml {
        /// The declaration and what else comes before the root.
        prolog: Vec<u8>,
        /// The root.
        root: Element,
    },
}

/// A multipart form (RFC 7578).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    /// The boundary as the content has it, which need not be that of Content-Type.
    pub boundary: Vec<u8>,
    /// The parts.
    pub parts: Vec<Part>,
    /// Is the last boundary there?
    pub ends: bool,
    /// What ends a line, CRLF as a rule.
    pub line: &'static [u8],
}

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Field lines without their ends.
    pub lines: Vec<Vec<u8>>,
    /// The content.
    pub content: Vec<u8>,
}

/// A JSON value. Texts and names are what stands between the quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// As it is: a number, `true`, or a mistake.
    Raw(Vec<u8>),
    /// A text.
    Text(Vec<u8>),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(Vec<u8>, Json)>),
}

/// An XML element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: Vec<u8>,
    /// Its attributes; values are what stands between double quotes.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
    /// What is in it.
    pub children: Vec<XmlNode>,
}

/// What an XML element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum XmlNode {
    /// Text as it stands, also CDATA and comments.
    Text(Vec<u8>),
    /// An element.
    Element(Element),
}

/// How the length of a content is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A right Content-Length where there is content.
    Length,
    /// A right Content-Length, also where it is 0.
    EvenNothing,
    /// Chunks of at most so many octets, at least 1.
    Chunked(usize),
    /// On purpose: chunks, and a right Content-Length beside them.
    Both,
    /// On purpose: Content-Length twice, both right.
    Twice,
    /// On purpose: a Content-Length of so much less than there is. What is left over is no request of its own:
    /// the connection closes.
    Short(usize),
    /// On purpose: a Content-Length of so much more than there is. The sending half is closed then.
    Long(usize),
}

impl Request {
    /// The octets.
    pub fn wire(&self) -> Vec<u8> {
        let content = self.body.content.octets();
        let mut wire = [&self.method[..], b" ", &self.path].concat();
        if !self.query.is_empty() {
            wire.push(b'?');
            wire.extend(self.query.join(&b'&'));
        }
        wire.push(b' ');
        wire.extend_from_slice(&self.version);
        wire.extend_from_slice(b"\r\n");
        let mut line = |name: &[u8], value: &[u8]| {
            wire.extend([name, b": ", value, b"\r\n"].concat());
        };
        if let Some(host) = &self.host {
            line(b"Host", host);
        }
        if self.usual {
            line(b"User-Agent", b"edgeproof");
            line(b"Accept", b"*/*");
        }
        for (name, value) in &self.fields {
            line(name, value);
        }
        if !self.cookies.is_empty() {
            line(b"Cookie", &self.cookies.join(&b"; "[..]));
        }
        if let Some(kind) = &self.body.kind {
            line(b"Content-Type", kind);
        }
        for (name, value) in self.framing.lines(content.len()) {
            line(name.as_bytes(), value.as_bytes());
        }
        line(b"Connection", b"close");
        wire.extend_from_slice(b"\r\n");
        wire.extend(self.framing.framed(content));
        wire
    }

    /// Must the sending half be closed after it? A content that ends early would be waited for.
    pub fn half_closes(&self) -> bool {
        matches!(self.framing, Framing::Long(_))
    }
}

impl Framing {
    /// The field lines for a content of so many octets.
    fn lines(self, length: usize) -> Vec<(&'static str, String)> {
        let says = |length: usize| ("Content-Length", length.to_string());
        let chunked = || ("Transfer-Encoding", "chunked".to_owned());
        match self {
            Framing::Length if length == 0 => Vec::new(),
            Framing::Length | Framing::EvenNothing => vec![says(length)],
            Framing::Chunked(_) => vec![chunked()],
            Framing::Both => vec![says(length), chunked()],
            Framing::Twice => vec![says(length), says(length)],
            Framing::Short(less) => vec![says(length.saturating_sub(less))],
            Framing::Long(more) => vec![says(length + more)],
        }
    }

    fn framed(self, content: Vec<u8>) -> Vec<u8> {
        let size = match self {
            Framing::Chunked(size) => size.max(1),
            Framing::Both => content.len().max(1),
            _ => return content,
        };
        let mut framed = Vec::new();
        for chunk in content.chunks(size) {
            framed.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(b"0\r\n\r\n");
        framed
    }
}

impl Content {
    /// The octets, before they are framed.
    pub fn octets(&self) -> Vec<u8> {
        let mut made = Vec::new();
        match self {
            Content::Nothing => {}
            Content::Pieces { pieces, between } => made = pieces.join(*between),
            Content::Multipart(form) => form.write(&mut made),
            Content::Json(value) => value.write(&mut made),
            Content::Xml { prolog, root } => {
                made.extend_from_slice(prolog);
                root.write(&mut made);
            }
        }
        made
    }
}

impl Multipart {
    fn write(&self, made: &mut Vec<u8>) {
        for part in &self.parts {
            made.extend([b"--", &self.boundary[..], self.line].concat());
            for line in &part.lines {
                made.extend([line, self.line].concat());
            }
            made.extend([self.line, &part.content, self.line].concat());
        }
        if self.ends {
            made.extend([b"--", &self.boundary[..], b"--", self.line].concat());
        }
    }
}

impl Json {
    fn write(&self, made: &mut Vec<u8>) {
        match self {
            Json::Raw(raw) => made.extend_from_slice(raw),
            Json::Text(text) => made.extend([b"\"", &text[..], b"\""].concat()),
            Json::List(items) => {
                made.push(b'[');
                for (number, item) in items.iter().enumerate() {
                    made.extend((number > 0).then_some(b','));
                    item.write(made);
                }
                made.push(b']');
            }
            Json::Object(members) => {
                made.push(b'{');
                for (number, (name, value)) in members.iter().enumerate() {
                    made.extend((number > 0).then_some(b','));
                    made.extend([b"\"", &name[..], b"\":"].concat());
                    value.write(made);
                }
                made.push(b'}');
            }
        }
    }
}

impl Element {
    fn write(&self, made: &mut Vec<u8>) {
        made.extend([b"<", &self.name[..]].concat());
        for (name, value) in &self.attributes {
            made.extend([b" ", &name[..], b"=\"", value, b"\""].concat());
        }
        made.push(b'>');
        for child in &self.children {
            match child {
                XmlNode::Text(text) => made.extend_from_slice(text),
                XmlNode::Element(element) => element.write(made),
            }
        }
        made.extend([b"</", &self.name[..], b">"].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(framing: Framing) -> Request {
        Request {
            method: b"POST".to_vec(),
            path: b"/a".to_vec(),
            query: vec![b"b=1".to_vec(), b"c".to_vec()],
            version: b"HTTP/1.1".to_vec(),
            host: Some(b"localhost".to_vec()),
            usual: false,
            fields: vec![(b"X".to_vec(), b"y".to_vec())],
            cookies: vec![b"d=2".to_vec(), b"e=3".to_vec()],
            body: Body {
                kind: Some(b"text/plain".to_vec()),
                content: Content::Pieces { pieces: vec![b"f=4".to_vec()], between: b"&" },
            },
            framing,
        }
    }

    fn wire(framing: Framing) -> String {
        String::from_utf8(form(framing).wire()).unwrap()
    }

    #[test]
    fn every_part_has_its_place() {
        assert_eq!(
            wire(Framing::Length),
            "POST /a?b=1&c HTTP/1.1\r\nHost: localhost\r\nX: y\r\nCookie: d=2; e=3\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nf=4"
        );
        let mut bare = form(Framing::Length);
        (bare.query, bare.cookies, bare.usual) = (Vec::new(), Vec::new(), true);
        bare.body = Body { kind: None, content: Content::Nothing };
        assert_eq!(
            String::from_utf8(bare.wire()).unwrap(),
            "POST /a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: edgeproof\r\nAccept: */*\r\nX: y\r\nConnection: close\r\n\r\n"
        );
        bare.framing = Framing::EvenNothing;
        assert!(String::from_utf8(bare.wire()).unwrap().contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn framing_is_wrong_only_on_purpose() {
        let ends = |framing, end: &str| assert!(wire(framing).ends_with(end), "{}", wire(framing));
        ends(
            Framing::Chunked(2),
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nf=\r\n1\r\n4\r\n0\r\n\r\n",
        );
        ends(
            Framing::Both,
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nf=4\r\n0\r\n\r\n",
        );
        ends(
            Framing::Twice,
            "Content-Length: 3\r\nContent-Length: 3\r\nConnection: close\r\n\r\nf=4",
        );
        ends(Framing::Short(2), "Content-Length: 1\r\nConnection: close\r\n\r\nf=4");
        ends(Framing::Long(2), "Content-Length: 5\r\nConnection: close\r\n\r\nf=4");
        assert!(form(Framing::Long(1)).half_closes() && !form(Framing::Short(1)).half_closes());
    }

    #[test]
    fn trees_are_written_out() {
        let json = Json::Object(vec![
            (b"a".to_vec(), Json::List(vec![Json::Raw(b"1".to_vec()), Json::Text(b"b".to_vec())])),
            (b"c".to_vec(), Json::Object(Vec::new())),
        ]);
        assert_eq!(Content::Json(json).octets(), br#"{"a":[1,"b"],"c":{}}"#);
        let inner = Element { name: b"i".to_vec(), attributes: Vec::new(), children: Vec::new() };
        let root = Element {
            name: b"r".to_vec(),
            attributes: vec![(b"k".to_vec(), b"v".to_vec())],
            children: vec![XmlNode::Text(b"t".to_vec()), XmlNode::Element(inner)],
        };
        let xml = Content::Xml { prolog: b"<?xml?>".to_vec(), root };
        assert_eq!(xml.octets(), br#"<?xml?><r k="v">t<i></i></r>"#);
        let form = Multipart {
            boundary: b"b".to_vec(),
            parts: vec![Part { lines: vec![b"X: y".to_vec()], content: b"c".to_vec() }],
            ends: true,
            line: b"\r\n",
        };
        assert_eq!(
            Content::Multipart(form).octets(),
            b"--b\r\nX: y\r\n\r\nc\r\n--b--\r\n".to_vec()
        );
    }
}
