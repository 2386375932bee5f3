//! `edgeproof logs`: a thin call of the reference's access logs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::Path;

use edgeproof_accesslog::{Dialect, Format, Parsed, put_escaped};
use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source};
use edgeproof_report::ExitCode;
use jiff::Timestamp;
use jiff::fmt::strtime;

use crate::args::LogsParse;
use crate::failure::Failure;

/// The common log format's date, and what formats of one's own most often have.
const DATES: [&str; 3] =
    ["%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z"];

pub(crate) fn parse(arguments: &LogsParse) -> Result<ExitCode, Failure> {
    let format = format(&arguments.format, &arguments.dialect, "--format")?;
    let name = arguments.file.display().to_string();
    let unread = match arguments.file == Path::new("-") {
        true => lines(io::stdin().lock(), &format, arguments.strict, "standard input")?,
        false => {
            let failed = |error: io::Error| Failure::read(&arguments.file, &error);
            let file = File::open(&arguments.file).map_err(failed)?;
            lines(BufReader::with_capacity(1 << 18, file), &format, arguments.strict, &name)?
        }
    };
    Ok(if unread == 0 { ExitCode::Good } else { ExitCode::Failed })
}

/// The format that an option asks for, or its mistake with a caret.
pub(crate) fn format(text: &str, dialect: &str, option: &str) -> Result<Format, Failure> {
    let dialect: Dialect = dialect.parse().map_err(Failure::Usage)?;
    Format::named_or_compiled(text, dialect).map_err(|error| {
        let source = Source::new(option, text);
        let mistakes = Diagnostics::new();
        let mistake = Diagnostic::error(error.mistake().to_string());
        mistakes.push(mistake.at(&source.span(error.span())));
        Failure::mistakes(&mistakes)
    })
}

/// Takes each line of a file, its end with it.
pub(crate) fn each_line(log: &Path, mut take: impl FnMut(&[u8])) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::read(log, &error);
    let mut file = BufReader::with_capacity(1 << 18, File::open(log).map_err(failed)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        take(&line);
        line.clear();
    }
    Ok(())
}

/// A variable of a line, where it is text.
pub(crate) fn text<'a>(parsed: &'a Parsed<'_>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(parsed.get(name)??).ok()
}

/// When the request was made: its own time, or that of its answer.
pub(crate) fn moment(parsed: &Parsed<'_>) -> Option<Timestamp> {
    let date = text(parsed, "request_time").or_else(|| text(parsed, "completion_date"))?;
    DATES.iter().find_map(|format| strtime::parse(format, date).ok()?.to_timestamp().ok())
}

/// Prints each line's object; gives the number of lines that did not fit.
fn lines(mut log: impl BufRead, format: &Format, strict: bool, name: &str) -> Result<u64, Failure> {
    let mut out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let (mut line, mut object) = (Vec::new(), Vec::new());
    let (mut number, mut unread) = (0u64, 0u64);
    loop {
        line.clear();
        let read = log.read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::Usage(format!("cannot read {name}: {error}")))? == 0 {
            break;
        }
        number += 1;
        let parsed = if strict { format.parse(&line) } else { format.parse_foreign(&line) };
        let written = match parsed {
            Ok(parsed) => {
                object.clear();
                parsed.put_json(&mut object);
                object.push(b'\n');
                out.write_all(&object)
            }
            Err(error) => {
                unread += 1;
                eprintln!("{name}:{number}: {error}: {}", shown(&line));
                Ok(())
            }
        };
        if let Some(end) = ended(written)? {
            return Ok(end);
        }
    }
    if let Some(end) = ended(out.flush())? {
        return Ok(end);
    }
    if unread > 0 {
        eprintln!("{unread} of {number} lines do not fit the format");
    }
    Ok(unread)
}

/// Whoever reads may have had enough: that is no failure.
fn ended(written: io::Result<()>) -> Result<Option<u64>, Failure> {
    match written {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Some(0)),
        Err(error) => Err(Failure::write("standard output", &error)),
    }
}

/// A line for a terminal, which must not obey it.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut text = vec![b'"'];
    put_escaped(line, &mut text);
    text.push(b'"');
    String::from_utf8_lossy(&text).into_owned()
}
