//! One field line: strict as sent by clients, tolerant as sent by origins.

use std::ops::Range;

use crate::Error;
use crate::fields::Line;
use crate::grammar::{is_token, trim_ows};

/// How a line that is not quite right is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Requests: any deviation is refused.
    Strict,
    /// Responses: white space before the colon goes (RFC 9112 §5.1), a fold becomes spaces
    /// (§5.2), LF ends a line (§2.2), controls other than CR and NUL stay (RFC 9110 §5.5).
    Tolerant,
}

/// Bytes of a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5).
static VALUE: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = byte == b'\t' as usize;
        byte += 1;
    }
    table[0x7f] = false;
    table
};

/// The ranges of name and value of the field line at `content`.
pub(crate) fn parse(buf: &[u8], content: Range<usize>, manner: Manner) -> Result<Line, Error> {
    let line = &buf[content.clone()];
    let Some(colon) = memchr::memchr(b':', line) else {
        return Err(if line.contains(&b'\r') { Error::BareCr } else { Error::NoColon });
    };
    let mut name = &line[..colon];
    if let [.., b' ' | b'\t'] = name {
        match manner {
            Manner::Strict => return Err(Error::SpaceBeforeColon),
            Manner::Tolerant => name = trim_ows(name),
        }
    }
    if !is_token(name) {
        return Err(if name.contains(&b'\r') { Error::BareCr } else { Error::BadFieldName });
    }
    let value = value_range(buf, content.start + colon + 1..content.end);
    check_value(&buf[value.clone()], manner)?;
    Line::in_head(content.start..content.start + name.len(), value).ok_or(Error::FieldLineTooLong)
}

/// `range` without the optional white space at both ends.
pub(crate) fn value_range(buf: &[u8], range: Range<usize>) -> Range<usize> {
    let raw = &buf[range.clone()];
    let leading = raw.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let start = range.start + leading;
    start..start + trim_ows(raw).len()
}

/// Whether `value` has only bytes that may stand in it.
pub(crate) fn check_value(value: &[u8], manner: Manner) -> Result<(), Error> {
    if value.iter().all(|&byte| VALUE[usize::from(byte)]) {
        return Ok(());
    }
    match manner {
        _ if value.contains(&b'\r') => Err(Error::BareCr),
        Manner::Tolerant if !value.contains(&0) => Ok(()),
        Manner::Strict | Manner::Tolerant => Err(Error::ControlInValue),
    }
}
