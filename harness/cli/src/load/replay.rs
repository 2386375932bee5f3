//! `edgeproof load --replay`: what an access log asked for, and when.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use edgeproof_accesslog::Parsed;
use edgeproof_load::Replay;
use jiff::Timestamp;
use jiff::fmt::strtime;

use crate::args::Load;
use crate::failure::Failure;
use crate::logs;

/// The common log format's date, and what formats of one's own most often have.
const DATES: [&str; 3] =
    ["%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z"];
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
    let failed = |error: std::io::Error| Failure::read(log, &error);
    let mut file = BufReader::with_capacity(1 << 18, File::open(log).map_err(failed)?);
    let (mut line, mut found) = (Vec::new(), Found::default());
    while file.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        match format.parse_foreign(&line) {
            Ok(parsed) => found.take(&parsed),
            Err(_) => found.unread += 1,
        }
        line.clear();
    }
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
    unread: u64,
    /// Lines without a time or a request.
    untold: u64,
    /// Requests with a content, which no log has, and whatever else GET and HEAD are not.
    others: u64,
}

impl Found {
    fn take(&mut self, parsed: &Parsed<'_>) {
        let Some((at, request)) = moment(parsed).zip(request(parsed)) else {
            self.untold += 1;
            return;
        };
        if !["GET", "HEAD"].contains(&request.0.as_str()) {
            self.others += 1;
            return;
        }
        let place = *self.places.entry(request).or_insert_with_key(|request| {
            self.asked.push(request.clone());
            self.asked.len() - 1
        });
        self.told.push((at, place));
    }

    fn tell(&self, log: &Path) {
        for (lines, why) in [
            (self.unread, "do not fit the format"),
            (self.untold, "have no time or no request"),
            (self.others, "have another method than GET and HEAD"),
        ] {
            if lines > 0 {
                eprintln!("{}: {lines} lines {why}: they are not replayed", log.display());
            }
        }
    }
}

fn text<'a>(parsed: &'a Parsed<'_>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(parsed.get(name)??).ok()
}

/// When the request was made, in microseconds: its own time, or that of its answer.
fn moment(parsed: &Parsed<'_>) -> Option<i64> {
    let date = text(parsed, "request_time").or_else(|| text(parsed, "completion_date"))?;
    let read = |format: &&str| strtime::parse(format, date).ok()?.to_timestamp().ok();
    DATES.iter().find_map(read).map(Timestamp::as_microsecond)
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
    use edgeproof_accesslog::{Dialect, Format};

    fn found(format: &str, lines: &[&str]) -> Found {
        let format = Format::named_or_compiled(format, Dialect::Current).unwrap();
        let mut found = Found::default();
        for line in lines {
            match format.parse_foreign(line.as_bytes()) {
                Ok(parsed) => found.take(&parsed),
                Err(_) => found.unread += 1,
            }
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
        assert_eq!((found.others, found.untold, found.unread), (1, 1, 1));
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
