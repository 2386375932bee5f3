//! What an agent says of itself and its host; targets choose by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Facts by which agents are chosen. All are texts, as they are in MIG's table of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The agent's name: its host's, unless it was given another.
    pub name: String,
    /// `online` or `offline`. An agent knows itself only online; the directory knows better.
    pub status: String,
    /// `daemon`: it waits for actions.
    pub mode: String,
    /// The agent's version.
    pub version: String,
    /// Of the host: `ident` (the system's name), `os`, `arch`, `kernel`.
    pub environment: BTreeMap<String, String>,
    /// What its operator gave it.
    pub tags: BTreeMap<String, String>,
}

/// The name of a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// `name`
    Name,
    /// `status`
    Status,
    /// `mode`
    Mode,
    /// `version`
    Version,
    /// `environment->>'KEY'`
    Environment(String),
    /// `tags->>'KEY'`
    Tag(String),
}

impl Facts {
    /// A fact's value, if it has one.
    pub fn get(&self, fact: &Fact) -> Option<&str> {
        match fact {
            Fact::Name => Some(&self.name),
            Fact::Status => Some(&self.status),
            Fact::Mode => Some(&self.mode),
            Fact::Version => Some(&self.version),
            Fact::Environment(key) => self.environment.get(key).map(String::as_str),
            Fact::Tag(key) => self.tags.get(key).map(String::as_str),
        }
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fact::Name => f.write_str("name"),
            Fact::Status => f.write_str("status"),
            Fact::Mode => f.write_str("mode"),
            Fact::Version => f.write_str("version"),
            Fact::Environment(key) => write!(f, "environment->>'{}'", key.replace('\'', "''")),
            Fact::Tag(key) => write!(f, "tags->>'{}'", key.replace('\'', "''")),
        }
    }
}
