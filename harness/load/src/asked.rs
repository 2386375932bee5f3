//! What was asked for, and how: two results are of the same load where it is the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::endpoint::Address;
use crate::plan::{LoadPlan, Pace, Protocol, Request};
use crate::schedule::Arrivals;

/// So many requests of a mix are told one by one: a log may have any number.
const MOST_TOLD: usize = 100;

/// What went to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The socket: `127.0.0.1:8080`, or a unix socket's path.
    pub address: String,
    /// The Host of the first request.
    pub host: Option<String>,
    /// Was there TLS?
    pub tls: bool,
    /// `HTTP/1.1`, `HTTP/1.0` or `HTTP/2`.
    pub protocol: String,
    /// One connection for many requests?
    pub keep_alive: bool,
    /// `closed`, with its think time where it has one, or how the moments of an open loop are spread: `even`, `poisson`, `replay`.
    pub pace: String,
    /// Method and target of each request of the mix, after its weight where that is not 1; of a large mix the first.
    pub requests: Vec<String>,
    /// How many there are in all.
    pub kinds: usize,
}

impl Asked {
    pub(crate) fn of(plan: &LoadPlan) -> Self {
        let first = plan.mix.first().map(|request| head(&request.bytes)).unwrap_or_default();
        let version = first.lines().next().and_then(|line| line.rsplit(' ').next());
        Self {
            address: match &plan.endpoint.address {
                Address::Tcp(address) => address.to_string(),
                Address::Unix(path) => path.display().to_string(),
            },
            host: first.lines().find_map(host).map(str::to_owned),
            tls: plan.endpoint.tls.is_some(),
            protocol: match plan.protocol {
                Protocol::Http1 => version.unwrap_or_default().to_owned(),
                Protocol::Http2 { .. } => "HTTP/2".to_owned(),
            },
            keep_alive: plan.keep_alive,
            pace: match &plan.pace {
                Pace::Closed { think: Duration::ZERO, .. } => "closed".to_owned(),
                Pace::Closed { think, .. } => format!("closed, think time {think:?}"),
                Pace::Open { arrivals: Arrivals::Even, .. } => "even".to_owned(),
                Pace::Open { arrivals: Arrivals::Poisson, .. } => "poisson".to_owned(),
                Pace::Replay { .. } => "replay".to_owned(),
            },
            requests: plan.mix.iter().take(MOST_TOLD).map(told).collect(),
            kinds: plan.mix.len(),
        }
    }

    /// The first thing that makes it another load than `other`, in words for each. The server may be another: that is
    /// what two results are compared for.
    pub(crate) fn differs(&self, other: &Self) -> Option<[String; 2]> {
        self.differs_after(0, other)
    }

    /// The same but for when requests come, which is for a law to say.
    pub fn is_for_others(&self, other: &Self) -> Option<[String; 2]> {
        self.differs_after(1, other)
    }

    /// The same but for the first so many of its words.
    fn differs_after(&self, skipped: usize, other: &Self) -> Option<[String; 2]> {
        // Their numbers are told before the requests themselves, so that what follows is of one length.
        let mut pairs = self.words().into_iter().zip(other.words()).skip(skipped);
        pairs.find(|(a, b)| a != b).map(<[String; 2]>::from)
    }

    fn words(&self) -> Vec<String> {
        let connections = match self.keep_alive {
            true => "with connections that are kept",
            false => "with a connection for each request",
        };
        let moments = match self.pace.strip_prefix("closed") {
            Some(think) => format!("a closed loop{think}"),
            None => format!("an open loop ({})", self.pace),
        };
        let tls = if self.tls { "with TLS" } else { "without TLS" };
        let mut words =
            vec![moments, format!("by {}", self.protocol), tls.to_owned(), connections.to_owned()];
        words.push(format!("of {} different requests", self.kinds));
        words.extend(self.requests.iter().map(|request| format!("of `{request}`")));
        words
    }
}

fn head(bytes: &[u8]) -> String {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn host(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("host").then(|| value.trim())
}

/// `GET /a`, or `3 GET /a`.
fn told(request: &Request) -> String {
    let line = request.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let asked = line.rsplit_once(' ').map_or(&*line, |(asked, _)| asked);
    match request.weight {
        1 => asked.to_owned(),
        weight => format!("{weight} {asked}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(target: &str, weight: u32) -> LoadPlan {
        let bytes = format!("GET {target} HTTP/1.1\r\nhost: a.test\r\n\r\nhost: b");
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 80));
        let mut plan = LoadPlan::closed(address, bytes.into(), 1, 1, Duration::from_secs(1));
        plan.mix[0].weight = weight;
        plan
    }

    #[test]
    fn a_plan_says_what_it_asks_for_and_how() {
        let asked = Asked::of(&plan("/a?b", 3));
        assert_eq!((asked.host.as_deref(), &*asked.protocol), (Some("a.test"), "HTTP/1.1"));
        assert_eq!(
            (&*asked.requests, &*asked.address),
            (&["3 GET /a?b".to_owned()][..], "127.0.0.1:80")
        );
    }

    #[test]
    fn what_makes_it_another_load_is_named() {
        let asked = Asked::of(&plan("/", 1));
        let other = Asked::of(&LoadPlan { keep_alive: false, ..plan("/", 1) });
        let [a, b] = asked.differs(&other).unwrap();
        assert_eq!(
            (&*a, &*b),
            ("with connections that are kept", "with a connection for each request")
        );
        let [a, b] = asked.differs(&Asked::of(&plan("/a", 1))).unwrap();
        assert_eq!((&*a, &*b), ("of `GET /`", "of `GET /a`"));
        let elsewhere = Asked { address: "127.0.0.1:81".to_owned(), host: None, ..asked.clone() };
        assert_eq!(asked.differs(&elsewhere), None);
    }
}
