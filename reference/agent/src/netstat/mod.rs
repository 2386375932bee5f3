//! The host's network as it is now: neighbours, addresses of its own, sockets that listen, peers.
//!
//! ```text
//!  netlink ──▶ neighbours, interfaces ──┐
//!  /proc/net ─▶ sockets                 ├──▶ Network ── Questions ──▶ Heard
//!  /proc/PID/fd ─▶ whose they are ──────┘
//! ```

mod ask;
mod known;
mod mac;
mod netlink;
mod owners;
mod sockets;

use std::io;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

pub use ask::{Heard, Hit, Ports, Questions};
pub use known::{KnownError, KnownHosts};
pub use mac::Mac;
pub use owners::Process;
pub use sockets::{Protocol, Socket, TcpState};

/// Somebody on the same link, as ARP or neighbour discovery know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// Its address.
    pub address: IpAddr,
    /// Its MAC.
    pub mac: Mac,
    /// The interface that leads there.
    pub interface: String,
    /// `reachable`, `stale`, `permanent`…
    pub state: String,
}

/// An interface of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number.
    pub index: u32,
    /// Such as `eth0`.
    pub name: String,
    /// The MAC in use, and the device's own where that is another one.
    pub macs: Vec<Mac>,
    /// Its addresses with their networks.
    pub addresses: Vec<IpNet>,
}

/// What was read of the network. What could not be read is empty here and named in the troubles.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Neighbours with a MAC, sorted; multicast groups are none.
    pub neighbours: Vec<Neighbour>,
    /// Interfaces in the kernel's order.
    pub interfaces: Vec<Interface>,
    /// Sockets that listen or have a peer, sorted.
    pub sockets: Vec<Socket>,
    /// What could not be read, and why.
    pub troubles: Vec<(&'static str, String)>,
}

impl Network {
    /// Reads what the questions are about, of this network namespace.
    pub fn read(questions: &Questions) -> Self {
        let mut network = Self::default();
        if questions.are_of_links() {
            let read = netlink::interfaces();
            network.interfaces = network.got("interfaces", read);
        }
        if questions.are_of_neighbours() {
            let read = netlink::neighbours(&network.interfaces);
            network.neighbours = network.got("neighbours", read);
        }
        if questions.are_of_sockets() {
            let read = sockets::read(Path::new("/proc"));
            network.sockets = network.got("sockets", read);
            let all_seen = owners::name(Path::new("/proc"), &mut network.sockets);
            let unknown = ask::of_nobody(&network.sockets, questions);
            if !all_seen && unknown > 0 {
                let reason = format!("{unknown} are of processes that only root may look at");
                network.troubles.push(("sockets", reason));
            }
        }
        network
    }

    fn got<T: Default>(&mut self, what: &'static str, read: io::Result<T>) -> T {
        read.unwrap_or_else(|error| {
            self.troubles.push((what, error.to_string()));
            T::default()
        })
    }
}
