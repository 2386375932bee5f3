//! What is asked of the network, and what answers.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use super::{Interface, KnownHosts, Mac, Neighbour, Network, Socket, TcpState};
use crate::pattern::Pattern;

/// A port, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports(RangeInclusive<u16>);

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let ports = first.parse().ok().zip(last.parse().ok());
        match ports {
            Some((first, last)) if first <= last => Ok(Self(first..=last)),
            _ => Err(format!("`{text}` is no port: expected `22` or `8000-8999`")),
        }
    }
}

/// What to look for. Within one field one of several is enough; each field is a question of its own, but for
/// `processes`, which narrows the questions about sockets.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// MACs of this host.
    pub local_macs: Vec<Pattern>,
    /// MACs of neighbours.
    pub neighbour_macs: Vec<Pattern>,
    /// Networks that this host has an address in.
    pub local_addresses: Vec<IpNet>,
    /// Networks that neighbours have an address in.
    pub neighbour_addresses: Vec<IpNet>,
    /// Networks that peers have an address in.
    pub peers: Vec<IpNet>,
    /// Ports that something listens on.
    pub listening: Vec<Ports>,
    /// Names of the processes that the sockets belong to.
    pub processes: Vec<Pattern>,
    /// Whose neighbours are accounted for.
    pub known: Option<KnownHosts>,
}

impl Questions {
    /// Whether anything is asked.
    pub fn are_any(&self) -> bool {
        self.are_of_links() || self.are_of_sockets()
    }

    /// Interfaces give neighbours their names.
    pub(super) fn are_of_links(&self) -> bool {
        !(self.local_macs.is_empty() && self.local_addresses.is_empty()) || self.are_of_neighbours()
    }

    pub(super) fn are_of_neighbours(&self) -> bool {
        let none = self.neighbour_macs.is_empty() && self.neighbour_addresses.is_empty();
        !none || self.known.is_some()
    }

    pub(super) fn are_of_sockets(&self) -> bool {
        !(self.peers.is_empty() && self.listening.is_empty())
    }
}

/// Something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A MAC of this host.
    LocalMac(String, Mac),
    /// An address of this host.
    LocalAddress(String, IpNet),
    /// A neighbour.
    Neighbour(Neighbour),
    /// A socket that listens.
    Listening(Socket),
    /// A socket with a peer.
    Connected(Socket),
    /// A neighbour that no known host is.
    Unaccounted(Mac),
}

/// All hits, and what could not be looked at.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// In the order of the questions.
    pub hits: Vec<Hit>,
    /// What could not be read, and why.
    pub troubles: Vec<(&'static str, String)>,
}

impl Heard {
    /// 1 something was found, 6 not everything could be looked at, 0 neither.
    pub fn exit_code(&self) -> u8 {
        match (self.hits.is_empty(), self.troubles.is_empty()) {
            (false, _) => 1,
            (true, false) => 6,
            (true, true) => 0,
        }
    }
}

impl Network {
    /// Answers the questions.
    pub fn answer(&self, questions: &Questions) -> Heard {
        let mut hits = Vec::new();
        for Interface { name, macs, addresses, .. } in &self.interfaces {
            let macs = macs.iter().filter(|mac| fits(&questions.local_macs, **mac));
            hits.extend(macs.map(|mac| Hit::LocalMac(name.clone(), *mac)));
            let wanted = &questions.local_addresses;
            let addresses = addresses.iter().filter(|address| lies_in(wanted, address.addr()));
            hits.extend(addresses.map(|address| Hit::LocalAddress(name.clone(), *address)));
        }
        let neighbours = self.neighbours.iter().filter(|neighbour| {
            fits(&questions.neighbour_macs, neighbour.mac)
                || lies_in(&questions.neighbour_addresses, neighbour.address)
        });
        hits.extend(neighbours.cloned().map(Hit::Neighbour));
        hits.extend(self.sockets.iter().filter_map(|socket| socket_hit(socket, questions)));
        if let Some(known) = &questions.known {
            let macs = known.unaccounted(&self.neighbours, &self.interfaces);
            hits.extend(macs.into_iter().map(Hit::Unaccounted));
        }
        Heard { hits, troubles: self.troubles.clone() }
    }
}

/// Sockets that would be answered but for the process that they should be of, and are of none that could be seen.
pub(super) fn of_nobody(sockets: &[Socket], questions: &Questions) -> usize {
    let is_unknown = |socket: &&Socket| {
        socket.owners.is_empty() && socket.inode != 0 && end_hit(socket, questions).is_some()
    };
    if questions.processes.is_empty() { 0 } else { sockets.iter().filter(is_unknown).count() }
}

fn socket_hit(socket: &Socket, questions: &Questions) -> Option<Hit> {
    let is_of = |pattern: &Pattern| {
        socket.owners.iter().any(|owner| pattern.matches(owner.name.as_bytes()))
    };
    let processes = &questions.processes;
    if !processes.is_empty() && !processes.iter().any(|one| is_of(one) != one.inverted()) {
        return None;
    }
    end_hit(socket, questions)
}

/// The same, whosever it is.
fn end_hit(socket: &Socket, questions: &Questions) -> Option<Hit> {
    let (asked, hit): (bool, fn(Socket) -> Hit) = match socket.state {
        TcpState::Listening => {
            let port = socket.local.port();
            (questions.listening.iter().any(|ports| ports.0.contains(&port)), Hit::Listening)
        }
        TcpState::Connected(_) => (lies_in(&questions.peers, socket.peer.ip()), Hit::Connected),
    };
    asked.then(|| hit(socket.clone()))
}

/// MACs are written in either case.
fn fits(patterns: &[Pattern], mac: Mac) -> bool {
    let lower = mac.to_string();
    let upper = lower.to_ascii_uppercase();
    patterns.iter().any(|pattern| {
        let is = pattern.matches(lower.as_bytes()) || pattern.matches(upper.as_bytes());
        is != pattern.inverted()
    })
}

fn lies_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}
