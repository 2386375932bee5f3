//! A part while its header lines are read.

use std::collections::HashSet;

use memchr::{memchr, memmem};

use super::super::cookies::is_space;
use super::super::steps::took;
use super::disposition::Disposition;
use super::{BodyError, Flags, HEADER_LINE_LIMIT, escaped};

/// The header of a part as far as it was read.
#[derive(Debug, Default)]
pub(super) struct PartHeader {
    /// Names of its fields in lower case, for there must be no duplicate.
    names: HashSet<Vec<u8>>,
    /// The field that the next line may continue.
    open: Option<Field>,
    /// The value of Content-Disposition.
    content_disposition: Option<Vec<u8>>,
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) disposition: Disposition,
}

#[derive(Debug)]
struct Field {
    name: Vec<u8>,
    value: Vec<u8>,
    /// The whole line as it was sent, or None where the field is folded.
    line: Option<Vec<u8>>,
}

impl PartHeader {
    /// Takes a line, its end included. True for the empty one that ends the header.
    pub(super) fn read_line(&mut self, line: &[u8], flags: &mut Flags) -> Result<bool, BodyError> {
        took(line.len());
        if line.len() >= HEADER_LINE_LIMIT {
            return Err(BodyError::HeaderLineTooLong);
        }
        if memchr(b'\0', line).is_some() {
            return Err(BodyError::NulInHeaders);
        }
        if line.ends_with(b"\r\n") {
            flags.crlf_line = true;
        } else {
            flags.lf_line = true;
        }
        if matches!(line, b"\r\n" | b"\n") {
            self.finish(flags)?;
            return Ok(true);
        }
        if line.first().is_some_and(|&byte| is_space(byte)) {
            self.read_folded(line, flags)?;
        } else {
            self.read_field(line)?;
        }
        Ok(false)
    }

    fn read_field(&mut self, line: &[u8]) -> Result<(), BodyError> {
        self.close_field();
        let colon = memchr(b':', line).ok_or_else(|| BodyError::NoColon(escaped(line)))?;
        let (name, behind) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() {
            return Err(BodyError::NoHeaderName);
        }
        if !self.names.insert(name.to_ascii_lowercase()) {
            return Err(BodyError::DuplicateHeader(escaped(name)));
        }
        let blank = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.open = Some(Field {
            name: name.to_vec(),
            value: without_line_end(&behind[blank..]).to_vec(),
            line: Some(without_line_end(line).to_vec()),
        });
        Ok(())
    }

    /// A line that begins with space continues the field before it (RFC 2557 names space and tab;
    /// PHP takes any white space, so that is taken too, and flagged).
    fn read_folded(&mut self, line: &[u8], flags: &mut Flags) -> Result<(), BodyError> {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        flags.header_folding = true;
        flags.invalid_header_folding |= !line.first().is_some_and(is_blank);
        let field = self.open.as_mut().ok_or(BodyError::Folding)?;
        let space = line.iter().take_while(|&&byte| is_space(byte)).count();
        flags.invalid_header_folding |= !line[..space].iter().all(is_blank);
        field.line = None;
        field.value.push(b' ');
        field.value.extend_from_slice(without_line_end(&line[space..]));
        if field.value.len() > HEADER_LINE_LIMIT { Err(BodyError::HeaderTooLong) } else { Ok(()) }
    }

    /// Gets what there is of a header that was not read to its end.
    pub(super) fn give_up(&mut self) {
        self.close_field();
        if let Some(value) = self.content_disposition.take() {
            // A mistake in it comes second to the one that ended the reading.
            let _ = self.disposition.read(&value, &mut Flags::default());
        }
    }

    /// No line continues the open field any more.
    fn close_field(&mut self) {
        let Some(field) = self.open.take() else { return };
        if field.name.eq_ignore_ascii_case(b"content-disposition") {
            self.content_disposition = Some(field.value.clone());
        }
        let Field { name, value, line } = field;
        self.lines.push(line.unwrap_or_else(|| [&name[..], b": ", &value].concat()));
    }

    fn finish(&mut self, flags: &mut Flags) -> Result<(), BodyError> {
        self.close_field();
        let value = self.content_disposition.take().ok_or(BodyError::NoDisposition)?;
        took(value.len());
        if let Err(code) = self.disposition.read(&value, flags) {
            return Err(BodyError::Disposition { code: code.0, value: escaped(&value) });
        }
        if self.disposition.name.is_none() {
            return Err(BodyError::NoName);
        }
        // Crude parsers look for this text, and would take a file for a field.
        let is_file = self.disposition.filename.is_some();
        if is_file && memmem::find(&value, b"filename=").is_none() {
            return Err(BodyError::Filename);
        }
        Ok(())
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    line.unwrap_or_default()
}
