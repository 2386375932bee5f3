//! Who does the steps: named clients and what was seen last.

use std::collections::BTreeMap;

use crate::client::{Client, Heard};
use crate::expect::{Facts, LoadTotals, Seen};
use crate::variables::Variables;

/// One line of play: the main one, or one of the clients of `parallel`.
#[derive(Debug)]
pub(crate) struct Actor {
    clients: BTreeMap<String, Client>,
    pub(crate) variables: Variables,
    pub(crate) last: Last,
}

/// What was seen last, for `expect` and `capture`.
#[derive(Debug, Default)]
pub(crate) struct Last {
    pub(crate) client: String,
    pub(crate) heard: Option<Heard>,
    /// Its place among the case's exchanges.
    pub(crate) exchange: Option<usize>,
    pub(crate) statuses: Vec<u16>,
    pub(crate) ssh: Option<Facts>,
    pub(crate) config: Option<Facts>,
    pub(crate) load: Option<LoadTotals>,
}

impl Actor {
    pub(crate) fn new(variables: Variables) -> Self {
        Self { clients: BTreeMap::new(), variables, last: Last::default() }
    }

    /// The client of that name, made when it is first named.
    pub(crate) fn client(&mut self, name: &str) -> &mut Client {
        self.clients.entry(name.to_owned()).or_default()
    }

    /// Every client that was named.
    pub(crate) fn clients(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.values_mut()
    }
}

impl Last {
    pub(crate) fn is_unanswered(&self) -> bool {
        self.heard.as_ref().is_some_and(Heard::is_unanswered)
    }

    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            heard: self.heard.as_ref(),
            statuses: self.statuses.clone(),
            ssh: self.ssh.as_ref(),
            config: self.config.as_ref(),
            load: self.load.as_ref(),
            ..Seen::default()
        }
    }
}
