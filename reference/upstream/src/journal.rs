//! The log of upstreams (docs/upstreams.md): whole lines, each with its time.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use edgeproof_accesslog::{Writer, put_escaped};
use edgeproof_mutant::{self as mutant, Mutant};
use jiff::Zoned;

use crate::note::{Note, Said};
use crate::{Clock, CommandLine};

/// The log of one upstream: where it goes and what time it shows. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    /// Standard error if absent.
    writer: Option<Arc<Writer>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("writer", &self.writer).finish_non_exhaustive()
    }
}

/// What a process wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Journal {
    /// A log in the file of `writer`, or on standard error.
    #[must_use]
    pub fn new(writer: Option<Arc<Writer>>, clock: Arc<dyn Clock>) -> Self {
        Self { writer, clock }
    }

    /// The file.
    #[must_use]
    pub fn writer(&self) -> Option<&Arc<Writer>> {
        self.writer.as_ref()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Writes down what became of a process.
    pub(crate) fn note(&self, note: &Note, command: &CommandLine) {
        let mut line = Vec::new();
        put_note(&mut line, &self.clock.now(), note, command);
        self.write(&line);
    }

    /// Begins a batch of what a process wrote: lines are handed over together.
    pub(crate) fn batch(&self, pid: i32, stream: Stream) -> Batch<'_> {
        Batch { journal: self, pid, stream, lines: Vec::new() }
    }

    fn write(&self, lines: &[u8]) {
        match &self.writer {
            Some(writer) => {
                // What there is no room for is counted and told by the writer.
                writer.write(lines);
            }
            // Nobody can be told that there is nobody to be told.
            None => drop(std::io::stderr().lock().write_all(lines)),
        }
    }
}

/// Lines of one process.
pub(crate) struct Batch<'j> {
    journal: &'j Journal,
    pid: i32,
    stream: Stream,
    lines: Vec<u8>,
}

impl Batch<'_> {
    pub(crate) fn line(&mut self, text: &[u8]) {
        put_text(&mut self.lines, &self.journal.clock.now(), self.pid, self.stream, text);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.lines.is_empty() {
            self.journal.write(&self.lines);
        }
    }
}

fn put_date(out: &mut Vec<u8>, now: &Zoned) {
    // A `Vec` takes everything.
    let _ = write!(out, "[{}] ", now.strftime("%d/%b/%Y:%H:%M:%S %z"));
}

/// `[14/Jul/2018:10:04:21 +0200] Upstream started PID: 12345`. No process can write such a line: its own
/// have its number before the text.
fn put_note(out: &mut Vec<u8>, now: &Zoned, note: &Note, command: &CommandLine) {
    put_date(out, now);
    put_printable(out, Said(note, command).to_string().as_bytes());
    out.push(b'\n');
}

/// A command is shown as it was written, quotes too: what could break the line is escaped.
fn put_printable(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b' '..=b'~' => out.push(byte),
            _ => put_escaped(&[byte], out),
        }
    }
}

/// `[14/Jul/2018:10:04:21 +0200] [PID] TEXT`
fn put_text(out: &mut Vec<u8>, now: &Zoned, pid: i32, stream: Stream, text: &[u8]) {
    put_date(out, now);
    let _ = write!(out, "[{pid}] ");
    if stream == Stream::Err && !mutant::is(Mutant::UpstreamStderrUnmarked) {
        out.extend_from_slice(b"STDERR: ");
    }
    match mutant::is(Mutant::UpstreamLogRaw) {
        true => out.extend_from_slice(text),
        false => put_escaped(text, out),
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::note::{End, Why};

    const NOW: &str = "2018-07-14T10:04:21+02:00[Europe/Paris]";

    fn noted(note: &Note) -> String {
        let mut out = Vec::new();
        let command = "/command/to/your/upstream".parse().unwrap();
        put_note(&mut out, &NOW.parse().unwrap(), note, &command);
        String::from_utf8(out).unwrap()
    }

    fn written(stream: Stream, text: &[u8]) -> String {
        let mut out = Vec::new();
        put_text(&mut out, &NOW.parse().unwrap(), 12345, stream, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_lines_are_the_documented_ones() {
        insta::assert_snapshot!(
            [
                noted(&Note::Starting),
                noted(&Note::Started { pid: 12345 }),
                written(Stream::Out, b"hello"),
                written(Stream::Err, b"a warning"),
                noted(&Note::StartFailed(End { code: Some(1), reason: None })),
                noted(&Note::StartFailed(End::because("nothing listens"))),
                noted(&Note::Crashed { pid: 12345, end: End { code: Some(1), reason: None } }),
                noted(&Note::Stopping { pid: 12345, why: Why::Idle(Duration::from_millis(1500)) }),
                noted(&Note::Stopping { pid: 12345, why: Why::Closing }),
                noted(&Note::Killed { pid: 12345, after: Duration::from_secs(5) }),
                noted(&Note::Stopped { pid: 12345 }),
            ]
            .concat(),
            @r"
            [14/Jul/2018:10:04:21 +0200] Upstream starting: /command/to/your/upstream ...
            [14/Jul/2018:10:04:21 +0200] Upstream started PID: 12345
            [14/Jul/2018:10:04:21 +0200] [12345] hello
            [14/Jul/2018:10:04:21 +0200] [12345] STDERR: a warning
            [14/Jul/2018:10:04:21 +0200] Upstream starting failed: /command/to/your/upstream (return code: 1 | reason: -)
            [14/Jul/2018:10:04:21 +0200] Upstream starting failed: /command/to/your/upstream (return code: - | reason: nothing listens)
            [14/Jul/2018:10:04:21 +0200] Upstream crashed PID: 12345 (return code: 1 | reason: -)
            [14/Jul/2018:10:04:21 +0200] Upstream stopping PID: 12345 (idle for 1.5 s)
            [14/Jul/2018:10:04:21 +0200] Upstream stopping PID: 12345
            [14/Jul/2018:10:04:21 +0200] Upstream killed PID: 12345 (no end 5 s after SIGTERM)
            [14/Jul/2018:10:04:21 +0200] Upstream stopped PID: 12345
            "
        );
    }

    #[test]
    fn no_output_breaks_its_line_or_looks_like_another() {
        assert_eq!(
            written(Stream::Out, b"a\x1b[2J\0\r\"\\\xc3\xa9"),
            "[14/Jul/2018:10:04:21 +0200] [12345] a\\x1B[2J\\x00\\x0D\\x22\\x5C\\xC3\\xA9\n"
        );
        let command = "sh -c 'echo \"a\n'".parse().unwrap();
        let mut out = Vec::new();
        put_note(&mut out, &NOW.parse().unwrap(), &Note::Starting, &command);
        assert!(out.ends_with(b"] Upstream starting: sh -c 'echo \"a\\x0A' ...\n"));
    }
}
