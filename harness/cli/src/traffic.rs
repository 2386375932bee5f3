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
    /// The share of the busiest hour's requests that a cache answered; none where no line of the log tells. A line that
    /// does not tell is no hit beside others that do.
    pub(crate) hits: Option<f64>,
    /// The same of the whole log.
    pub(crate) hits_of_all: Option<f64>,
    /// Requests of the whole log whose lines tell whether they were hits.
    pub(crate) hits_told: u64,
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
    /// Those of each second since 1970.
    seconds: BTreeMap<i64, Second>,
    unread: u64,
    /// Octets of bodies, and of how many answers.
    bytes: u64,
    sized: u64,
    /// Requests whose lines tell whether they were hits.
    told: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    requests: u64,
    hits: u64,
}

impl Second {
    /// All of these seconds.
    fn sum(seconds: &[(i64, Second)]) -> Second {
        let add = |sum: Second, (_, second): &(i64, Second)| Second {
            requests: sum.requests + second.requests,
            hits: sum.hits + second.hits,
        };
        seconds.iter().fold(Second::default(), add)
    }

    fn share(self) -> f64 {
        self.hits as f64 / self.requests as f64
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
        let hit = hit(&parsed);
        let second = self.seconds.entry(at.as_second()).or_default();
        second.requests += 1;
        second.hits += u64::from(hit == Some(true));
        self.told += u64::from(hit.is_some());
        if let Some(size) = logs::text(&parsed, "response_size").and_then(|size| size.parse().ok())
        {
            self.bytes = self.bytes.saturating_add(size);
            self.sized += 1;
        }
    }

    fn traffic(&self) -> Option<Traffic> {
        let seconds: Vec<(i64, Second)> = self.seconds.iter().map(|(at, n)| (*at, *n)).collect();
        let ((first, _), (last, _)) = (*seconds.first()?, *seconds.last()?);
        let lasts = (last - first + 1).min(HOUR);
        let hour = busiest(&seconds, HOUR)?;
        let (all, of_hour) = (Second::sum(&seconds), Second::sum(hour));
        let most = |length: i64| Some(Second::sum(busiest(hour, length)?).requests as f64);
        let minute = most(MINUTE)? / lasts.min(MINUTE) as f64;
        let second = most(1)?;
        let rate = of_hour.requests as f64 / lasts as f64;
        let tells = self.told > 0;
        let mut hours = BTreeMap::<i64, u64>::new();
        for (at, n) in &seconds {
            *hours.entry(at.div_euclid(HOUR) * HOUR).or_default() += n.requests;
        }
        let moment = |second: i64| Timestamp::from_second(second).ok();
        let hours = hours.into_iter();
        Some(Traffic {
            requests: all.requests,
            unread: self.unread,
            hours: hours
                .filter_map(|(at, requests)| Some(Hour { begins: moment(at)?, requests }))
                .collect(),
            busiest: Busiest {
                begins: moment(hour.first()?.0)?,
                seconds: lasts,
                requests: of_hour.requests,
                rate,
                minute_rate: minute,
                second_rate: second,
                burst: second / rate,
            },
            mean_bytes: (self.sized > 0).then(|| self.bytes as f64 / self.sized as f64),
            hits: tells.then(|| of_hour.share()),
            hits_of_all: tells.then(|| all.share()),
            hits_told: self.told,
        })
    }
}

/// The window of so many seconds that has the most requests, the first of several.
fn busiest(seconds: &[(i64, Second)], length: i64) -> Option<&[(i64, Second)]> {
    let (mut from, mut sum) = (0, 0);
    let mut best: Option<(u64, &[(i64, Second)])> = None;
    for (to, (at, second)) in seconds.iter().enumerate() {
        sum += second.requests;
        while seconds[from].0 <= at - length {
            sum -= seconds[from].1.requests;
            from += 1;
        }
        if best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, &seconds[from..=to]));
        }
    }
    best.map(|(_, window)| window)
}

/// Whether a cache gave the answer, by `Cache-Status` (RFC 9211) or `X-Cache`; none where neither tells. The last member of
/// either is that of the cache nearest to the client, which is the one that is asked.
fn hit(parsed: &Parsed<'_>) -> Option<bool> {
    let field = |name: &str| {
        let is = |found: &str| {
            let field = found.strip_prefix("response_header:");
            field.is_some_and(|field| field.eq_ignore_ascii_case(name))
        };
        let (_, value) = parsed.iter().find(|(found, _)| is(found))?;
        let members = apart(std::str::from_utf8(value?).ok()?, ',');
        members.into_iter().map(str::trim).rfind(|member| !member.is_empty() && *member != "-")
    };
    let by_status = field("Cache-Status").map(status_is_hit);
    by_status.or_else(|| field("X-Cache").map(word_is_hit))
}

/// Parts of a field's value, not divided within quotes (RFC 8941 §3.3.3).
fn apart(value: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |char| {
        quoted ^= char == '"' && !escaped;
        escaped = quoted && char == '\\' && !escaped;
        char == separator && !quoted
    });
    parts.collect()
}

/// The parameter `hit` of a member, the last of several; without a value it is true (RFC 8941 §3.1.2).
fn status_is_hit(member: &str) -> bool {
    let told = |parameter: &str| match parameter.trim() {
        "hit" | "hit=?1" => Some(true),
        other => other.starts_with("hit=").then_some(false),
    };
    apart(member, ';').into_iter().skip(1).filter_map(told).next_back().unwrap_or(false)
}

/// `HIT`, `Hit from cloudfront` and `RefreshHit from cloudfront`, Squid's `TCP_MEM_HIT` and the like.
fn word_is_hit(member: &str) -> bool {
    let word = member.split_whitespace().next().unwrap_or_default();
    let mut parts = word.split(|char: char| !char.is_ascii_alphanumeric());
    parts.any(|part| ["hit", "refreshhit"].iter().any(|hit| part.eq_ignore_ascii_case(hit)))
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
        if let (Some(hits), Some(hits_of_all)) = (self.hits, self.hits_of_all) {
            let percent = |share: f64| format!("{:.1} %", share * 100.0);
            let (hour, all) = (percent(hits), percent(hits_of_all));
            let where_they_differ = match hour == all {
                true => String::new(),
                false => format!(" in the busiest hour, {all} in the whole log"),
            };
            let _ = writeln!(
                out,
                "Hits of the cache: {hour}{where_they_differ}. Of {} requests {} told; one that does not tell is no hit.",
                self.requests, self.hits_told
            );
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
    fn a_line_that_does_not_tell_is_no_hit_beside_others_that_do() {
        let found = traffic(&[(0, "edge; hit"), (1, "-"), (2, ""), (3, "edge; fwd=miss")]).unwrap();
        assert_eq!((found.hits, found.hits_of_all, found.hits_told), (Some(0.25), Some(0.25), 2));
        let told =
            "Hits of the cache: 25.0 %. Of 4 requests 2 told; one that does not tell is no hit.";
        assert!(found.text().contains(told), "{}", found.text());
        let found = traffic(&[(0, "-"), (1, "")]).unwrap();
        assert_eq!((found.hits, found.hits_of_all, found.hits_told), (None, None, 0));
        assert!(!found.text().contains("Hits"), "{}", found.text());
    }

    #[test]
    fn the_hits_are_those_of_the_busiest_hour() {
        let mut lines = vec![(0, "edge; hit"); 60];
        lines.extend([(7200, "edge; hit"), (7201, "edge; fwd=miss"), (7202, "-")].repeat(40));
        let found = traffic(&lines).unwrap();
        assert_eq!(found.busiest.requests, 120);
        assert_eq!((found.hits, found.hits_of_all), (Some(40.0 / 120.0), Some(100.0 / 180.0)));
        let told = "Hits of the cache: 33.3 % in the busiest hour, 55.6 % in the whole log. Of 180 requests 140 told";
        assert!(found.text().contains(told), "{}", found.text());
    }

    #[test]
    fn the_cache_nearest_to_the_client_says_whether_it_was_a_hit() {
        const BOTH: &str = "{response_header:Cache-Status}|{response_header:x-cache}";
        let format = Format::named_or_compiled(BOTH, Dialect::Current).unwrap();
        for (line, told) in [
            ("edge; hit; ttl=5|MISS", Some(true)),
            ("edge; hit=?1|-", Some(true)),
            ("edge; hit=?0|HIT", Some(false)),
            ("edge; hit; hit=?0|-", Some(false)),
            ("hit|-", Some(false)),
            ("origin; hit, edge; fwd=miss; stored|-", Some(false)),
            ("origin; fwd=miss, edge;hit|-", Some(true)),
            ("edge; fwd=miss; detail=\"no, it; hit\"|-", Some(false)),
            ("\"a \\x5C\", b\"; hit; detail=\",\"|-", Some(true)),
            ("-|HIT", Some(true)),
            ("|MISS, HIT", Some(true)),
            ("-|HIT, MISS", Some(false)),
            ("-|MISS, -", Some(false)),
            ("-|TCP_HIT from a1.example (x/9)", Some(true)),
            ("-|tcp_mem_hit", Some(true)),
            ("-|TCP_REFRESH_MISS", Some(false)),
            ("-|Hit from cloudfront", Some(true)),
            ("-|RefreshHit from cloudfront", Some(true)),
            ("-|Miss from cloudfront", Some(false)),
            ("-|MISS from hit.example", Some(false)),
            ("-|white", Some(false)),
            ("-|-", None),
            ("|", None),
        ] {
            let parsed = format.parse_foreign(line.as_bytes());
            assert_eq!(hit(&parsed.expect(line)), told, "{line}");
        }
    }
}
