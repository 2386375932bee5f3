//! `edgeproof plan --log`: what an access log says of the traffic that machines are planned for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use edgeproof_accesslog::{Format, Parsed};
use edgeproof_diagnostics::one_line;
use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::logs;

const HOUR: i64 = 3600;
const MINUTE: i64 = 60;
/// A log of more hours is told hour by hour in JSON only.
const MOST_HOURS: usize = 48;

/// What a log has asked for, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Traffic {
    /// All of them.
    pub(crate) requests: u64,
    /// Lines that do not fit the format, or have no time.
    pub(crate) unread: u64,
    /// Hours of the clock, UTC, that have any.
    pub(crate) hours: Vec<Hour>,
    pub(crate) busiest: Busiest,
    /// Octets of a body, on average; none where the log does not tell.
    pub(crate) mean_bytes: Option<f64>,
    /// The share of answers that a cache gave; none where the log does not tell.
    pub(crate) hits: Option<f64>,
}

/// An hour of the clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Hour {
    pub(crate) begins: Timestamp,
    pub(crate) requests: u64,
}

/// The hour with the most requests, wherever it begins; of a shorter log all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Busiest {
    pub(crate) begins: Timestamp,
    /// How long it is.
    pub(crate) seconds: i64,
    pub(crate) requests: u64,
    /// Requests a second on average.
    pub(crate) rate: f64,
    /// In its busiest minute.
    pub(crate) minute_rate: f64,
    /// In its busiest second.
    pub(crate) second_rate: f64,
    /// The busiest second's rate over the average.
    pub(crate) burst: f64,
}

/// Reads a log; standard error says how many lines told nothing.
pub(crate) fn read(log: &Path, format: &str) -> Result<Traffic, Failure> {
    let format = logs::format(format, "current", "--log-format")?;
    let mut counts = Counts::default();
    logs::each_line(log, |line| counts.line(&format, line))?;
    let name = one_line(&log.display().to_string());
    if counts.unread > 0 {
        eprintln!("{name}: {} lines do not fit the format or have no time", counts.unread);
    }
    counts.traffic().ok_or_else(|| Failure::Usage(format!("{name} has no request with a time")))
}

/// What was read so far.
#[derive(Default)]
struct Counts {
    /// Requests by second since 1970.
    seconds: BTreeMap<i64, u64>,
    unread: u64,
    /// Octets, and of how many answers.
    bytes: Share,
    /// Hits, and of how many answers.
    hits: Share,
}

/// A sum over those that tell.
#[derive(Default)]
struct Share {
    sum: u64,
    of: u64,
}

impl Share {
    fn add(&mut self, value: Option<u64>) {
        if let Some(value) = value {
            self.sum = self.sum.saturating_add(value);
            self.of += 1;
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.of > 0).then(|| self.sum as f64 / self.of as f64)
    }
}

impl Counts {
    fn line(&mut self, format: &Format, line: &[u8]) {
        let parsed = format.parse_foreign(line).ok();
        let Some((parsed, at)) = parsed.and_then(|parsed| {
            let at = logs::moment(&parsed)?;
            Some((parsed, at))
        }) else {
            self.unread += 1;
            return;
        };
        *self.seconds.entry(at.as_second()).or_default() += 1;
        self.bytes.add(logs::text(&parsed, "response_size").and_then(|size| size.parse().ok()));
        self.hits.add(hit(&parsed).map(u64::from));
    }

    fn traffic(&self) -> Option<Traffic> {
        let seconds: Vec<(i64, u64)> = self.seconds.iter().map(|(at, n)| (*at, *n)).collect();
        let ((first, _), (last, _)) = (*seconds.first()?, *seconds.last()?);
        let lasts = (last - first + 1).min(HOUR);
        let hour = busiest(&seconds, HOUR)?;
        let of = |window: &[(i64, u64)]| window.iter().map(|(_, n)| n).sum::<u64>();
        let minute = of(busiest(hour, MINUTE)?) as f64 / lasts.min(MINUTE) as f64;
        let second = of(busiest(hour, 1)?) as f64;
        let (requests, rate) = (of(hour), of(hour) as f64 / lasts as f64);
        let mut hours = BTreeMap::<i64, u64>::new();
        for (at, n) in &seconds {
            *hours.entry(at.div_euclid(HOUR) * HOUR).or_default() += n;
        }
        let moment = |second: i64| Timestamp::from_second(second).ok();
        let hours = hours.into_iter();
        Some(Traffic {
            requests: of(&seconds),
            unread: self.unread,
            hours: hours
                .filter_map(|(at, requests)| Some(Hour { begins: moment(at)?, requests }))
                .collect(),
            busiest: Busiest {
                begins: moment(hour.first()?.0)?,
                seconds: lasts,
                requests,
                rate,
                minute_rate: minute,
                second_rate: second,
                burst: second / rate,
            },
            mean_bytes: self.bytes.mean(),
            hits: self.hits.mean(),
        })
    }
}

/// The window of so many seconds that has the most requests, the first of several.
fn busiest(seconds: &[(i64, u64)], length: i64) -> Option<&[(i64, u64)]> {
    let (mut from, mut sum) = (0, 0);
    let mut best: Option<(u64, &[(i64, u64)])> = None;
    for (to, (at, requests)) in seconds.iter().enumerate() {
        sum += requests;
        while seconds[from].0 <= at - length {
            sum -= seconds[from].1;
            from += 1;
        }
        if best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, &seconds[from..=to]));
        }
    }
    best.map(|(_, window)| window)
}

/// Whether the server's own cache gave the answer, by `Cache-Status` (RFC 9211: the last member is that of the cache nearest
/// to the client) or `X-Cache`.
fn hit(parsed: &Parsed<'_>) -> Option<bool> {
    let field = |name: &str| {
        let is = |found: &str| {
            let field = found.strip_prefix("response_header:");
            field.is_some_and(|field| field.eq_ignore_ascii_case(name))
        };
        let (_, value) = parsed.iter().find(|(found, _)| is(found))?;
        std::str::from_utf8(value?).ok()
    };
    if let Some(status) = field("Cache-Status") {
        let nearest = status.rsplit(',').next().unwrap_or(status);
        return Some(nearest.split(';').skip(1).any(|word| word.trim() == "hit"));
    }
    let word = field("X-Cache")?;
    Some(word.trim().get(..3).is_some_and(|word| word.eq_ignore_ascii_case("hit")))
}

impl Traffic {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let Busiest { begins, rate, minute_rate, second_rate, burst, seconds, .. } = &self.busiest;
        let mut out = format!(
            "Log: {} requests. The busiest hour ({seconds} s from {begins}) has {rate:.2} requests a second, its busiest minute {minute_rate:.2}, its busiest second {second_rate:.0}: a burst factor of {burst:.1}.\n",
            self.requests
        );
        if let Some(size) = self.mean_bytes {
            let _ = writeln!(out, "A body has {size:.0} octets on average.");
        }
        if let Some(hits) = self.hits {
            let _ = writeln!(out, "Hits of the cache: {:.1} %.", hits * 100.0);
        }
        if self.hours.len() <= MOST_HOURS {
            let _ = writeln!(out, "\n{:<24}{:>12}{:>12}", "hour (UTC)", "requests", "a second");
            for Hour { begins, requests } in &self.hours {
                let rate = *requests as f64 / HOUR as f64;
                let _ = writeln!(out, "{:<24}{requests:>12}{rate:>12.2}", begins.to_string());
            }
        }
        out.push_str(
            "\nThe results have to be of such requests: `edgeproof load --replay` sends them.\n\n",
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeproof_accesslog::Dialect;

    const FORMAT: &str = "{completion_date:%Y-%m-%dT%H:%M:%S%:z} {response_size} \
        \"{response_header:cache-status}\"";

    /// Of lines at these seconds after ten o'clock, each with what the cache says.
    fn traffic(lines: &[(i64, &str)]) -> Option<Traffic> {
        let format = Format::named_or_compiled(FORMAT, Dialect::Current).unwrap();
        let ten: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut counts = Counts::default();
        for (second, status) in lines {
            let at = Timestamp::from_second(ten.as_second() + second).unwrap();
            let line = format!("{}+00:00 500 \"{status}\"\n", at.to_string().trim_end_matches('Z'));
            counts.line(&format, line.as_bytes());
        }
        counts.line(&format, b"torn");
        counts.traffic()
    }

    #[test]
    fn the_busiest_hour_is_found_wherever_it_begins() {
        // One each ten seconds for an hour, and from half past ten on five; in one second forty.
        let mut lines: Vec<(i64, &str)> = (0..360).map(|at| (at * 10, "-")).collect();
        lines.extend((180..540).flat_map(|at| [(at * 10, "-"); 5]));
        lines.extend([(4000, "-"); 40]);
        let found = traffic(&lines).unwrap();
        let busiest = &found.busiest;
        assert_eq!(busiest.begins.to_string(), "2026-11-22T10:30:00Z");
        assert_eq!((busiest.seconds, busiest.requests), (3600, 5 * 360 + 180 + 40));
        assert_eq!((busiest.second_rate, busiest.minute_rate), (45.0, 70.0 / 60.0));
        assert!((busiest.burst - 45.0 * 3600.0 / 2020.0).abs() < 1e-9);
        let hours: Vec<u64> = found.hours.iter().map(|hour| hour.requests).collect();
        assert_eq!((hours, found.unread, found.mean_bytes), (vec![1260, 940], 1, Some(500.0)));
        assert_eq!(found.hits, None);
    }

    #[test]
    fn a_short_log_is_its_own_hour_and_an_empty_one_is_none() {
        let busiest = traffic(&[(0, "-"), (9, "-")]).unwrap().busiest;
        assert_eq!((busiest.seconds, busiest.rate, busiest.burst), (10, 0.2, 5.0));
        assert_eq!(traffic(&[]), None);
    }

    #[test]
    fn the_cache_nearest_to_the_client_says_whether_it_was_a_hit() {
        let lines = [
            (0, "edge; hit; ttl=5"),
            (1, "origin; hit, edge; fwd=miss; stored"),
            (2, "origin; fwd=miss, edge;hit"),
            (3, "hit"),
            (4, "-"),
        ];
        assert_eq!(traffic(&lines).unwrap().hits, Some(0.5));
    }
}
