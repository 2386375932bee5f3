//! Reads a JSON text token by token. Open objects and arrays lie on a stack of its own, not on the
//! thread's, and one buffer holds the name of the current place.

use std::io::Write as _;

use memchr::memchr2;

use super::super::arguments::Pairs;
use super::super::steps::took;
use super::string::decode;
use super::{JsonError, Mistake};

/// What the names of all arguments may take beside their share of the body's size.
const NAMES_FREE: usize = 256 << 10;
/// ... and how often the body's size.
const NAMES_PER_BYTE: usize = 16;

pub(super) struct Reader<'a, P> {
    body: &'a [u8],
    at: usize,
    into: &'a mut P,
    depth_limit: usize,
    open: Vec<Container>,
    /// The name of the current place.
    path: Vec<u8>,
    names_left: usize,
    first: Option<(Mistake, usize)>,
}

/// An object or array whose end was not read yet.
struct Container {
    kind: Kind,
    /// The length of its name, on which those of its values build.
    name: usize,
    /// The number of values so far.
    values: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
}

/// What may come next.
#[derive(Clone, Copy)]
enum Next {
    /// The value of a key, of the whole text, or of an array behind a comma.
    Value,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key behind a comma.
    Key,
    /// The first value of an array, or its end.
    FirstElement,
    /// A comma, or the end of the object or array.
    Comma,
    /// Nothing.
    End,
}

/// Reading can't go on.
struct Stop(Mistake);

impl<'a, P: Pairs> Reader<'a, P> {
    pub(super) fn new(body: &'a [u8], depth_limit: u32, into: &'a mut P) -> Self {
        Self {
            body,
            at: 0,
            into,
            depth_limit: usize::try_from(depth_limit).unwrap_or(usize::MAX),
            open: Vec::new(),
            path: b"json".to_vec(),
            names_left: body.len().saturating_mul(NAMES_PER_BYTE).saturating_add(NAMES_FREE),
            first: None,
        }
    }

    pub(super) fn read(mut self) -> Result<(), JsonError> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.body.starts_with(BYTE_ORDER_MARK) {
            self.note(Mistake::ByteOrderMark, 0);
            self.at = BYTE_ORDER_MARK.len();
        }
        let stopped = self.read_tokens();
        if let Err(Stop(mistake)) = stopped {
            self.note(mistake, self.at);
        }
        match self.first {
            Some((mistake, offset)) => Err(JsonError { mistake, offset, unread: self.at }),
            None => Ok(()),
        }
    }

    fn read_tokens(&mut self) -> Result<(), Stop> {
        let mut next = Next::Value;
        loop {
            self.skip_space();
            next = match (self.peek(), next) {
                (None, Next::End) => return Ok(()),
                (None, _) => return Err(Stop(Mistake::EndsEarly)),
                (Some(byte), next) => self.read_token(byte, next)?,
            };
        }
    }

    fn read_token(&mut self, byte: u8, next: Next) -> Result<Next, Stop> {
        match (next, byte) {
            (Next::FirstKey, b'}') | (Next::FirstElement, b']') => self.close(),
            (Next::FirstKey | Next::Key, _) => self.read_key(byte),
            (Next::FirstElement, _) => {
                self.name_element();
                self.read_value(byte)
            }
            (Next::Value, _) => self.read_value(byte),
            (Next::Comma, _) => self.read_comma(byte),
            (Next::End, _) => {
                self.note(Mistake::TrailingData, self.at);
                self.read_value(byte)
            }
        }
    }

    fn read_value(&mut self, byte: u8) -> Result<Next, Stop> {
        match byte {
            b'{' => self.open(Kind::Object, Next::FirstKey),
            b'[' => self.open(Kind::Array, Next::FirstElement),
            b'"' => {
                let (raw, behind) = self.find_string()?;
                let mut mistake = None;
                self.add(|out| mistake = decode(raw, out))?;
                self.note_inside(mistake, self.at + 1);
                self.at = behind;
                Ok(self.behind_value())
            }
            b'-' | b'0'..=b'9' => {
                let length = number(&self.body[self.at..]).ok_or(Stop(Mistake::Number))?;
                self.read_plain(length, length)
            }
            _ => {
                let rest = &self.body[self.at..];
                let word = [&b"true"[..], b"false", b"null"]
                    .into_iter()
                    .find(|word| rest.starts_with(word));
                let word = word.ok_or(Stop(Mistake::ValueExpected))?;
                self.read_plain(word.len(), if word == b"null" { 0 } else { word.len() })
            }
        }
    }

    /// Takes `length` bytes, of which the first `shown` are the value.
    fn read_plain(&mut self, length: usize, shown: usize) -> Result<Next, Stop> {
        took(length);
        let value = &self.body[self.at..self.at + shown];
        self.add(|out| out.extend_from_slice(value))?;
        self.at += length;
        Ok(self.behind_value())
    }

    /// What stands between the quotes of the string here, and where the text goes on.
    fn find_string(&self) -> Result<(&'a [u8], usize), Stop> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = self.body.get(at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                took(rest.len());
                return Err(Stop(Mistake::EndsEarly));
            };
            took(found + 1);
            at += found;
            if self.body[at] == b'"' {
                return Ok((&self.body[start..at], at + 1));
            }
            at += 2;
        }
    }

    fn read_key(&mut self, byte: u8) -> Result<Next, Stop> {
        if byte != b'"' {
            return Err(Stop(Mistake::KeyExpected));
        }
        let (raw, behind) = self.find_string()?;
        if let Some(container) = self.open.last_mut() {
            container.values += 1;
            self.path.truncate(container.name);
        }
        self.path.push(b'.');
        if raw.is_empty() {
            self.path.extend_from_slice(b"empty-key");
        }
        let mistake = decode(raw, &mut self.path);
        self.note_inside(mistake, self.at + 1);
        self.at = behind;
        self.skip_space();
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                Ok(Next::Value)
            }
            Some(_) => Err(Stop(Mistake::ColonExpected)),
            None => Err(Stop(Mistake::EndsEarly)),
        }
    }

    fn read_comma(&mut self, byte: u8) -> Result<Next, Stop> {
        let kind = self.open.last().map(|container| container.kind);
        match (byte, kind) {
            (b'}', Some(Kind::Object)) | (b']', Some(Kind::Array)) => self.close(),
            (b',', Some(Kind::Object)) => {
                self.at += 1;
                Ok(Next::Key)
            }
            (b',', Some(Kind::Array)) => {
                self.at += 1;
                self.name_element();
                Ok(Next::Value)
            }
            _ => Err(Stop(Mistake::CommaExpected)),
        }
    }

    fn open(&mut self, kind: Kind, next: Next) -> Result<Next, Stop> {
        if self.open.len() >= self.depth_limit {
            return Err(Stop(Mistake::TooDeep));
        }
        self.at += 1;
        self.open.push(Container { kind, name: self.path.len(), values: 0 });
        Ok(next)
    }

    fn close(&mut self) -> Result<Next, Stop> {
        if let Some(container) = self.open.pop() {
            self.path.truncate(container.name);
            let under_key = self.open.last().is_some_and(|outer| outer.kind == Kind::Object);
            if container.values == 0 || container.kind == Kind::Array && under_key {
                self.add(|_| ())?;
            }
        }
        self.at += 1;
        Ok(self.behind_value())
    }

    fn behind_value(&self) -> Next {
        if self.open.is_empty() { Next::End } else { Next::Comma }
    }

    /// Names the next element of the innermost array.
    fn name_element(&mut self) {
        if let Some(container) = self.open.last_mut() {
            self.path.truncate(container.name);
            // Writing to memory does not fail.
            let _ = write!(self.path, ".array_{}", container.values);
            container.values += 1;
            took(self.path.len() - container.name);
        }
    }

    /// Adds an argument named after the current place.
    fn add(&mut self, value: impl FnOnce(&mut Vec<u8>)) -> Result<(), Stop> {
        let path = &self.path;
        self.names_left =
            self.names_left.checked_sub(path.len()).ok_or(Stop(Mistake::NamesTooLong))?;
        let added = self.into.add_with(
            |out| {
                took(path.len());
                out.extend_from_slice(path);
            },
            value,
        );
        added.map_err(|_| Stop(Mistake::TooManyArguments))
    }

    /// RFC 8259 §2, and the vertical tab and form feed that yajl takes too.
    fn skip_space(&mut self) {
        let rest = &self.body[self.at..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
        took(space + 1);
        self.at += space;
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn note(&mut self, mistake: Mistake, offset: usize) {
        self.first.get_or_insert((mistake, offset));
    }

    fn note_inside(&mut self, mistake: Option<(Mistake, usize)>, start: usize) {
        if let Some((mistake, offset)) = mistake {
            self.note(mistake, start + offset);
        }
    }
}

/// The length of the number at the start of `text` (RFC 8259 §6).
fn number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match text.get(at)? {
        b'0' => 1,
        b'1'..=b'9' => digits(at),
        _ => return None,
    };
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}
