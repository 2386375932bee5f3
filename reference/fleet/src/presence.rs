//! What agents say of themselves, and the directory that it makes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::id::Id;
use crate::time::Moment;

/// The version of this message.
const VERSION: u32 = 1;
/// How many heartbeats may be missed by an agent that counts as online.
const MISSED: u32 = 3;

/// A heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    v: u32,
    /// Which run of the agent speaks.
    pub instance: Id,
    /// Milliseconds until the next.
    pub every: u64,
    /// It is the last: the agent ends.
    pub leaves: bool,
    /// What it says.
    pub facts: Facts,
}

impl Presence {
    /// A heartbeat.
    pub fn new(instance: Id, every: Duration, facts: Facts) -> Self {
        let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        Self { v: VERSION, instance, every, leaves: false, facts }
    }

    /// The same as the last word.
    #[must_use]
    pub fn leaving(&self) -> Self {
        Self { leaves: true, ..self.clone() }
    }

    /// As it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads one. `None` where it is none, or of another version.
    pub fn read(octets: &[u8]) -> Option<Self> {
        serde_json::from_slice(octets).ok().filter(|presence: &Self| presence.v == VERSION)
    }
}

/// All agents that were heard of.
#[derive(Clone, Debug, Default)]
pub struct Directory(BTreeMap<String, (Presence, Moment)>);

impl Directory {
    /// Takes what an agent said. Its name is the one of the subject, which the server lets only it use.
    pub fn heard(&mut self, agent: &str, presence: Presence, at: Moment) {
        self.0.insert(agent.to_owned(), (presence, at));
    }

    /// The agents as they are now: their facts with the name and the status that the directory knows. It is not earlier
    /// than what was heard last, whatever the clock of who asks says.
    pub fn agents(&self, now: Moment) -> impl Iterator<Item = (Facts, Id)> + '_ {
        let now = self.0.values().map(|(_, at)| *at).fold(now, Moment::max);
        self.0.iter().map(move |(name, (presence, at))| {
            let patience = Duration::from_millis(presence.every.saturating_mul(MISSED.into()));
            let is_online = !presence.leaves && now.since(*at) <= patience;
            let status = if is_online { "online" } else { "offline" };
            let facts =
                Facts { name: name.clone(), status: status.to_owned(), ..presence.facts.clone() };
            (facts, presence.instance)
        })
    }

    /// How many were heard of.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_long_or_leaves_is_offline() {
        let mut directory = Directory::default();
        let instance = Id::new().expect("an id");
        let every = Duration::from_secs(10);
        let said =
            Facts { name: "another".to_owned(), status: "online".to_owned(), ..Facts::default() };
        let presence = Presence::new(instance, every, said);
        let presence = Presence::read(&presence.to_bytes()).expect("a heartbeat");
        directory.heard("web1", presence.clone(), Moment(1_000_000));
        directory.heard("web2", presence.leaving(), Moment(1_000_000));
        let at = |directory: &Directory, now: u64| -> Vec<String> {
            let agents = directory.agents(Moment(now));
            agents.map(|(facts, _)| format!("{} {}", facts.name, facts.status)).collect()
        };
        assert_eq!(at(&directory, 1_030_000), ["web1 online", "web2 offline"]);
        assert_eq!(at(&directory, 1_030_001), ["web1 offline", "web2 offline"]);
        // A clock that is behind makes nobody online.
        directory.heard("web3", presence, Moment(9_000_000));
        assert_eq!(at(&directory, 1_000_000), ["web1 offline", "web2 offline", "web3 online"]);
        assert!(Presence::read(br#"{"v":2,"instance":"00","every":1,"leaves":false}"#).is_none());
    }
}
