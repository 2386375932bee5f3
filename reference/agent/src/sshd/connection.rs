//! Who may come: a connection for each set of Match blocks that a connection can meet.
//!
//! What sshd makes of a connection depends on its user and on the blocks that it meets. So each criterion's values are
//! tried that tell the blocks apart ([`addresses`], [`texts`]), and of the combinations one for each set of blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::addresses::{self, addresses};
use super::config::{Condition, Place};
use super::pattern_list;
use super::texts::texts;
use crate::keys::Account;

/// Beyond so many, sshd is not asked any more: each costs it some 20 ms.
const MOST: usize = 256;

/// Somebody from nowhere in particular: the reserved names and addresses of RFC 2606, RFC 5737 and RFC 3849.
const HOST: &str = "client.invalid";
const CLIENT: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const SERVER: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 2), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));

/// An account with the names of its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) account: Account,
    pub(crate) groups: Vec<String>,
}

/// The accounts with their groups (group(5)); root first, then those with a shell.
pub(crate) fn members(accounts: Vec<Account>, group: &str) -> Vec<Member> {
    let mut by_user: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut names: BTreeMap<u32, &str> = BTreeMap::new();
    for line in group.lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(gid)) = (fields.next(), fields.nth(1)) else { continue };
        names.extend(gid.parse().ok().map(|gid: u32| (gid, name)));
        for user in fields.next().unwrap_or_default().trim_end().split(',') {
            by_user.entry(user).or_default().push(name);
        }
    }
    let mut members: Vec<Member> = accounts
        .into_iter()
        .map(|account| {
            let first = names.get(&account.gid).copied();
            let others = by_user.get(account.name.as_str()).into_iter().flatten().copied();
            let groups = first.into_iter().chain(others).map(ToOwned::to_owned).collect();
            Member { account, groups }
        })
        .collect();
    members.sort_by_key(|member| (member.account.name != "root", !member.account.has_shell));
    members
}

/// A connection as Match sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) user: String,
    groups: Vec<String>,
    host: String,
    address: IpAddr,
    local: SocketAddr,
    /// The routing domain, where a Match asks for it; that of most is empty.
    domain: Option<String>,
    /// Who is meant, for people.
    pub(crate) person: String,
    /// From where, for people; empty where it makes no difference.
    pub(crate) whence: String,
    /// The user is the superuser.
    pub(crate) is_root: bool,
}

impl Connection {
    fn of(user: &str, groups: &[String]) -> Self {
        Self {
            user: user.to_owned(),
            groups: groups.to_vec(),
            host: HOST.to_owned(),
            address: CLIENT.0.into(),
            local: (SERVER.0, 22).into(),
            domain: None,
            person: user.to_owned(),
            whence: String::new(),
            is_root: user == "root",
        }
    }

    /// One that asks for what holds for all, of these blocks.
    pub(crate) fn first(matches: &[(Vec<Condition>, Place)]) -> Self {
        let mut first = Self::of("root", &["root".to_owned()]);
        first.domain = Blocks::new(matches).lists("rdomain").first().map(|_| String::new());
        first
    }

    /// Who is meant and from where.
    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.person, self.whence)
    }

    /// The value of `sshd -C`.
    pub(crate) fn words(&self) -> String {
        let Self { user, host, address, local, domain, .. } = self;
        let (laddr, lport) = (local.ip(), local.port());
        let domain = domain.iter().map(|domain| format!(",rdomain={domain}")).collect::<String>();
        format!("user={user},host={host},addr={address},laddr={laddr},lport={lport}{domain}")
    }

    /// Whether all these Match lines hold.
    pub(crate) fn meets(&self, conditions: &[Condition]) -> bool {
        conditions.iter().flat_map(Condition::criteria).all(|(name, list)| self.is_of(&name, list))
    }

    /// Whether a criterion holds.
    fn is_of(&self, name: &str, list: &str) -> bool {
        match name {
            "all" => true,
            "user" => pattern_list::takes_in(list, &self.user),
            "group" => takes_in_group(list, &self.groups),
            "host" => pattern_list::takes_in(&list.to_lowercase(), &self.host),
            "address" => addresses::takes_in(list, self.address),
            "localaddress" => addresses::takes_in(list, self.local.ip()),
            "localport" => list.parse() == Ok(self.local.port()),
            "rdomain" => {
                self.domain.as_ref().is_some_and(|domain| pattern_list::takes_in(list, domain))
            }
            // Of a user that sshd does not know, and what this agent does not know.
            _ => false,
        }
    }
}

/// Who these connections of all are, for people: nobody named where it is all of them, and a person's name alone where
/// it is all of theirs.
pub(crate) fn names(these: &[&Connection], all: &[&Connection]) -> Vec<String> {
    if these.len() == all.len() {
        return Vec::new();
    }
    let of = |from: &[&Connection], person: &str| {
        from.iter().filter(|connection| connection.person == person).count()
    };
    let mut names = Vec::new();
    for connection in these {
        let person = &connection.person;
        let name = match of(these, person) == of(all, person) {
            true => person.clone(),
            false => connection.name(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// sshd's word on groups: one that is negated excludes, whatever else fits.
fn takes_in_group(list: &str, groups: &[String]) -> bool {
    let excluded =
        |pattern: &str| groups.iter().any(|group| pattern_list::takes_in(pattern, group));
    !list.split(',').filter_map(|one| one.strip_prefix('!')).any(excluded)
        && groups.iter().any(|group| pattern_list::takes_in(list, group))
}

/// Each block's criteria.
struct Blocks<'m>(Vec<Vec<(String, &'m str)>>);

/// Which blocks are met, as far as some of their criteria go.
type Met = Vec<bool>;

/// The criteria that an account meets or not.
const OF_PERSONS: [&str; 4] = ["all", "invalid-user", "user", "group"];
/// Those of a connection.
const OF_CONNECTIONS: [&str; 5] = ["host", "rdomain", "localaddress", "localport", "address"];

impl<'m> Blocks<'m> {
    fn new(matches: &'m [(Vec<Condition>, Place)]) -> Self {
        let criteria = |(conditions, _): &'m (Vec<Condition>, Place)| {
            conditions.iter().flat_map(Condition::criteria).collect()
        };
        Self(matches.iter().map(criteria).collect())
    }

    /// Which of them a connection meets, as far as these criteria go.
    fn met(&self, connection: &Connection, names: &[&str]) -> Met {
        let holds = |(name, list): &(String, &str)| {
            !names.contains(&name.as_str()) || connection.is_of(name, list)
        };
        self.0.iter().map(|criteria| criteria.iter().all(holds)).collect()
    }

    /// The lists of a criterion, each once.
    fn lists(&self, wanted: &str) -> Vec<&'m str> {
        let all = self.0.iter().flatten().filter(|(name, _)| name == wanted);
        let mut seen = BTreeSet::new();
        all.map(|(_, list)| *list).filter(|list| seen.insert(*list)).collect()
    }

    /// Whether it is known here what a block's criteria mean.
    fn is_clear(&self, block: usize) -> bool {
        self.0[block].iter().all(|(name, list)| match name.as_str() {
            "address" | "localaddress" => addresses::is_clear(list),
            // sshd also takes names of services(5).
            "localport" => list.parse::<u16>().is_ok(),
            name => OF_PERSONS.contains(&name) || OF_CONNECTIONS.contains(&name),
        })
    }
}

/// Connections to ask sshd about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) connections: Vec<Connection>,
    /// Match lines that nobody known can meet.
    pub(crate) unmet: Vec<Place>,
    /// Match lines with criteria that cannot all be tried.
    pub(crate) unclear: Vec<Place>,
    /// There would have been more.
    pub(crate) too_many: bool,
}

/// For each group of accounts that no Match tells apart, a connection for each set of blocks that they can meet.
/// `listens` is where sshd listens.
pub(crate) fn to_ask(
    matches: &[(Vec<Condition>, Place)],
    members: &[Member],
    listens: &[SocketAddr],
) -> Asked {
    let blocks = Blocks::new(matches);
    let mut asked = Asked::default();
    let (mut persons, all_users) = persons(&blocks, members);
    let (sources, all_sources) = sources(&blocks, listens);
    asked.too_many = !all_users || !all_sources;
    if !blocks.lists("rdomain").is_empty() {
        persons.iter_mut().for_each(|person| person.domain = Some(String::new()));
    }
    let mut is_met = vec![false; matches.len()];
    let mut others = Vec::new();
    for person in persons {
        let mut states = vec![(blocks.met(&person, &OF_PERSONS), person)];
        for source in &sources {
            states = spread(states, source);
            asked.too_many |= states.len() > MOST;
            states.truncate(MOST);
        }
        let mut seen = BTreeSet::new();
        states.retain(|(met, _)| seen.insert(met.clone()));
        for (met, _) in &states {
            is_met.iter_mut().zip(met).for_each(|(is_met, met)| *is_met |= met);
        }
        let mut states = states.into_iter().map(|(_, connection)| connection);
        asked.connections.extend(states.next());
        others.extend(states);
    }
    asked.connections.extend(others);
    asked.too_many |= asked.connections.len() > MOST;
    asked.connections.truncate(MOST);
    for (block, (_, place)) in matches.iter().enumerate() {
        if !blocks.is_clear(block) {
            asked.unclear.push(place.clone());
        } else if !is_met[block] && !asked.too_many {
            asked.unmet.push(place.clone());
        }
    }
    asked
}

/// One for all those who meet the same criteria of users and groups; root is always one. Users that only a pattern
/// names are invented: a directory may know them. And whether these are all.
fn persons(blocks: &Blocks<'_>, members: &[Member]) -> (Vec<Connection>, bool) {
    let mut persons: Vec<(bool, Met, Connection, usize)> = Vec::new();
    for Member { account, groups } in members {
        let is_root = account.uid == 0;
        let person = Connection { is_root, ..Connection::of(&account.name, groups) };
        let met = blocks.met(&person, &OF_PERSONS);
        match persons.iter_mut().find(|(root, as_well, ..)| (is_root, &met) == (*root, as_well)) {
            Some((.., others)) => *others += 1,
            None => persons.push((is_root, met, person, 0)),
        }
    }
    if persons.is_empty() {
        let root = Connection::of("root", &["root".to_owned()]);
        persons.push((true, blocks.met(&root, &OF_PERSONS), root, 0));
    }
    let lists = blocks.lists("user");
    let (users, all) = texts(patterns(&lists));
    for user in users {
        let person = Connection::of(&user, &[]);
        let met = blocks.met(&person, &OF_PERSONS);
        if lists.iter().any(|list| person.is_of("user", list))
            && !members.iter().any(|member| member.account.name == user)
            && !persons.iter().any(|(_, as_well, ..)| *as_well == met)
        {
            persons.push((person.is_root, met, person, 0));
        }
    }
    let named = |(_, _, mut person, others): (bool, Met, Connection, usize)| {
        match others {
            0 => {}
            1 => person.person += " and one like it",
            _ => person.person += &format!(" and {others} like it"),
        }
        person
    };
    (persons.into_iter().map(named).collect(), all)
}

/// The patterns of lists, without `!`.
fn patterns<'l>(lists: &[&'l str]) -> impl Iterator<Item = &'l str> {
    let ones = lists.iter().flat_map(|list| list.split(','));
    ones.map(|one| one.strip_prefix('!').unwrap_or(one))
}

/// A part of a connection's way.
#[derive(Clone, Debug)]
enum Part {
    Host(String),
    Domain(String),
    Local(SocketAddr),
    Address(IpAddr),
}

/// A part with the blocks that it meets, and for people.
struct Choice {
    part: Part,
    met: Met,
    whence: String,
}

impl Part {
    /// A connection with this part; `None` where both ends would not be of one family.
    fn of(&self, connection: &Connection) -> Option<Connection> {
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
fn sources(blocks: &Blocks<'_>, listens: &[SocketAddr]) -> ([Vec<Choice>; 4], bool) {
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

/// Each connection with each choice, one for each set of blocks that they meet and family of addresses.
fn spread(states: Vec<(Met, Connection)>, choices: &[Choice]) -> Vec<(Met, Connection)> {
    if choices.is_empty() {
        return states;
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (met, connection) in states {
        let both = |choice: &Choice| -> Met {
            met.iter().zip(&choice.met).map(|(one, other)| *one && *other).collect()
        };
        let tells_apart = choices.iter().map(both).collect::<BTreeSet<Met>>().len() > 1;
        for choice in choices {
            let Some(mut connection) = choice.part.of(&connection) else { continue };
            let met = both(choice);
            if seen.insert((met.clone(), connection.local.is_ipv6())) {
                if tells_apart {
                    connection.whence += &choice.whence;
                }
                found.push((met, connection));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::accounts;
    use crate::sshd::config::{self, Files};
    use std::path::{Path, PathBuf};

    struct Text(String);

    impl Files for Text {
        fn read(&self, _: &Path) -> std::io::Result<Vec<u8>> {
            Ok(self.0.clone().into_bytes())
        }

        fn listed(&self, _: &Path, _: &str) -> std::io::Result<Vec<PathBuf>> {
            Ok(Vec::new())
        }
    }

    fn read(text: &str) -> config::Configuration {
        config::read(&Text(text.to_owned()), Path::new("/c"), &mut Vec::new())
    }

    fn some() -> Vec<Member> {
        let accounts = accounts(
            "daemon:x:1:1::/:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/sh\nroot:x:0:0::/root:/bin/sh\n\
             bob:x:1001:1000::/home/bob:/bin/sh\n",
        );
        members(accounts, "staff:x:1000:\nsftponly:x:70:bob,eve\nempty:x:71:\n")
    }

    fn asked(text: &str) -> (Vec<String>, Vec<usize>) {
        let asked = to_ask(&read(text).matches, &some(), &[([0, 0, 0, 0], 22).into()]);
        let names = asked.connections.iter().map(Connection::name).collect();
        assert_eq!((asked.unclear, asked.too_many), (Vec::new(), false));
        (names, asked.unmet.iter().map(|place| place.line).collect())
    }

    #[test]
    fn nobody_is_asked_for_twice() {
        assert_eq!(asked("X11Forwarding yes\n").0, ["root", "ann and 2 like it"]);
        assert_eq!(asked("Match all\nX11Forwarding yes\n").0, ["root", "ann and 2 like it"]);
        let (names, unmet) = asked("Match Group sftponly\nMatch User ann,!root\nMatch User eve*\n");
        assert_eq!(names, ["root", "ann", "bob", "daemon", "eve"]);
        assert_eq!(unmet, [0; 0]);
    }

    #[test]
    fn every_match_that_can_be_met_is() {
        let (names, unmet) = asked(
            "Match Group empty\nMatch Address 10.0.0.0/8,!10.0.0.1 Group staff\nMatch Host *.example.com\n\
             Match LocalPort 2222\nMatch Address 192.168.*\nMatch Address !10.0.0.1\nMatch invalid-user\n",
        );
        assert!(
            names.contains(
                &"ann and one like it from other hosts to port 22 from 10.0.0.0/8,!10.0.0.1"
                    .to_owned()
            ),
            "{names:?}"
        );
        assert!(names.iter().any(|name| name.contains("from *.example.com")), "{names:?}");
        assert!(names.iter().any(|name| name.contains("to port 2222")), "{names:?}");
        assert!(
            names.contains(&"daemon from other hosts to port 22 from 192.168.*".to_owned()),
            "{names:?}"
        );
        assert_eq!(unmet, [1, 6, 7], "no member, nothing but an exclusion, nobody at all");
    }

    #[test]
    fn a_negated_group_excludes() {
        let groups = ["staff".to_owned(), "sftponly".to_owned()];
        assert!(takes_in_group("staff", &groups));
        assert!(!takes_in_group("staff,!sftponly", &groups));
        assert!(!takes_in_group("!sftponly", &groups));
        assert!(!takes_in_group("wheel", &groups));
    }

    fn names_of(text: &str, listens: &[&str]) -> Vec<String> {
        let listens: Vec<SocketAddr> =
            listens.iter().map(|socket| socket.parse().expect("a socket")).collect();
        let members = members(accounts("root:x:0:0::/root:/bin/sh\n"), "");
        to_ask(&read(text).matches, &members, &listens)
            .connections
            .iter()
            .map(Connection::name)
            .collect()
    }

    #[test]
    fn nobody_comes_where_nobody_listens() {
        let both = ["0.0.0.0:22", "[::]:22"];
        let all = "Match Address 0.0.0.0/0\n";
        assert_eq!(names_of(all, &both), ["root from 0.0.0.0/0", "root from elsewhere"]);
        assert_eq!(names_of(all, &both[..1]), ["root from 0.0.0.0/0"]);
        let local = "Match LocalAddress 127.0.0.1\n";
        assert_eq!(names_of(local, &["127.0.0.1:22"]), ["root"]);
        assert_eq!(names_of(local, &["10.0.0.1:22"]).len(), 2, "another may hand it the socket");
        let port = "Match LocalPort 22\n";
        assert_eq!(names_of(port, &["10.0.0.1:22"]), ["root"]);
        let two = ["10.0.0.1:22", "10.0.0.1:2222"];
        assert_eq!(names_of(port, &two), ["root to port 22", "root to port 2222"]);
        // Where it makes no difference to somebody, nothing is said of it.
        assert_eq!(names_of("Match User ann Address 10.0.0.0/8\n", &both)[0], "root");
    }

    use proptest::prelude::*;

    fn list(one: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        let one = (any::<bool>(), one)
            .prop_map(|(not, one)| if not { "!".to_owned() + &one } else { one });
        proptest::collection::vec(one, 1..3).prop_map(|ones| ones.join(","))
    }

    fn network() -> impl Strategy<Value = String> {
        let four = (0..8_u32, 28..=32_u8).prop_map(|(last, length)| {
            ipnet::Ipv4Net::new((0x0a00_0000 + last).into(), length)
                .expect("it")
                .trunc()
                .to_string()
        });
        prop_oneof![
            4 => four,
            1 => "10\\.0\\.0\\.(\\*|\\?|[0-3])",
            1 => Just("0.0.0.0/0".to_owned()),
            1 => Just("::/0".to_owned()),
            1 => Just("fd00::4/126".to_owned()),
        ]
    }

    fn block() -> impl Strategy<Value = String> {
        let name = || list("[ab*?]{1,3}");
        let criterion = prop_oneof![
            3 => list(network()).prop_map(|list| format!("Address {list}")),
            2 => list(network()).prop_map(|list| format!("LocalAddress {list}")),
            1 => prop_oneof![Just(22), Just(2222)].prop_map(|port| format!("LocalPort {port}")),
            2 => name().prop_map(|list| format!("Host {list}")),
            1 => name().prop_map(|list| format!("RDomain {list}")),
            1 => list("(ann|bob|a\\*|\\*)").prop_map(|list| format!("User {list}")),
            1 => list("(staff|sftponly)").prop_map(|list| format!("Group {list}")),
        ];
        proptest::collection::vec(criterion, 1..4)
            .prop_map(|criteria| format!("Match {}\nBanner none\n", criteria.join(" ")))
    }

    /// Addresses of both families in and beside the networks, names that patterns fit and not, all ports.
    fn universe(person: &Member) -> Vec<Connection> {
        let four = (0..20_u32).map(|last| IpAddr::V4((0x0a00_0000 + last).into()));
        let six = ["fd00::3", "fd00::5", "fd00::9"].map(|one| one.parse().expect("an address"));
        let addresses: Vec<IpAddr> =
            four.chain(six).chain([[9, 9, 9, 9].into(), [10, 0, 0, 99].into()]).collect();
        let names =
            ["a", "b", "c", "ab", "ba", "aa", "bb", "abb", "cbb", "aac", "bcb", "ccc", "abab"];
        let mut all = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            for (beside, local) in addresses.iter().enumerate() {
                if address.is_ipv6() != local.is_ipv6() {
                    continue;
                }
                for (port, name) in
                    [22, 2222].into_iter().flat_map(|port| names.map(|name| (port, name)))
                {
                    // Of the domains one for each: all pairs of them with hosts come about.
                    let domain = ["", "a", "b", "ab", "c", "bab"][(index + beside) % 6];
                    all.push(Connection {
                        is_root: person.account.uid == 0,
                        host: name.to_owned(),
                        address: *address,
                        local: (*local, port).into(),
                        domain: Some(domain.to_owned()),
                        ..Connection::of(&person.account.name, &person.groups)
                    });
                }
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_set_of_blocks_that_somebody_meets_has_a_connection(
            blocks in proptest::collection::vec(block(), 1..5),
        ) {
            let matches = read(&blocks.concat()).matches;
            let listens = ["0.0.0.0:22", "0.0.0.0:2222", "[::]:22", "[::]:2222"];
            let listens = listens.map(|socket| socket.parse().expect("a socket"));
            let members = some();
            let asked = to_ask(&matches, &members, &listens);
            prop_assert!(!asked.too_many && asked.unclear.is_empty());
            let met = |one: &Connection| -> (bool, Vec<bool>) {
                (one.is_root, matches.iter().map(|(conditions, _)| one.meets(conditions)).collect())
            };
            let found: BTreeSet<_> = asked.connections.iter().map(met).collect();
            for connection in members.iter().flat_map(universe) {
                prop_assert!(found.contains(&met(&connection)), "{}", connection.words());
            }
            for place in &asked.unmet {
                let block = matches.iter().position(|(_, own)| own == place).expect("its block");
                prop_assert!(found.iter().all(|(_, met)| !met[block]));
            }
        }
    }

    /// What this machine's sshd says of a Match for each of these connections; `None` where there is no sshd.
    fn by_sshd(text: &str, connections: &[Connection]) -> Option<Vec<bool>> {
        let program = Path::new("/usr/sbin/sshd");
        program.exists().then_some(())?;
        if rustix::process::geteuid().is_root() {
            // Where sshd, as root, wants to lock itself in.
            let _ = std::fs::create_dir_all("/run/sshd");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sshd_config");
        std::fs::write(&file, format!("HostKey /nonexistent\n{text}")).expect("a file");
        let arguments = crate::sshd::daemon::Arguments::of_file(&file);
        let mut oracle = crate::sshd::effective::Oracle {
            program,
            arguments: &arguments,
            deadline: None,
            lacks_key: None,
        };
        let mut ask =
            |one| oracle.ask(one).unwrap_or_else(|why| panic!("{text}: {why:?}")).effective;
        Some(
            connections
                .iter()
                .map(|one| ask(one).value("Banner").as_deref() == Some("/met"))
                .collect(),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_match_holds_where_sshd_says_so(block in block()) {
            // Of groups sshd asks the system.
            prop_assume!(!block.contains("Group"));
            let text = block.replace("none", "/met");
            let matches = read(&text).matches;
            let listens = ["0.0.0.0:22", "0.0.0.0:2222", "[::]:22"].map(|one| one.parse().expect("it"));
            let asked = to_ask(&matches, &some(), &listens).connections;
            let own: Vec<bool> = asked.iter().map(|one| one.meets(&matches[0].0)).collect();
            if let Some(said) = by_sshd(&text, &asked) {
                let words: Vec<String> = asked.iter().map(Connection::words).collect();
                prop_assert_eq!(own, said, "{} {:?}", text, words);
            }
        }
    }
}
