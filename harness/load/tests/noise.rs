//! How often a comparison cries wolf: over rounds that were recorded of one server beside itself on a busy
//! machine (`tests/noise.json`, made by `edgeproof compare URL URL --pid-a PID --pid-b PID --format json`).

use edgeproof_load::{Change, Comparison, Metric, Round, compare};

/// Pairs in each comparison.
const ROUNDS: usize = 40;
const MARGIN: f64 = 0.05;

/// Draws whole pairs, so that what both sides shared stays shared, with either side in either place.
struct Recorded {
    pairs: Vec<[Round; 2]>,
    state: u64,
}

impl Recorded {
    fn read() -> Self {
        let text = include_str!("noise.json");
        let recorded: Comparison = serde_json::from_str(text).unwrap();
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
    let mut recorded = Recorded::read();
    assert!(recorded.pairs.len() >= 20 && recorded.pairs[0][0].cpu_us.is_some());
    let verdicts: Vec<Change> = (0..200).map(|_| recorded.comparison().verdict).collect();
    let alarms = verdicts.iter().filter(|v| matches!(v, Change::Worse | Change::Better)).count();
    assert!(alarms <= 2, "{alarms} of 200");
}
