//! `edgeproof load --replay`: what an access log asked for, and when.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use edgeproof_accesslog::{Format, Parsed};
use edgeproof_diagnostics::one_line;
use edgeproof_load::Replay;

use crate::args::Load;
use crate::failure::Failure;
use crate::logs::{self, text};

/// So many numbers of lines that are not replayed are told.
const FIRST: usize = 5;
/// Moments of a log that knows whole seconds only are spread over the second.
const SECOND: Duration = Duration::from_secs(1);

/// A log that can be played.
pub(super) struct Logged {
    pub(super) replay: Replay,
    /// Method and request-target of each request of the replay, once each.
    pub(super) asked: Vec<(String, String)>,
}

/// Reads it, and tells on standard error what of it cannot be played.
pub(super) fn read(log: &Path, arguments: &Load) -> Result<Logged, Failure> {
    let format = logs::format(&arguments.replay_format, "current", "--replay-format")?;
    let mut found = Found::default();
    logs::each_line(log, |line| found.line(&format, line))?;
    found.tell(log);
    let whole_seconds = found.told.iter().all(|(at, _)| at % 1_000_000 == 0);
    let grain = if whole_seconds { SECOND } else { Duration::ZERO };
    let replay = Replay::new(found.told, grain, arguments.speed);
    let replay = replay.ok_or_else(|| {
        Failure::Usage(format!("{} has no request that can be replayed", log.display()))
    })?;
    Ok(Logged { replay, asked: found.asked })
}

/// What was read so far.
#[derive(Default)]
struct Found {
    told: Vec<(i64, usize)>,
    asked: Vec<(String, String)>,
    places: HashMap<(String, String), usize>,
    /// All lines.
    lines: u64,
    unread: Skipped,
    /// Lines without a time or a request.
    untold: Skipped,
    /// Requests with a content, which no log has, and whatever else GET and HEAD are not.
    others: Skipped,
}

/// Lines that are not replayed for the same reason.
#[derive(Default)]
struct Skipped {
    lines: u64,
    /// The numbers of the first of them, from 1.
    first: Vec<u64>,
}

impl Skipped {
    fn add(&mut self, number: u64) {
        self.lines += 1;
        if self.first.len() < FIRST {
            self.first.push(number);
        }
    }

    /// `3 lines (2, 5, 8)`.
    fn words(&self) -> String {
        let numbers = self.first.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let more = if self.lines > self.first.len() as u64 { ", …" } else { "" };
        format!("{} lines ({numbers}{more})", self.lines)
    }
}

impl Found {
    fn line(&mut self, format: &Format, line: &[u8]) {
        self.lines += 1;
        match format.parse_foreign(line) {
            Ok(parsed) => self.take(&parsed),
            Err(_) => self.unread.add(self.lines),
        }
    }

    fn take(&mut self, parsed: &Parsed<'_>) {
        let Some((at, request)) = logs::moment(parsed).zip(request(parsed)) else {
            self.untold.add(self.lines);
            return;
        };
        if !["GET", "HEAD"].contains(&request.0.as_str()) {
            self.others.add(self.lines);
            return;
        }
        let place = *self.places.entry(request).or_insert_with_key(|request| {
            self.asked.push(request.clone());
            self.asked.len() - 1
        });
        self.told.push((at.as_microsecond(), place));
    }

    fn tell(&self, log: &Path) {
        for (skipped, why) in [
            (&self.unread, "do not fit the format"),
            (&self.untold, "have no time or no request"),
            (&self.others, "have another method than GET and HEAD"),
        ] {
            if skipped.lines > 0 {
                let (log, lines) = (one_line(&log.display().to_string()), skipped.words());
                eprintln!("{log}: {lines} {why}: they are not replayed");
            }
        }
    }
}

/// Method and request-target; a target that is a whole URL loses its server.
fn request(parsed: &Parsed<'_>) -> Option<(String, String)> {
    let (method, target) = match text(parsed, "request") {
        Some(line) => {
            let mut words = line.split(' ');
            (words.next()?, words.next()?)
        }
        None => (text(parsed, "request_method")?, text(parsed, "request_path")?),
    };
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    };
    let visible = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
    visible.then(|| (method.to_owned(), target.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeproof_accesslog::Dialect;

    fn found(format: &str, lines: &[&str]) -> Found {
        let format = Format::named_or_compiled(format, Dialect::Current).unwrap();
        let mut found = Found::default();
        for line in lines {
            found.line(&format, line.as_bytes());
        }
        found
    }

    #[test]
    fn lines_are_requests_with_moments() {
        let at = "1.2.3.4 - - [22/Nov/2026:10:00";
        let found = found(
            "combined",
            &[
                &format!("{at}:01 +0000] \"GET /a?b HTTP/1.1\" 200 5 \"-\" \"x\""),
                &format!("{at}:00 +0000] \"HEAD http://a.test/c HTTP/1.1\" 200 5 \"-\" \"x\""),
                &format!("{at}:02 +0000] \"GET /a?b HTTP/1.1\" 200 5 \"-\" \"x\""),
                &format!("{at}:02 +0000] \"POST /a HTTP/1.1\" 200 5 \"-\" \"x\""),
                &format!("{at}:02 +0000] \"-\" 400 5 \"-\" \"x\""),
                "torn",
            ],
        );
        let pair = |method: &str, target: &str| (method.to_owned(), target.to_owned());
        assert_eq!(found.asked, [pair("GET", "/a?b"), pair("HEAD", "/c")]);
        let first = found.told[1].0;
        let told: Vec<_> = found.told.iter().map(|(at, which)| (at - first, *which)).collect();
        assert_eq!(told, [(1_000_000, 0), (0, 1), (2_000_000, 0)]);
        let skipped = [&found.others, &found.untold, &found.unread].map(Skipped::words);
        assert_eq!(skipped, ["1 lines (4)", "1 lines (5)", "1 lines (6)"]);
    }

    #[test]
    fn a_format_of_ones_own_may_know_parts_of_a_second() {
        let format = "{request_time:%Y-%m-%dT%H:%M:%S%.3f%:z} {request_method} {request_path}";
        let lines =
            ["2026-11-22T10:00:00.250+01:00 GET /a", "2026-11-22T10:00:00.750+01:00 GET /b"];
        let found = found(format, &lines);
        assert_eq!(found.told[1].0 - found.told[0].0, 500_000);
    }
}
