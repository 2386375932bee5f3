//! `multipart/form-data` (RFC 7578), read as ModSecurity 2.9.7 reads it: what it flags is flagged,
//! what it refuses is an error with its text, since rules and the people who tune them rely on both
//! (MULTIPART_STRICT_ERROR, MULTIPART_UNMATCHED_BOUNDARY, REQBODY_ERROR_MSG).
//!
//! Multipart is where a firewall and an application disagree most easily, so this grammar is far
//! narrower than RFC 2046's: one `boundary` parameter and no other, part headers of less than
//! 4 KiB a line, no duplicate ones, a Content-Disposition with `name` and `filename` only.
//!
//! Reading ends at the first error. Unlike ModSecurity, the parts up to there are kept, the
//! unfinished one included: PHP, for one, takes a body whose last boundary is missing.
//!
//! A part holds its content as a range of the body; the parser copies headers and names only.

mod boundary;
mod disposition;
mod parser;
mod part;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::ops::Range;

use super::arguments::{Full, Pairs};

/// Part header lines, line end included, are shorter than this many bytes.
const HEADER_LINE_LIMIT: usize = 4096;

/// A multipart body taken apart.
#[derive(Debug, Clone, Default)]
pub struct Multipart {
    /// The parts in order.
    pub parts: Vec<Part>,
    /// What was unusual.
    pub flags: Flags,
    /// Why reading ended early.
    pub error: Option<MultipartError>,
    /// MULTIPART_NAME: the `name` that was read last, also one that was refused.
    pub last_name: Option<Vec<u8>>,
    /// MULTIPART_FILENAME: the `filename` that was read last, also one that was refused.
    pub last_filename: Option<Vec<u8>>,
    /// The bytes of part headers and of fields that are no files, for SecRequestBodyNoFilesLimit.
    pub no_files_length: usize,
    /// From here to its end nothing of the body was read: it has an error there, or it goes on
    /// behind its last boundary.
    pub unread: usize,
}

/// One part: a form field, or a file where it has a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `name` of its Content-Disposition.
    pub name: Vec<u8>,
    /// `filename` of its Content-Disposition, as sent.
    pub filename: Option<Vec<u8>>,
    /// Its header lines for MULTIPART_PART_HEADERS: as sent, without line end; a folded one is
    /// `name: value` with the folds replaced by a space.
    pub header_lines: Vec<Vec<u8>>,
    /// Its content within the body.
    pub content: Range<usize>,
}

impl Part {
    /// Whether it is a file (FILES, FILES_NAMES, FILES_SIZES) and no argument.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.filename.is_some()
    }
}

/// Limits of the rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// SecUploadFileLimit, where files are kept for inspection; files beyond it raise
    /// MULTIPART_FILE_LIMIT_EXCEEDED. None where files are not kept, as ModSecurity counts only
    /// those that it writes.
    pub kept_files: Option<usize>,
}

/// The MULTIPART_* flags, named as the variables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The boundary in Content-Type is quoted.
    pub boundary_quoted: bool,
    /// There is space round the `=` of the boundary in Content-Type.
    pub boundary_whitespace: bool,
    /// No semicolon stands before the boundary in Content-Type.
    pub missing_semicolon: bool,
    /// Data before the first boundary.
    pub data_before: bool,
    /// Data behind the last boundary.
    pub data_after: bool,
    /// A part header is folded.
    pub header_folding: bool,
    /// ... and not with a space or a tab.
    pub invalid_header_folding: bool,
    /// A line among boundaries and part headers ends with CR LF.
    pub crlf_line: bool,
    /// A line among boundaries and part headers, or the one before a boundary, ends with LF only.
    pub lf_line: bool,
    /// A single quote, or a quote in a wrong place, in Content-Disposition.
    pub invalid_quoting: bool,
    /// A boundary where a part's headers or the first line of its content should be.
    pub invalid_part: bool,
    /// More files than SecUploadFileLimit.
    pub file_limit_exceeded: bool,
    /// A line that begins like a boundary, or has the boundary within, but is none.
    pub unmatched_boundary: bool,
    /// The Content-Type or the body is in error, a missing last boundary apart.
    pub error: bool,
}

impl Flags {
    /// MULTIPART_CRLF_LF_LINES: both kinds of line ends.
    #[must_use]
    pub fn crlf_lf_lines(self) -> bool {
        self.crlf_line && self.lf_line
    }

    /// MULTIPART_STRICT_ERROR: an error or any flag, [`Flags::unmatched_boundary`] (which has its
    /// own rule) and CR LF apart.
    #[must_use]
    pub fn strict_error(self) -> bool {
        self.error
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.invalid_header_folding
            || self.file_limit_exceeded
    }
}

/// Why a multipart body could not be read to its end; the text is REQBODY_ERROR_MSG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// The Content-Type field does not say how.
    #[error("Multipart: {0}.")]
    ContentType(#[from] ContentTypeError),
    /// The body is in error.
    #[error("Multipart parsing error: Multipart: {0}")]
    Body(#[from] BodyError),
}

/// What is wrong with the Content-Type of a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum ContentTypeError {
    #[error("Content-Type header not available")]
    Missing,
    #[error("Invalid boundary in C-T (length)")]
    TooLong,
    #[error("Invalid MIME type")]
    OtherType,
    #[error("Multiple boundary parameters in C-T")]
    SeveralBoundaries,
    #[error("Invalid boundary in C-T (malformed)")]
    Malformed,
    #[error("Invalid boundary in C-T (parameter name)")]
    ParameterName,
    #[error("Invalid boundary in C-T (quote)")]
    Quote,
    #[error("Invalid boundary in C-T (content)")]
    Content,
    #[error("Invalid boundary in C-T (characters)")]
    Characters,
    #[error("Invalid boundary in C-T (empty)")]
    Empty,
    #[error("Invalid boundary in C-T (case sensitivity)")]
    CaseSensitivity,
    #[error("Boundary not found in C-T")]
    NoBoundary,
}

/// What is wrong with a multipart body. Texts from the body are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum BodyError {
    #[error("Invalid boundary: {0}")]
    Boundary(String),
    #[error("Invalid boundary (quotes).")]
    BoundaryQuotes,
    #[error("Invalid boundary (whitespace).")]
    BoundaryWhitespace,
    #[error("No boundaries found in payload.")]
    NoBoundaries,
    #[error("Final boundary missing.")]
    NoFinalBoundary,
    #[error("Nul byte in part headers.")]
    NulInHeaders,
    #[error("Part header line over {limit} bytes long", limit = HEADER_LINE_LIMIT)]
    HeaderLineTooLong,
    #[error("Part header too long.")]
    HeaderTooLong,
    #[error("Invalid part header (folding error).")]
    Folding,
    #[error("Invalid part header (colon missing): {0}.")]
    NoColon(String),
    #[error("Invalid part header (header name missing).")]
    NoHeaderName,
    #[error("Duplicate part header: {0}.")]
    DuplicateHeader(String),
    #[error("Part missing Content-Disposition header.")]
    NoDisposition,
    /// The code is ModSecurity's.
    #[error("Invalid Content-Disposition header ({code}): {value}.")]
    Disposition { code: i8, value: String },
    #[error("Content-Disposition header missing name field.")]
    NoName,
    #[error("Invalid Content-Disposition header (filename).")]
    Filename,
}

impl Multipart {
    /// Takes a body apart. `content_type` is the value of the request's Content-Type field.
    ///
    /// Never fails as a whole: see [`Multipart::error`] and [`Multipart::flags`].
    #[must_use]
    pub fn parse(body: &[u8], content_type: Option<&[u8]>, limits: Limits) -> Self {
        let mut flags = Flags::default();
        match boundary::of(content_type, &mut flags) {
            Ok(boundary) => parser::parse(body, boundary, flags, limits),
            Err(error) => {
                flags.error = true;
                Self { flags, error: Some(error.into()), ..Self::default() }
            }
        }
    }

    /// Adds the form fields, the parts that are no files, to the arguments.
    ///
    /// # Errors
    /// [`Full`] where the limit of arguments is reached.
    pub fn arguments(&self, body: &[u8], into: &mut impl Pairs) -> Result<(), Full> {
        for part in self.parts.iter().filter(|part| !part.is_file()) {
            into.add(&part.name, body.get(part.content.clone()).unwrap_or_default())?;
        }
        Ok(())
    }

    /// The parts that are files.
    pub fn files(&self) -> impl Iterator<Item = &Part> + '_ {
        self.parts.iter().filter(|part| part.is_file())
    }

    /// FILES_COMBINED_SIZE, in bytes.
    #[must_use]
    pub fn files_combined_size(&self) -> usize {
        self.files().map(|part| part.content.len()).sum()
    }
}

/// Text from a body for an error's text, as ModSecurity escapes it.
fn escaped(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'\x08' => out.push_str(r"\b"),
            b'\n' => out.push_str(r"\n"),
            b'\r' => out.push_str(r"\r"),
            b'\t' => out.push_str(r"\t"),
            b'\x0B' => out.push_str(r"\v"),
            b'\\' => out.push_str(r"\\"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to memory does not fail.
                let _ = write!(out, r"\x{byte:02x}");
            }
        }
    }
    out
}
