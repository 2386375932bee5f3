//! The bookkeeping of an action: who was asked, who took it, who answered, in time, late, twice or never.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::id::Id;
use crate::time::Moment;

/// An agent that was asked.
#[derive(Clone, Debug, Default)]
struct Member {
    was_asked: bool,
    taken: Option<Id>,
    gone: bool,
    verdict: Option<Verdict>,
    late: Option<Duration>,
    /// The runs of it that answered. What one says again, since it did not hear that it was kept, is nothing new.
    runs: BTreeSet<Id>,
    replays: u32,
}

/// How an agent's answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Succeeded { found: u64, is_whole: bool },
    Refused(String),
    Failed(String),
}

/// What became of an agent that is no plain success, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Oddity {
    /// It took the action and is gone, without an answer.
    Died,
    /// It took the action, is there, and has not answered by the end.
    Overdue,
    /// It never said anything, and nobody listens under its name.
    NotConnected,
    /// It never said anything.
    Silent,
    /// It does not take the action.
    Refused {
        /// Why.
        reason: String,
    },
    /// It took the action and broke.
    Failed {
        /// Why.
        reason: String,
    },
    /// Its answer came after the end.
    Late {
        /// By so many milliseconds.
        by_ms: u64,
    },
    /// It answered more than once: two agents of one name, most likely.
    Twice {
        /// How often.
        answers: u32,
    },
    /// It answered without being on the list: it came after the list was made.
    NotAsked,
    /// It was sent the action again, and refused.
    Replayed {
        /// How often.
        times: u32,
    },
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Died => f.write_str("died: it took the action and is gone"),
            Self::Overdue => {
                f.write_str("overdue: it took the action and has not answered by the end")
            }
            Self::NotConnected => f.write_str("never answered: it is not connected"),
            Self::Silent => f.write_str("never answered"),
            Self::Refused { reason } => write!(f, "refused: {reason}"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Late { by_ms } => {
                write!(f, "late: it answered {}.{:03} s after the end", by_ms / 1000, by_ms % 1000)
            }
            Self::Twice { answers } => {
                write!(f, "answered {answers} times; is its name used twice?")
            }
            Self::NotAsked => {
                f.write_str("answered although it was not on the list when the action was sent")
            }
            Self::Replayed { times } => {
                write!(f, "was sent the action again ({times}×), and refused")
            }
        }
    }
}

/// How it ended, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Agents on the list.
    pub sent: u64,
    /// Of these, how many answered in time.
    pub done: u64,
    /// Of these, how many have looked.
    pub succeeded: u64,
    /// Agents, asked or not, in time or late, that have found something.
    pub found: u64,
    /// Agents that have looked, but not at everything.
    pub partly: u64,
}

/// Who was asked and what became of it.
#[derive(Clone, Debug)]
pub struct Roll {
    members: BTreeMap<String, Member>,
    ends: Moment,
    open: usize,
}

impl Roll {
    /// A list of agents, and when the time of an action ends by the server's clock.
    pub fn new(asked: impl IntoIterator<Item = String>, ends: Moment) -> Self {
        let member = || Member { was_asked: true, ..Member::default() };
        let members: BTreeMap<_, _> = asked.into_iter().map(|name| (name, member())).collect();
        Self { open: members.len(), members, ends }
    }

    /// Takes what an agent said, at a time of the server's clock. Answers whether it is news for people.
    pub fn heard(&mut self, agent: &str, instance: Id, answer: &Answer, at: Moment) -> bool {
        let ends = self.ends;
        let member = self.members.entry(agent.to_owned()).or_default();
        let verdict = match answer {
            Answer::Taken => {
                member.taken = Some(instance);
                return false;
            }
            Answer::Refused(refused) if refused.is_replay => {
                member.replays += 1;
                return false;
            }
            Answer::Refused(refused) => Verdict::Refused(refused.reason.clone()),
            Answer::Failed(reason) => Verdict::Failed(reason.clone()),
            Answer::Done(done) => {
                Verdict::Succeeded { found: done.found(), is_whole: done.is_whole() }
            }
        };
        match member.verdict {
            None => self.open -= usize::from(member.was_asked && !member.gone),
            // Who refuses says nothing of the host; who has looked does.
            Some(Verdict::Refused(_)) if !matches!(verdict, Verdict::Refused(_)) => {}
            Some(_) => {
                member.runs.insert(instance);
                return false;
            }
        }
        member.runs.insert(instance);
        member.verdict = Some(verdict);
        member.late = (at > ends).then(|| at.since(ends));
        true
    }

    /// Nobody listens under an agent's name any more, or another run of it does.
    pub fn gone(&mut self, agent: &str) {
        if let Some(member) = self.members.get_mut(agent)
            && !member.gone
        {
            member.gone = true;
            self.open -= usize::from(member.was_asked && member.verdict.is_none());
        }
    }

    /// The run of an agent that has taken the action.
    pub fn taken_by(&self, agent: &str) -> Option<Id> {
        self.members.get(agent)?.taken
    }

    /// Agents that were asked, have not answered and are not known to be gone.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter(|(_, one)| one.was_asked && one.verdict.is_none() && !one.gone)
            .map(|(name, _)| name.as_str())
    }

    /// How many these are.
    pub fn count_open(&self) -> usize {
        self.open
    }

    /// How many have answered.
    pub fn count_answered(&self) -> usize {
        self.members.values().filter(|one| one.was_asked && one.verdict.is_some()).count()
    }

    /// How many were asked.
    pub fn len(&self) -> usize {
        self.members.values().filter(|one| one.was_asked).count()
    }

    /// Whether nobody was asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In numbers.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for member in self.members.values() {
            tally.sent += u64::from(member.was_asked);
            let is_done = member.was_asked && member.verdict.is_some() && member.late.is_none();
            tally.done += u64::from(is_done);
            if let Some(Verdict::Succeeded { found, is_whole }) = member.verdict {
                tally.succeeded += u64::from(is_done);
                tally.found += u64::from(found > 0);
                tally.partly += u64::from(!is_whole);
            }
        }
        tally
    }

    /// Every agent with something to be said of it, by name.
    pub fn oddities(&self) -> Vec<(&str, Oddity)> {
        let mut all = Vec::new();
        for (name, member) in &self.members {
            all.extend(member.oddities().into_iter().map(|oddity| (name.as_str(), oddity)));
        }
        all
    }

    /// Whether each agent that was asked has looked at everything, and in time.
    pub fn is_whole(&self) -> bool {
        let tally = self.tally();
        tally.succeeded == tally.sent && tally.partly == 0
    }
}

impl Member {
    fn oddities(&self) -> Vec<Oddity> {
        let mut all = Vec::new();
        match &self.verdict {
            Some(Verdict::Refused(reason)) => all.push(Oddity::Refused { reason: reason.clone() }),
            Some(Verdict::Failed(reason)) => all.push(Oddity::Failed { reason: reason.clone() }),
            Some(Verdict::Succeeded { .. }) => {}
            None if !self.was_asked => {}
            None => all.push(match (self.taken.is_some(), self.gone) {
                (true, true) => Oddity::Died,
                (true, false) => Oddity::Overdue,
                (false, true) => Oddity::NotConnected,
                (false, false) => Oddity::Silent,
            }),
        }
        if let Some(by) = self.late {
            all.push(Oddity::Late { by_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) });
        }
        if self.runs.len() > 1 {
            let answers = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
            all.push(Oddity::Twice { answers });
        }
        if !self.was_asked && self.verdict.is_some() {
            all.push(Oddity::NotAsked);
        }
        if self.replays > 0 {
            all.push(Oddity::Replayed { times: self.replays });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use edgeproof_agent::Outcome;

    use super::*;
    use crate::answer::{Done, Refused};

    fn done(found: u64) -> Answer {
        let operation = Outcome { found, is_whole: true, ..Outcome::default() };
        Answer::Done(Done { operations: vec![operation], ..Done::default() })
    }

    fn id(number: u8) -> Id {
        format!("{number:032x}").parse().expect("an id")
    }

    fn refused(reason: &str, is_replay: bool) -> Answer {
        Answer::Refused(Refused { reason: reason.to_owned(), is_replay })
    }

    const NOW: Moment = Moment(1000);
    const ENDS: Moment = Moment(51_000);

    fn roll(names: &[&str]) -> Roll {
        Roll::new(names.iter().map(|name| (*name).to_owned()), ENDS)
    }

    #[test]
    fn each_is_told_apart() {
        let names =
            ["died", "good", "late", "never", "no", "broken", "overdue", "twice", "unplugged"];
        let mut roll = roll(&names);
        for name in ["died", "good", "late", "overdue", "twice", "broken"] {
            assert!(!roll.heard(name, id(1), &Answer::Taken, NOW));
        }
        assert!(roll.heard("good", id(1), &done(2), NOW));
        assert!(roll.heard("twice", id(1), &done(0), NOW));
        assert!(!roll.heard("twice", id(2), &done(1), NOW), "the first counts");
        assert!(roll.heard("no", id(1), &refused("not you", false), NOW));
        assert!(roll.heard("broken", id(1), &Answer::Failed("panic".to_owned()), NOW));
        assert!(roll.heard("new", id(1), &done(1), NOW));
        roll.heard("good", id(1), &refused("again", true), NOW);
        roll.gone("died");
        roll.gone("unplugged");
        assert_eq!(roll.open().collect::<Vec<_>>(), ["late", "never", "overdue"]);
        assert_eq!(roll.count_open(), 3);
        assert!(roll.heard("late", id(1), &done(1), ENDS.plus(Duration::from_millis(3200))));
        assert_eq!(roll.count_open(), roll.open().count());
        let told: Vec<String> =
            roll.oddities().iter().map(|(name, oddity)| format!("{name}: {oddity}")).collect();
        insta::assert_snapshot!(told.join("\n"));
        let tally = Tally { sent: 9, done: 4, succeeded: 2, found: 3, partly: 0 };
        assert_eq!(roll.tally(), tally);
        assert!(!roll.is_whole());
    }

    #[test]
    fn a_fleet_without_oddities() {
        let mut roll = roll(&["a", "b"]);
        for name in ["a", "b"] {
            roll.heard(name, id(1), &Answer::Taken, NOW);
            roll.heard(name, id(1), &done(0), ENDS);
        }
        assert!(roll.is_whole() && roll.oddities().is_empty() && roll.count_open() == 0);
    }

    #[test]
    fn an_answer_after_all_is_one() {
        let mut roll = roll(&["a"]);
        roll.gone("a");
        roll.gone("a");
        assert_eq!(roll.count_open(), 0);
        assert!(roll.heard("a", id(1), &done(1), NOW));
        assert_eq!((roll.count_open(), roll.oddities().len()), (0, 0));
    }

    #[test]
    fn a_refusal_hides_no_answer() {
        let mut roll = roll(&["a"]);
        assert!(roll.heard("a", id(1), &refused("not you", false), NOW));
        assert!(roll.heard("a", id(2), &done(1), NOW));
        assert_eq!(roll.oddities(), [("a", Oddity::Twice { answers: 2 })]);
        assert_eq!(roll.tally().found, 1);
    }

    #[test]
    fn an_answer_that_is_kept_twice_is_one() {
        let mut roll = roll(&["a"]);
        assert!(roll.heard("a", id(1), &done(1), NOW));
        assert!(!roll.heard("a", id(1), &done(1), ENDS.plus(Duration::from_secs(200))));
        assert!(roll.oddities().is_empty() && roll.is_whole());
    }
}
