//! The hosts, domains and addresses, at both ends, that tell Match blocks apart.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::addresses::{self, addresses};
use super::connection::{Blocks, CLIENT, Connection, HOST, Met, SERVER};
use super::texts::texts;

/// The patterns of lists, without `!`.
pub(super) fn patterns<'l>(lists: &[&'l str]) -> impl Iterator<Item = &'l str> {
    let ones = lists.iter().flat_map(|list| list.split(','));
    ones.map(|one| one.strip_prefix('!').unwrap_or(one))
}

/// A part of a connection's way.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Host(String),
    Domain(String),
    Local(SocketAddr),
    Address(IpAddr),
}

/// A part with the blocks that it meets, and for people.
pub(super) struct Choice {
    pub(super) part: Part,
    pub(super) met: Met,
    pub(super) whence: String,
}

impl Part {
    /// A connection with this part; `None` where both ends would not be of one family.
    pub(super) fn of(&self, connection: &Connection) -> Option<Connection> {
        let mut connection = connection.clone();
        match self {
            Self::Host(host) => connection.host.clone_from(host),
            Self::Domain(domain) => connection.domain = Some(domain.clone()),
            Self::Local(local) => connection.local = *local,
            Self::Address(address) if address.is_ipv6() != connection.local.is_ipv6() => {
                return None;
            }
            Self::Address(address) => connection.address = *address,
        }
        Some(connection)
    }
}

/// The choices of each part, and whether these are all.
pub(super) fn sources(blocks: &Blocks<'_>, listens: &[SocketAddr]) -> ([Vec<Choice>; 4], bool) {
    let names = blocks.lists("host").iter().map(|list| list.to_lowercase()).collect::<Vec<_>>();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (hosts, all_hosts) = texts(patterns(&names));
    let hosts = [HOST.to_owned()].into_iter().chain(hosts).map(Part::Host).collect();
    let named = blocks.lists("rdomain");
    let (domains, all_domains) = texts(patterns(&named));
    let domains = [String::new()].into_iter().chain(domains).map(Part::Domain).collect();
    let domains = if named.is_empty() { Vec::new() } else { domains };
    let locals = locals(blocks, listens).into_iter().map(Part::Local).collect();
    let addresses = addresses(&blocks.lists("address"), CLIENT);
    let addresses = addresses.into_iter().map(Part::Address).collect();
    let all = [
        choices(blocks, hosts, &["host"], " from other hosts"),
        choices(blocks, domains, &["rdomain"], ""),
        choices(blocks, locals, &["localaddress", "localport"], ""),
        choices(blocks, addresses, &["address"], " from elsewhere"),
    ];
    (all, all_hosts && all_domains)
}

/// Where connections may come in: where sshd listens. And where a Match wants them to that nobody listens at: another
/// may hand the socket to sshd.
fn locals(blocks: &Blocks<'_>, listens: &[SocketAddr]) -> Vec<SocketAddr> {
    let lists = blocks.lists("localaddress");
    let possible = addresses(&lists, SERVER);
    let mut ips: Vec<(IpAddr, u16)> = Vec::new();
    for socket in listens {
        match socket.ip() {
            any if any.is_unspecified() => {
                let own = possible.iter().filter(|ip| ip.is_ipv6() == any.is_ipv6());
                ips.extend(own.map(|ip| (*ip, socket.port())));
            }
            ip => ips.push((ip, socket.port())),
        }
    }
    let mut ports: Vec<u16> = listens.iter().map(SocketAddr::port).collect();
    for list in lists {
        if !ips.iter().any(|(ip, _)| addresses::takes_in(list, *ip)) {
            let wanted = possible.iter().filter(|ip| addresses::takes_in(list, **ip));
            let at = wanted.flat_map(|ip| ports.iter().map(|port| (*ip, *port)));
            ips.extend(at.collect::<Vec<_>>());
        }
    }
    for port in blocks.lists("localport").iter().filter_map(|port| port.parse().ok()) {
        if !ports.contains(&port) {
            ports.push(port);
            let known: BTreeSet<IpAddr> = ips.iter().map(|(ip, _)| *ip).collect();
            ips.extend(known.into_iter().map(|ip| (ip, port)));
        }
    }
    ips.into_iter().map(SocketAddr::from).collect()
}

/// Each of the parts that meets other blocks than those before it, or is of the other family.
fn choices(blocks: &Blocks<'_>, parts: Vec<Part>, names: &[&str], otherwise: &str) -> Vec<Choice> {
    let nobody = Connection::of("", &[]);
    let criteria: Vec<(&str, &str)> = names
        .iter()
        .flat_map(|name| blocks.lists(name).into_iter().map(move |list| (*name, list)))
        .collect();
    let mut seen: BTreeSet<(bool, Vec<bool>)> = BTreeSet::new();
    let mut found = Vec::new();
    for part in parts {
        let mut connection = nobody.clone();
        if let Part::Address(address) = part {
            connection.local.set_ip(address);
        }
        let Some(connection) = part.of(&connection) else { continue };
        let holds: Vec<bool> =
            criteria.iter().map(|(name, list)| connection.is_of(name, list)).collect();
        let port = connection.local.port();
        if seen.insert((connection.local.is_ipv6(), holds.clone())) {
            found.push((part, blocks.met(&connection, names), holds, port));
        }
    }
    let is_beyond = |inner: &[bool], list: usize| {
        let holds_more = |outer: &[bool]| {
            outer[list] && inner.iter().zip(outer).all(|(inner, outer)| *outer || !inner)
        };
        inner.contains(&true) && seen.iter().any(|(_, outer)| holds_more(outer))
    };
    let whence = |holds: &[bool], port: u16| {
        let lists = || criteria.iter().enumerate().filter(|(_, (name, _))| *name != "localport");
        let within = lists().filter(|(index, _)| holds[*index]);
        let within = within.map(|(_, (name, list))| format!(" {} {list}", word(name)));
        let beyond = lists().filter(|(index, _)| !holds[*index] && is_beyond(holds, *index));
        let beyond = beyond.map(|(_, (_, list))| format!(" but not {list}"));
        let mut whence: String = within.chain(beyond).collect();
        if whence.is_empty() {
            otherwise.clone_into(&mut whence);
        }
        if criteria.iter().any(|(name, _)| *name == "localport") {
            whence += &format!(" to port {port}");
        }
        whence
    };
    found
        .into_iter()
        .map(|(part, met, holds, port)| Choice { part, met, whence: whence(&holds, port) })
        .collect()
}

fn word(criterion: &str) -> &str {
    match criterion {
        "localaddress" => "to",
        "rdomain" => "in",
        _ => "from",
    }
}
