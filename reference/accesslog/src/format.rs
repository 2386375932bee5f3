//! A compiled format: presets, writing a line, reading one.

use std::str::FromStr;

use crate::{
    compile::{self, Dialect, Piece},
    mistake::FormatError,
    parse::{ParseError, Parsed, Unreadable},
    record::Record,
    slot::{Reading, Slot},
};

/// A log format that is known to be readable again.
#[derive(Debug)]
pub struct Format {
    pieces: Vec<Piece>,
}

/// The formats that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The built-in default, always in dialect 2018.
    Default,
    /// The common log format of NCSA and Apache.
    Common,
    /// The same with referer and user agent.
    Combined,
    /// One JSON object a line, null for what is missing.
    Json,
}

const DEFAULT: &str = "{request_hostname} {client_ip} {default} {default} \
     [{completion_date:{%d/%b/%Y:%H:%M:%S %z}}] \
     {request} {status} {response_size} {referer} {user_agent}";
const COMMON: &str = "{client_ip} {default} {default} \
     [{completion_date:%d/%b/%Y:%H:%M:%S %z}] \"{request}\" {status} {response_size}";
const COMBINED: &str = "{client_ip} {default} {default} \
     [{completion_date:%d/%b/%Y:%H:%M:%S %z}] \"{request}\" {status} {response_size} \
     \"{referer}\" \"{user_agent}\"";

impl Format {
    /// Compiles a format's text (docs/access-logs.md).
    ///
    /// # Errors
    /// The first mistake, with its column. Refused is also what could not be read back: variables
    /// that touch, a backslash straight after a variable, a `-` straight after one that may be
    /// empty.
    pub fn compile(text: &str, dialect: Dialect) -> Result<Self, FormatError> {
        compile::text(text, dialect).map(|pieces| Self { pieces })
    }

    /// What a site's configuration says: a preset's name, or a format's text.
    ///
    /// # Errors
    /// As [`Format::compile`].
    pub fn named_or_compiled(text: &str, dialect: Dialect) -> Result<Self, FormatError> {
        match text.parse() {
            Ok(preset) => Ok(Self::preset(preset)),
            Err(UnknownPreset(_)) => Self::compile(text, dialect),
        }
    }

    /// A format that has a name.
    pub fn preset(preset: Preset) -> Self {
        let compiled = match preset {
            Preset::Default => Self::compile(DEFAULT, Dialect::Of2018),
            Preset::Common => Self::compile(COMMON, Dialect::Current),
            Preset::Combined => Self::compile(COMBINED, Dialect::Current),
            Preset::Json => compile::json().map(|pieces| Self { pieces }),
        };
        match compiled {
            Ok(format) => format,
            Err(mistake) => unreachable!("a preset compiles: {mistake}"),
        }
    }

    /// Appends exactly one line, `\n` included. Without an allocation while `out` has room and the
    /// second of the dates is the same as the line's before.
    pub fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                // Mostly one space: a call to copy that would cost more than the rest.
                Piece::Literal(text) => match *text.as_bytes() {
                    [byte] => out.push(byte),
                    ref bytes => out.extend_from_slice(bytes),
                },
                Piece::Slot(slot) => slot.write(record, out),
            }
        }
        out.push(b'\n');
    }

    /// Reads a line that this format wrote, with or without its `\n`.
    ///
    /// Strict: a byte that [`Format::write`] would have escaped is an error, so a forged or torn
    /// line is noticed.
    ///
    /// # Errors
    /// Where the line is not this format's, and what was expected there.
    pub fn parse(&self, line: &[u8]) -> Result<Parsed<'_>, ParseError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.read_by(line, |slot, text, _| slot.read(text))
    }

    /// Reads a line of this format that another server may have written: all that [`Format::parse`]
    /// reads, with the same values, and beyond it Apache httpd's escapes (`\"`, `\\`, `\n`, `\xhh`),
    /// any printable byte in a value, and CRLF at the end. A value reaches to the format's next text.
    ///
    /// # Errors
    /// Where the line is not this format's, and what was expected there.
    pub fn parse_foreign(&self, line: &[u8]) -> Result<Parsed<'_>, ParseError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.read_by(line, Slot::read_foreign)
    }

    /// Goes through the pieces; `read` reads a variable's value before the text that follows it.
    fn read_by(
        &self,
        line: &[u8],
        read: impl Fn(&Slot, &[u8], Option<&str>) -> Reading,
    ) -> Result<Parsed<'_>, ParseError> {
        let mut values = Vec::new();
        let mut at = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Literal(text) => {
                    if !line[at..].starts_with(text.as_bytes()) {
                        let reason = Unreadable::Literal { expected: text.clone() };
                        return Err(ParseError { offset: at, variable: None, reason });
                    }
                    at += text.len();
                }
                Piece::Slot(slot) => {
                    let follower = match self.pieces.get(index + 1) {
                        Some(Piece::Literal(text)) => Some(text.as_str()),
                        _ => None,
                    };
                    let read = read(slot, &line[at..], follower);
                    let (value, length) = read.map_err(|(offset, reason)| ParseError {
                        offset: at + offset,
                        variable: Some(slot.name.clone()),
                        reason,
                    })?;
                    values.push((slot.name.as_str(), value));
                    at += length;
                }
            }
        }
        if at < line.len() {
            return Err(ParseError { offset: at, variable: None, reason: Unreadable::Rest });
        }
        Ok(Parsed { values })
    }
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Common, Self::Combined, Self::Json];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Common => "common",
            Self::Combined => "combined",
            Self::Json => "json",
        }
    }

    /// The names of all of them.
    pub(crate) fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, UnknownPreset> {
        let found = Self::ALL.into_iter().find(|preset| preset.name() == name);
        found.ok_or_else(|| UnknownPreset(name.to_owned()))
    }
}

/// A name that no preset has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset {0:?}; expected {list}", list = Preset::list())]
pub struct UnknownPreset(
    /// The name.
    pub String,
);
