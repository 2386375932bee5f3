//! How often a comparison cries wolf: over rounds that were recorded of one server beside itself on a busy
//! machine (`tests/noise.json`, made by `edgeproof compare URL URL --pid-a PID --pid-b PID --format json`).

use edgeproof_load::{Change, Comparison, Metric, Random, Round, compare};
use serde::Deserialize;

/// Pairs in each comparison.
const ROUNDS: usize = 40;
const MARGIN: f64 = 0.05;
/// Of a server that fails at random, the share that does.
const FAILING: f64 = 0.01;
/// The time of its rounds in seconds: the shorter, the more chance there is in a share.
const SECONDS: f64 = 0.1;

/// What is read of a recorded comparison.
#[derive(Deserialize)]
struct Sides {
    a: Vec<Round>,
    b: Vec<Round>,
}

/// Draws whole pairs, so that what both sides shared stays shared, with either side in either place.
struct Recorded {
    pairs: Vec<[Round; 2]>,
    state: u64,
}

impl Recorded {
    fn read() -> Self {
        let text = include_str!("noise.json");
        let recorded: Sides = serde_json::from_str(text).unwrap();
        let pairs = recorded.a.into_iter().zip(recorded.b).map(|(a, b)| [a, b]).collect();
        Self { pairs, state: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Marsaglia's xorshift.
    fn chance(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize
    }

    /// The same server where each request fails by chance. None of those that were recorded did.
    fn failing(mut self, share: f64) -> Self {
        let mut random = Random::new(23);
        for round in self.pairs.iter_mut().flatten() {
            let requests = (round.rps * SECONDS).max(1.0) as usize;
            let failed = (0..requests).filter(|_| random.unit() < share).count();
            round.failed = failed as f64 / requests as f64;
        }
        self
    }

    /// Of 200 comparisons of the server with itself, those that tell a change.
    fn alarms(mut self) -> usize {
        let verdicts = (0..200).map(|_| self.comparison().verdict);
        verdicts.filter(|v| matches!(v, Change::Worse | Change::Better)).count()
    }

    /// A comparison of the server with itself.
    fn comparison(&mut self) -> Comparison {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let place = self.chance() % self.pairs.len();
            let mut pair = self.pairs[place];
            if self.chance().is_multiple_of(2) {
                pair.reverse();
            }
            a.push(pair[0]);
            b.push(pair[1]);
        }
        compare(&a, &b, true, MARGIN, &Metric::ALL)
    }
}

#[test]
fn a_server_beside_itself_raises_an_alarm_once_in_a_hundred_at_most() {
    let recorded = Recorded::read();
    assert!(recorded.pairs.len() >= 20 && recorded.pairs[0][0].cpu_us.is_some());
    let alarms = recorded.alarms();
    assert!(alarms <= 2, "{alarms} of 200");
}

#[test]
fn nor_does_one_that_fails_at_random() {
    let recorded = Recorded::read().failing(FAILING);
    assert!(recorded.pairs.iter().flatten().any(|round| round.failed > FAILING));
    let alarms = recorded.alarms();
    assert!(alarms <= 2, "{alarms} of 200");
}
