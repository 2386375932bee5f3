//! Bytes that are no plain text made visible, so that no payload can move a cursor, colour a
//! terminal, turn the direction of a line or hide itself.
//!
//! `\r`, `\x1b` and the like stand for a control character or a byte that is no UTF-8, `\u{202e}`
//! for a character that would be invisible or would reorder its neighbours. This is for the eye,
//! not for a parser: a backslash that was there stays one. Where that matters, the escapes carry
//! marks ([`Marks`]).

use base64::{Engine, engine::general_purpose::STANDARD};
use edgeproof_diagnostics::no_command;
use edgeproof_runner::event::{Payload, PayloadEncoding};

/// What is put round each escape, so that it can be told from text that looks like one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
}

impl Marks {
    /// Nothing.
    pub(crate) const NONE: Marks = Marks { open: "", close: "" };
}

/// Text of several lines: line feeds and tabs stay. None of them is a command to a CI service.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push('\n');
        }
        push_text(&mut out, line.strip_suffix('\r').unwrap_or(line), Marks::NONE, true);
    }
    no_command(&out)
}

/// Text that must stay on its line: line feeds and tabs become visible too.
pub(crate) fn visible_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_text(&mut out, text, Marks::NONE, false);
    out
}

/// The lines of a message of the wire. In the head (up to the first empty line) a line that ends
/// in a bare LF shows it: parsers differ there. At most `limit` octets are shown.
pub(crate) fn payload_lines(payload: &Payload, marks: Marks, limit: usize) -> Vec<String> {
    let decoded;
    let bytes = match payload.encoding {
        PayloadEncoding::Text => payload.data.as_bytes(),
        PayloadEncoding::Base64 => match STANDARD.decode(&payload.data) {
            Ok(bytes) => {
                decoded = bytes;
                &decoded
            }
            Err(error) => return vec![format!("(the recording holds no valid base64: {error})")],
        },
    };
    let whole = payload.truncated_from.unwrap_or(bytes.len() as u64);
    let shown = &bytes[..bytes.len().min(limit)];
    let mut lines = lines_of(shown, marks);
    if (shown.len() as u64) < whole {
        lines.push(format!("… {} of {whole} octets shown", shown.len()));
    }
    lines
}

fn lines_of(bytes: &[u8], marks: Marks) -> Vec<String> {
    let mut lines = Vec::new();
    let mut head = true;
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (line, bare) = match part {
            [line @ .., b'\r', b'\n'] => (line, false),
            [line @ .., b'\n'] => (line, head),
            line => (line, false),
        };
        let mut out = String::new();
        push_bytes(&mut out, line, marks);
        if bare {
            push_escape(&mut out, "\\n", marks);
        }
        head = head && !line.is_empty();
        lines.push(out);
    }
    lines
}

fn push_bytes(out: &mut String, bytes: &[u8], marks: Marks) {
    for chunk in bytes.utf8_chunks() {
        push_text(out, chunk.valid(), marks, true);
        for byte in chunk.invalid() {
            push_escape(out, &format!("\\x{byte:02x}"), marks);
        }
    }
}

fn push_text(out: &mut String, text: &str, marks: Marks, tabs_stay: bool) {
    for character in text.chars() {
        match character {
            '\t' if tabs_stay => out.push('\t'),
            '\t' => push_escape(out, "\\t", marks),
            '\r' => push_escape(out, "\\r", marks),
            '\n' => push_escape(out, "\\n", marks),
            '\0'..='\x1f' | '\x7f' => {
                push_escape(out, &format!("\\x{:02x}", u32::from(character)), marks);
            }
            _ if misleads(character) => {
                push_escape(out, &format!("\\u{{{:x}}}", u32::from(character)), marks);
            }
            _ => out.push(character),
        }
    }
}

fn push_escape(out: &mut String, escape: &str, marks: Marks) {
    out.push_str(marks.open);
    out.push_str(escape);
    out.push_str(marks.close);
}

/// C1 controls, characters without a width, line separators, direction marks (UAX #9), the
/// characters of tags, and what is no character at all.
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// With a capital letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
