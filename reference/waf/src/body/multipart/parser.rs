//! Goes through a multipart body line by line, each line once.

use memchr::{memchr, memmem};

use super::super::cookies::is_space;
use super::super::steps::took;
use super::part::PartHeader;
use super::{BodyError, Flags, HEADER_LINE_LIMIT, Limits, Multipart, Part, escaped};

pub(super) fn parse(body: &[u8], boundary: &[u8], flags: Flags, limits: Limits) -> Multipart {
    let delimiter = [b"--", boundary].concat();
    let mut parser = Parser {
        body,
        finder: memmem::Finder::new(&delimiter),
        limits,
        result: Multipart { flags, ..Multipart::default() },
        at: 0,
        after_bare_lf: false,
        boundaries: 0,
        complete: false,
        kept_files: 0,
        content_seen: false,
        building: None,
    };
    if let Err(error) = parser.read() {
        parser.result.error = Some(error.into());
    }
    parser.finish_part();
    parser.result.unread = parser.at;
    parser.result
}

struct Parser<'a> {
    body: &'a [u8],
    /// Finds the boundary with its two hyphens.
    finder: memmem::Finder<'a>,
    limits: Limits,
    result: Multipart,
    /// Where the next line begins.
    at: usize,
    /// Whether the line before ended with LF only.
    after_bare_lf: bool,
    /// The boundaries so far.
    boundaries: usize,
    /// Whether the last boundary was read.
    complete: bool,
    kept_files: usize,
    /// Whether the current part has content already, be it an empty line.
    content_seen: bool,
    building: Option<Building>,
}

/// A part whose end was not read yet.
#[derive(Default)]
struct Building {
    header: PartHeader,
    /// None while header lines are read.
    content: Option<Content>,
}

struct Content {
    start: usize,
    end: usize,
    /// The bytes at the end that belong to the boundary, should one follow: CR LF or LF.
    line_end: usize,
}

impl Parser<'_> {
    fn read(&mut self) -> Result<(), BodyError> {
        let body = self.body;
        while let Some(newline) = memchr(b'\n', &body[self.at..]) {
            let line = &body[self.at..=self.at + newline];
            self.read_line(line).inspect_err(|_| self.result.flags.error = true)?;
            self.at += line.len();
            self.after_bare_lf = !line.ends_with(b"\r\n");
            if self.complete {
                self.result.flags.data_after = self.at < body.len();
                return Ok(());
            }
        }
        self.read_end()
    }

    /// What is left behind the last line end.
    fn read_end(&mut self) -> Result<(), BodyError> {
        let body = self.body;
        let rest = &body[self.at..];
        if rest.len() >= HEADER_LINE_LIMIT {
            self.read_line(rest).inspect_err(|_| self.result.flags.error = true)?;
        } else if self.boundaries > 0 && self.is_final_boundary(rest) {
            self.result.flags.lf_line |= self.after_bare_lf;
            self.result.flags.invalid_part |= !self.content_seen;
            self.finish_part();
            self.complete = true;
        } else if let Some(content) = self.content().filter(|_| !rest.is_empty()) {
            content.take(rest);
        }
        self.at = self.body.len();
        if self.complete || self.body.is_empty() {
            Ok(())
        } else if self.boundaries > 0 {
            Err(BodyError::NoFinalBoundary)
        } else {
            Err(BodyError::NoBoundaries)
        }
    }

    fn is_final_boundary(&self, text: &[u8]) -> bool {
        text.strip_prefix(self.finder.needle()) == Some(b"--")
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), BodyError> {
        took(line.len());
        // ModSecurity measures it as a C string: a NUL ends it.
        let length = memchr(b'\0', line).unwrap_or(line.len());
        if length > 3 && line.starts_with(b"--") {
            if let Some(behind) = line.strip_prefix(self.finder.needle()) {
                self.result.flags.lf_line |= self.after_bare_lf;
                if self.content_seen || self.boundaries == 0 {
                    return self.read_boundary(behind, line);
                }
                // A boundary where a part's header or its first line should be.
                self.result.flags.invalid_part = true;
            } else {
                self.judge_unmatched(line)?;
            }
        } else if self.finder.find(&line[..line.len().min(HEADER_LINE_LIMIT)]).is_some() {
            // ModSecurity reads lines in pieces of that size and searches the first one.
            self.result.flags.unmatched_boundary = true;
        }
        self.read_part_line(line)
    }

    /// Takes a boundary, of which `behind` is what follows its text.
    fn read_boundary(&mut self, behind: &[u8], line: &[u8]) -> Result<(), BodyError> {
        let (is_final, end) = match behind.strip_prefix(b"--") {
            Some(end) => (true, end),
            None => (false, behind),
        };
        match end {
            b"\r\n" => self.result.flags.crlf_line = true,
            b"\n" => self.result.flags.lf_line = true,
            _ => {
                let shown = &line[..line.len().min(HEADER_LINE_LIMIT)];
                let end = memchr(b'\0', shown).unwrap_or(shown.len());
                return Err(BodyError::Boundary(escaped(&shown[..end])));
            }
        }
        self.finish_part();
        self.boundaries += 1;
        self.complete = is_final;
        if !is_final {
            self.building = Some(Building::default());
            self.content_seen = false;
        }
        Ok(())
    }

    /// A line that begins with two hyphens but not with the boundary.
    fn judge_unmatched(&mut self, line: &[u8]) -> Result<(), BodyError> {
        let boundary = &self.finder.needle()[2..];
        let text = &line[2..];
        let quoted = text.strip_prefix(b"\"").is_some_and(|text| text.starts_with(boundary));
        if quoted && self.result.flags.boundary_quoted {
            return Err(BodyError::BoundaryQuotes);
        }
        let space = text.iter().take_while(|&&byte| is_space(byte)).count();
        if space > 0 && text[space..].starts_with(boundary) {
            return Err(BodyError::BoundaryWhitespace);
        }
        self.result.flags.unmatched_boundary = true;
        Ok(())
    }

    /// A line that is no boundary.
    fn read_part_line(&mut self, line: &[u8]) -> Result<(), BodyError> {
        let Some(building) = &mut self.building else {
            self.result.flags.data_before = true;
            return Ok(());
        };
        if let Some(content) = &mut building.content {
            content.take(line);
            self.note_content();
            return Ok(());
        }
        let read = building.header.read_line(line, &mut self.result.flags);
        self.result.no_files_length += line.len();
        let said = &mut building.header.disposition;
        self.result.last_name = said.last_name.take().or(self.result.last_name.take());
        self.result.last_filename = said.last_filename.take().or(self.result.last_filename.take());
        if read? {
            let start = self.at + line.len();
            building.content = Some(Content { start, end: start, line_end: 0 });
        }
        Ok(())
    }

    /// Notes the current part's first content.
    fn note_content(&mut self) {
        let first = !std::mem::replace(&mut self.content_seen, true);
        let header = self.building.as_ref().map(|building| &building.header);
        let is_file = header.is_some_and(|header| header.disposition.filename.is_some());
        let Some(limit) = self.limits.kept_files.filter(|_| first && is_file) else { return };
        if self.kept_files < limit {
            self.kept_files += 1;
        } else {
            self.result.flags.file_limit_exceeded = true;
        }
    }

    fn content(&mut self) -> Option<&mut Content> {
        self.building.as_mut()?.content.as_mut()
    }

    /// Puts the part that was being read, if any, among the parts.
    fn finish_part(&mut self) {
        let Some(Building { mut header, content }) = self.building.take() else { return };
        if content.is_none() {
            header.give_up();
        }
        let Some(name) = header.disposition.name else { return };
        let content = content
            .map_or(self.at..self.at, |content| content.start..content.end - content.line_end);
        let filename = header.disposition.filename;
        if filename.is_none() {
            self.result.no_files_length += content.len();
        }
        self.result.parts.push(Part { name, filename, header_lines: header.lines, content });
    }
}

impl Content {
    fn take(&mut self, line: &[u8]) {
        self.end += line.len();
        self.line_end = match line {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
    }
}
