//! What an agent says of an action, as messages.
//!
//! ```text
//! {"v":1,"instance":…,"kind":"done","part":1,"parts":1}␊
//! {"code":1,"found":2,"operations":[…]}                    a part of it, where it is long
//! ```

use std::collections::HashMap;

use edgeproof_agent::Outcome;
use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::time::Moment;

const VERSION: u32 = 1;
/// Octets of an answer in one message; a server takes 1 MiB unless told otherwise.
pub const PART: usize = 512 << 10;
/// Parts of an answer; more is no answer that a person reads.
pub const MOST_PARTS: u32 = 64;

/// What an agent says of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It takes it: it is genuine, allowed and for this agent.
    Taken,
    /// It is done.
    Done(Done),
    /// It does not take it.
    Refused(Refused),
    /// It took it and broke.
    Failed(String),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// When the action reached the agent, by its clock.
    pub received: Moment,
    /// When it began to look.
    pub began: Moment,
    /// When it had looked.
    pub ended: Moment,
    /// Of each operation.
    pub operations: Vec<Outcome>,
}

impl Done {
    /// All that was found.
    pub fn found(&self) -> u64 {
        // Whatever an agent says, it is a number.
        self.operations.iter().map(|operation| operation.found).fold(0, u64::saturating_add)
    }

    /// Whether everything could be looked at.
    pub fn is_whole(&self) -> bool {
        self.operations.iter().all(|operation| operation.is_whole)
    }
}

/// Why an action is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// For people.
    pub reason: String,
    /// The agent had taken it before: somebody sent it again.
    #[serde(default)]
    pub is_replay: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Taken,
    Done,
    Refused,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    v: u32,
    instance: Id,
    kind: Kind,
    part: u32,
    parts: u32,
}

#[derive(Serialize, Deserialize)]
struct Failed {
    reason: String,
}

impl Answer {
    fn kind(&self) -> Kind {
        match self {
            Answer::Taken => Kind::Taken,
            Answer::Done(_) => Kind::Done,
            Answer::Refused(_) => Kind::Refused,
            Answer::Failed(_) => Kind::Failed,
        }
    }

    /// In a word, for message ids.
    pub fn word(&self) -> &'static str {
        match self {
            Answer::Taken => "taken",
            Answer::Done(_) => "done",
            Answer::Refused(_) => "refused",
            Answer::Failed(_) => "failed",
        }
    }

    fn body(&self) -> Vec<u8> {
        let json = match self {
            Answer::Taken => return Vec::new(),
            Answer::Done(done) => serde_json::to_vec(done),
            Answer::Refused(refused) => serde_json::to_vec(refused),
            Answer::Failed(reason) => serde_json::to_vec(&Failed { reason: reason.clone() }),
        };
        json.unwrap_or_default()
    }

    /// As it is sent: one message, or several of at most that many octets of the answer each. An answer that is too
    /// long for this says how much was found, and not what.
    pub fn messages(&self, instance: Id, most: usize) -> Vec<Vec<u8>> {
        let body = self.body();
        let parts = u32::try_from(body.len().div_ceil(most).max(1)).unwrap_or(u32::MAX);
        if parts > MOST_PARTS {
            return self.shortened(body.len()).messages(instance, most);
        }
        let head = |part| Head { v: VERSION, instance, kind: self.kind(), part, parts };
        let message = |(part, chunk): (u32, &[u8])| {
            let mut message = serde_json::to_vec(&head(part)).unwrap_or_default();
            message.push(b'\n');
            message.extend_from_slice(chunk);
            message
        };
        match body.is_empty() {
            true => vec![message((1, &[]))],
            false => (1..).zip(body.chunks(most)).map(message).collect(),
        }
    }

    /// Without what was found, where that is the length; in any case with the reason.
    fn shortened(&self, octets: usize) -> Self {
        let reason = format!(
            "the result has {octets} octets, more than is sent: ask for less, or for fewer names (matchlimit)"
        );
        let is_long = |one: &Outcome| !one.lines.is_empty() || !one.result.is_null();
        match self {
            Answer::Done(done) if done.operations.iter().any(is_long) => {
                let counts = |one: &Outcome| Outcome {
                    module: one.module.clone(),
                    found: one.found,
                    errors: vec![format!("error: {reason}")],
                    ..Outcome::default()
                };
                let operations = done.operations.iter().map(counts).collect();
                Answer::Done(Done { operations, ..*done })
            }
            _ => Answer::Failed(reason),
        }
    }

    fn read(kind: Kind, body: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Taken => Answer::Taken,
            Kind::Done => Answer::Done(serde_json::from_slice(body)?),
            Kind::Refused => Answer::Refused(serde_json::from_slice(body)?),
            Kind::Failed => Answer::Failed(serde_json::from_slice::<Failed>(body)?.reason),
        })
    }
}

/// A message that is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message that is no answer: {0}")]
pub struct NoAnswer(String);

/// Puts answers together that came in parts.
#[derive(Debug, Default)]
pub struct Parts(HashMap<(String, Id, Kind), Vec<Part>>);

/// A part of an answer, once it has come.
type Part = Option<Vec<u8>>;

impl Parts {
    /// Takes a message of an agent; answers what is whole now, and which run of the agent says it.
    ///
    /// # Errors
    /// It is no answer.
    pub fn take(&mut self, agent: &str, message: &[u8]) -> Result<Option<(Id, Answer)>, NoAnswer> {
        let end = message.iter().position(|octet| *octet == b'\n').unwrap_or(message.len());
        let (head, body) = (&message[..end], message.get(end + 1..).unwrap_or_default());
        let head: Head = serde_json::from_slice(head).map_err(|error| no_answer(&error))?;
        if head.v != VERSION {
            return Err(no_answer(&format_args!("version {}", head.v)));
        }
        if head.part == 0 || head.part > head.parts || head.parts > MOST_PARTS {
            return Err(no_answer(&format_args!("part {} of {}", head.part, head.parts)));
        }
        let read = |body: &[u8]| Answer::read(head.kind, body).map_err(|error| no_answer(&error));
        if head.parts == 1 {
            return Ok(Some((head.instance, read(body)?)));
        }
        let key = (agent.to_owned(), head.instance, head.kind);
        let parts = self.0.entry(key.clone()).or_default();
        parts.resize(head.parts as usize, None);
        parts[head.part as usize - 1] = Some(body.to_vec());
        if parts.iter().any(Option::is_none) {
            return Ok(None);
        }
        let whole: Vec<u8> =
            self.0.remove(&key).unwrap_or_default().into_iter().flatten().flatten().collect();
        Ok(Some((head.instance, read(&whole)?)))
    }
}

fn no_answer(error: &dyn std::fmt::Display) -> NoAnswer {
    NoAnswer(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(lines: usize) -> Answer {
        let operation = Outcome {
            module: "file".to_owned(),
            found: lines as u64,
            lines: (0..lines).map(|line| format!("line {line}")).collect(),
            ..Outcome::default()
        };
        Answer::Done(Done { operations: vec![operation], ..Done::default() })
    }

    proptest! {
        /// However long, and in whatever order its parts come.
        #[test]
        fn answers_come_back(lines in 0usize..200, most in 100usize..4000, turn in 0usize..50) {
            let instance = Id::new().expect("an id");
            let answer = answer(lines);
            let mut messages = answer.messages(instance, most);
            let count = messages.len();
            messages.rotate_left(turn % count);
            let mut parts = Parts::default();
            for (index, message) in messages.iter().enumerate() {
                let whole = parts.take("web1", message).expect("an answer");
                let expected = (index + 1 == count).then(|| (instance, answer.clone()));
                prop_assert_eq!(whole, expected);
            }
            prop_assert!(parts.0.is_empty());
        }
    }

    #[test]
    fn short_ones_too() {
        let instance = Id::new().expect("an id");
        let refused = Refused { reason: "no".to_owned(), is_replay: true };
        for answer in [Answer::Taken, Answer::Refused(refused), Answer::Failed("x".to_owned())] {
            let messages = answer.messages(instance, PART);
            let read = Parts::default().take("web1", &messages[0]);
            assert_eq!(read, Ok(Some((instance, answer))));
        }
    }

    #[test]
    fn one_that_is_too_long_says_how_much_was_found() {
        let instance = Id::new().expect("an id");
        let read = |answer: &Answer, most: usize| -> Vec<(Id, Answer)> {
            let messages = answer.messages(instance, most);
            let mut parts = Parts::default();
            let read = messages.iter().map(|one| parts.take("web1", one).expect("an answer"));
            read.flatten().collect()
        };
        let read_done = read(&answer(5000), 100);
        let [(_, Answer::Done(done))] = &read_done[..] else { panic!("{read_done:?}") };
        assert_eq!((done.found(), done.is_whole()), (5000, false));
        let [operation] = &done.operations[..] else { panic!("{done:?}") };
        assert!(operation.errors[0].contains("more than is sent"), "{operation:?}");
        // One that even so is too long.
        let read_failed = read(&answer(5000), 3);
        assert!(matches!(&read_failed[..], [(_, Answer::Failed(_))]), "{read_failed:?}");
    }

    #[test]
    fn no_count_goes_round() {
        let operation = Outcome { found: u64::MAX, ..Outcome::default() };
        let done = Done { operations: vec![operation; 2], ..Done::default() };
        assert_eq!(done.found(), u64::MAX);
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let mut parts = Parts::default();
        let id = "0".repeat(32);
        for message in [
            String::new(),
            "{}\n".to_owned(),
            format!(
                "{{\"v\":2,\"instance\":\"{id}\",\"kind\":\"taken\",\"part\":1,\"parts\":1}}\n"
            ),
            format!(
                "{{\"v\":1,\"instance\":\"{id}\",\"kind\":\"taken\",\"part\":0,\"parts\":1}}\n"
            ),
            format!(
                "{{\"v\":1,\"instance\":\"{id}\",\"kind\":\"taken\",\"part\":1,\"parts\":4000000}}\n"
            ),
            format!(
                "{{\"v\":1,\"instance\":\"{id}\",\"kind\":\"done\",\"part\":1,\"parts\":1}}\n{{"
            ),
        ] {
            assert!(parts.take("web1", message.as_bytes()).is_err(), "{message}");
        }
    }
}
