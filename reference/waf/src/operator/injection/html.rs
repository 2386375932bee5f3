//! Takes a value apart as HTML, as browsers do and, where it matters, did: NUL bytes are passed over, backticks
//! quote, and `<%` starts a comment.

use memchr::{memchr, memmem};

/// What a piece of HTML is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// The name of a tag that opens, or of one that closes with anything behind its name.
    Tag(&'t [u8]),
    AttributeName(&'t [u8]),
    AttributeValue(&'t [u8]),
    Comment(&'t [u8]),
    Doctype,
    /// The end of a tag.
    Other,
}

/// What the value is taken to stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Text,
    /// A tag, between attributes.
    Tag,
    /// An attribute's value in quotes of this kind.
    Value(u8),
}

/// Reads pieces one after the other.
pub(super) struct Html<'t> {
    text: &'t [u8],
    at: usize,
    state: State,
    /// Within a tag that closes.
    closing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    TagOpen,
    /// At the `>` of a tag.
    TagEnd,
    BeforeAttribute,
    AfterAttributeName,
    BeforeValue,
    /// In a value from its first byte.
    Value(u8),
    AfterQuotedValue,
    /// Behind a slash.
    SelfClosing,
    End,
}

impl<'t> Html<'t> {
    pub(super) fn new(text: &'t [u8], within: Within) -> Self {
        let state = match within {
            Within::Text => State::Text,
            Within::Tag => State::BeforeAttribute,
            Within::Value(quote) => State::Value(quote),
        };
        Self { text, at: 0, state, closing: false }
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The piece up to `end`; what comes next starts at `next`, in `state`.
    fn take(&mut self, end: usize, next: usize, state: State) -> &'t [u8] {
        let piece = &self.text[self.at..end];
        (self.at, self.state) = (next, state);
        piece
    }

    /// All that is left.
    fn take_rest(&mut self) -> &'t [u8] {
        let end = self.text.len();
        self.take(end, end, State::End)
    }

    /// Takes one step; `None` where nothing is told.
    fn step(&mut self) -> Option<Piece<'t>> {
        match self.state {
            State::Text => self.text(),
            State::TagOpen => self.tag_open(),
            State::TagEnd => {
                self.closing = false;
                self.at += 1;
                self.state = if self.at < self.text.len() { State::Text } else { State::End };
                Some(Piece::Other)
            }
            State::BeforeAttribute => self.before_attribute(),
            State::AfterAttributeName => self.after_attribute_name(),
            State::BeforeValue => self.before_value(),
            State::Value(quote) => Some(self.quoted_value(quote)),
            State::AfterQuotedValue => {
                match self.rest().first() {
                    None => self.state = State::End,
                    Some(b'/') => self.pass_to(State::SelfClosing),
                    Some(byte) if is_white(*byte) => self.pass_to(State::BeforeAttribute),
                    Some(_) => self.state = State::BeforeAttribute,
                }
                None
            }
            State::SelfClosing => match self.rest().first() {
                None => {
                    self.state = State::End;
                    None
                }
                Some(b'>') => {
                    self.pass_to(State::Text);
                    Some(Piece::Other)
                }
                Some(_) => {
                    self.state = State::BeforeAttribute;
                    None
                }
            },
            State::End => None,
        }
    }

    fn pass_to(&mut self, state: State) {
        self.at += 1;
        self.state = state;
    }

    fn text(&mut self) -> Option<Piece<'t>> {
        match memchr(b'<', self.rest()) {
            Some(len) => {
                self.at += len + 1;
                self.state = State::TagOpen;
            }
            None => self.state = State::End,
        }
        None
    }

    fn tag_open(&mut self) -> Option<Piece<'t>> {
        match self.rest().first() {
            None => self.state = State::End,
            Some(b'!') => {
                self.at += 1;
                return self.declaration();
            }
            Some(b'?') => {
                self.at += 1;
                return Some(self.comment_until(b">"));
            }
            Some(b'%') => {
                self.at += 1;
                return Some(self.comment_until(b"%>"));
            }
            Some(b'/') => {
                self.at += 1;
                return self.end_tag();
            }
            Some(byte) if byte.is_ascii_alphabetic() || *byte == 0 => return self.tag_name(),
            Some(_) => self.state = State::Text,
        }
        None
    }

    fn end_tag(&mut self) -> Option<Piece<'t>> {
        self.closing = true;
        match self.rest().first() {
            None => self.state = State::End,
            Some(b'>') => self.state = State::Text,
            Some(byte) if byte.is_ascii_alphabetic() => return self.tag_name(),
            Some(_) => {
                self.closing = false;
                return Some(self.comment_until(b">"));
            }
        }
        None
    }

    fn tag_name(&mut self) -> Option<Piece<'t>> {
        let ends = |byte: &u8| *byte != 0 && is_white(*byte) || matches!(byte, b'/' | b'>');
        let Some(len) = self.rest().iter().position(ends) else {
            return Some(Piece::Tag(self.take_rest()));
        };
        let end = self.at + len;
        let (next, state) = match self.text[end] {
            b'>' if self.closing => {
                self.closing = false;
                self.take(end, end + 1, State::Text);
                return Some(Piece::Other);
            }
            b'>' => (end, State::TagEnd),
            b'/' => (end + 1, State::SelfClosing),
            _ => (end + 1, State::BeforeAttribute),
        };
        Some(Piece::Tag(self.take(end, next, state)))
    }

    fn skip_white(&mut self) -> Option<u8> {
        let len = self.rest().iter().position(|byte| !is_white(*byte))?;
        self.at += len;
        Some(self.text[self.at])
    }

    fn before_attribute(&mut self) -> Option<Piece<'t>> {
        match self.skip_white() {
            None => self.state = State::End,
            Some(b'/') => self.pass_to(State::SelfClosing),
            Some(b'>') => {
                self.pass_to(State::Text);
                return Some(Piece::Other);
            }
            Some(_) => return Some(self.attribute_name()),
        }
        None
    }

    /// A name of at least one byte, whatever that is.
    fn attribute_name(&mut self) -> Piece<'t> {
        let ends = |byte: &u8| is_white(*byte) || matches!(byte, b'/' | b'=' | b'>');
        let Some(len) = self.rest().iter().skip(1).position(ends) else {
            return Piece::AttributeName(self.take_rest());
        };
        let end = self.at + 1 + len;
        let (next, state) = match self.text[end] {
            b'/' => (end + 1, State::SelfClosing),
            b'=' => (end + 1, State::BeforeValue),
            b'>' => (end, State::TagEnd),
            _ => (end + 1, State::AfterAttributeName),
        };
        Piece::AttributeName(self.take(end, next, state))
    }

    fn after_attribute_name(&mut self) -> Option<Piece<'t>> {
        match self.skip_white() {
            None => self.state = State::End,
            Some(b'/') => self.pass_to(State::SelfClosing),
            Some(b'=') => self.pass_to(State::BeforeValue),
            Some(b'>') => self.state = State::TagEnd,
            Some(_) => return Some(self.attribute_name()),
        }
        None
    }

    fn before_value(&mut self) -> Option<Piece<'t>> {
        match self.skip_white() {
            None => self.state = State::End,
            Some(quote @ (b'"' | b'\'' | b'`')) => self.pass_to(State::Value(quote)),
            Some(_) => return Some(self.plain_value()),
        }
        None
    }

    fn quoted_value(&mut self, quote: u8) -> Piece<'t> {
        Piece::AttributeValue(match memchr(quote, self.rest()) {
            Some(len) => {
                let end = self.at + len;
                self.take(end, end + 1, State::AfterQuotedValue)
            }
            None => self.take_rest(),
        })
    }

    fn plain_value(&mut self) -> Piece<'t> {
        let ends = |byte: &u8| is_white(*byte) || *byte == b'>';
        Piece::AttributeValue(match self.rest().iter().position(ends) {
            Some(len) => {
                let end = self.at + len;
                match self.text[end] {
                    b'>' => self.take(end, end, State::TagEnd),
                    _ => self.take(end, end + 1, State::BeforeAttribute),
                }
            }
            None => self.take_rest(),
        })
    }

    fn comment_until(&mut self, end: &[u8]) -> Piece<'t> {
        Piece::Comment(match memmem::find(self.rest(), end) {
            Some(len) => {
                let stop = self.at + len;
                self.take(stop, stop + end.len(), State::Text)
            }
            None => self.take_rest(),
        })
    }

    /// Behind `<!`.
    fn declaration(&mut self) -> Option<Piece<'t>> {
        let rest = self.rest();
        if rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"DOCTYPE")) {
            self.take_rest();
            return Some(Piece::Doctype);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            self.comment_until(b"]]>");
            return None;
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return Some(self.comment());
        }
        Some(self.comment_until(b">"))
    }

    /// A comment ends with `-->` or `-!>`, NUL bytes behind the first sign passed over.
    fn comment(&mut self) -> Piece<'t> {
        let mut from = self.at;
        while let Some(len) = memchr(b'-', &self.text[from..]) {
            let dash = from + len;
            let behind = &self.text[dash + 1..];
            let nuls = behind.iter().take_while(|byte| **byte == 0).count();
            if let [b'-' | b'!', b'>', ..] = behind[nuls..] {
                return Piece::Comment(self.take(dash, dash + nuls + 3, State::Text));
            }
            from = dash + 1;
        }
        Piece::Comment(self.take_rest())
    }
}

impl<'t> Iterator for Html<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        while self.state != State::End {
            if let Some(piece) = self.step() {
                return Some(piece);
            }
        }
        None
    }
}

/// White space between attributes; NUL bytes count, as they end the list of it in C.
fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t'..=b'\r' | b' ')
}
