//! Who may come: connections that between them meet every Match that can be met.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::config::{Condition, Place};
use super::pattern_list;
use crate::keys::Account;

/// Beyond so many, sshd is not asked any more: each costs it some 20 ms.
const MOST: usize = 256;

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
    address: String,
    local_address: String,
    local_port: String,
    /// Who is meant, for people.
    pub(crate) name: String,
    /// The user is the superuser.
    pub(crate) is_root: bool,
}

impl Connection {
    /// Somebody from nowhere in particular: RFC 5737's and RFC 2606's reserved names.
    fn of(user: &str, groups: &[String], port: &str) -> Self {
        Self {
            user: user.to_owned(),
            groups: groups.to_vec(),
            host: "client.invalid".to_owned(),
            address: "192.0.2.1".to_owned(),
            local_address: "192.0.2.2".to_owned(),
            local_port: port.to_owned(),
            name: user.to_owned(),
            is_root: user == "root",
        }
    }

    /// The value of `sshd -C`.
    pub(crate) fn words(&self) -> String {
        let Self { user, host, address, local_address, local_port, .. } = self;
        format!("user={user},host={host},addr={address},laddr={local_address},lport={local_port}")
    }

    /// Whether all these Match lines hold.
    pub(crate) fn meets(&self, conditions: &[Condition]) -> bool {
        conditions.iter().flat_map(Condition::criteria).all(|(name, value)| {
            self.meets_person(&name, value).unwrap_or_else(|| match name.as_str() {
                "host" => pattern_list::takes_in(&value.to_lowercase(), &self.host),
                "address" => takes_in_address(value, &self.address),
                "localaddress" => takes_in_address(value, &self.local_address),
                "localport" => value == self.local_port,
                // rdomain, and what this agent does not know.
                _ => false,
            })
        })
    }

    /// Whether a criterion of the user's holds; `None` for one of the connection's.
    fn meets_person(&self, name: &str, value: &str) -> Option<bool> {
        Some(match name {
            "all" => true,
            "invalid-user" => false,
            "user" => pattern_list::takes_in(value, &self.user),
            "group" => takes_in_group(value, &self.groups),
            _ => return None,
        })
    }

    fn is_person_of(&self, conditions: &[Condition]) -> bool {
        let mut criteria = conditions.iter().flat_map(Condition::criteria);
        criteria.all(|(name, value)| self.meets_person(&name, value).unwrap_or(true))
    }
}

/// sshd's word on groups: one that is negated excludes, whatever else fits.
fn takes_in_group(list: &str, groups: &[String]) -> bool {
    let excluded =
        |pattern: &str| groups.iter().any(|group| pattern_list::takes_in(pattern, group));
    !list.split(',').filter_map(|one| one.strip_prefix('!')).any(excluded)
        && groups.iter().any(|group| pattern_list::takes_in(list, group))
}

/// Patterns, or networks as `10.0.0.0/8`; `!` excludes.
fn takes_in_address(list: &str, address: &str) -> bool {
    let mut taken = false;
    for one in list.split(',') {
        let (wanted, excludes) = match one.strip_prefix('!') {
            Some(one) => (one, true),
            None => (one, false),
        };
        let fits = match (wanted.parse::<IpNet>(), address.parse::<IpAddr>()) {
            (Ok(network), Ok(address)) => network.contains(&address),
            _ => pattern_list::takes_in(wanted, address),
        };
        match (fits, excludes) {
            (true, true) => return false,
            (true, false) => taken = true,
            (false, _) => {}
        }
    }
    taken
}

/// Connections to ask sshd about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) connections: Vec<Connection>,
    /// Match lines that nobody known can meet.
    pub(crate) unmet: Vec<Place>,
    /// There would have been more.
    pub(crate) too_many: bool,
}

/// One connection for all accounts that no Match tells apart, and one for each Match of addresses, hosts or ports
/// and each such group of accounts that it can apply to. `port` is what sshd listens on.
pub(crate) fn to_ask(matches: &[(Vec<Condition>, Place)], members: &[Member], port: &str) -> Asked {
    let mut persons = persons(matches, members, port);
    let mut asked = Asked::default();
    for (conditions, place) in matches {
        let criteria: Vec<(String, &str)> =
            conditions.iter().flat_map(Condition::criteria).collect();
        if !persons.iter().any(|person| person.is_person_of(conditions)) {
            // Somebody whom a directory knows, perhaps.
            let users = criteria.iter().filter(|(name, _)| name == "user");
            let invented = users.filter_map(|(_, list)| filled(list, "x"));
            let invented = invented.map(|user| Connection::of(&user, &[], port));
            persons.extend(invented.filter(|person| person.is_person_of(conditions)));
        }
        let wanted = persons.iter().filter(|person| person.is_person_of(conditions));
        let met: Vec<Connection> =
            wanted.filter_map(|person| from_there(person, conditions, &criteria)).collect();
        if met.is_empty() {
            asked.unmet.push(place.clone());
        }
        asked.connections.extend(met);
    }
    asked.connections.splice(0..0, persons);
    let mut seen = BTreeSet::new();
    asked.connections.retain(|connection| seen.insert(connection.words()));
    asked.too_many = asked.connections.len() > MOST;
    asked.connections.truncate(MOST);
    asked
}

/// One for all those who meet the same criteria of users and groups; root is always one.
fn persons(matches: &[(Vec<Condition>, Place)], members: &[Member], port: &str) -> Vec<Connection> {
    let mut alike: BTreeMap<(bool, Vec<bool>), (Connection, usize)> = BTreeMap::new();
    let mut order = Vec::new();
    for Member { account, groups } in members {
        let is_root = account.uid == 0;
        let person = Connection { is_root, ..Connection::of(&account.name, groups, port) };
        let met = matches.iter().map(|(conditions, _)| person.is_person_of(conditions)).collect();
        let key = (is_root, met);
        match alike.get_mut(&key) {
            Some((_, others)) => *others += 1,
            None => {
                order.push(key.clone());
                alike.insert(key, (person, 0));
            }
        }
    }
    let mut persons = Vec::new();
    for (mut person, others) in order.iter().filter_map(|key| alike.remove(key)) {
        match others {
            0 => {}
            1 => person.name += " and one like it",
            _ => person.name += &format!(" and {others} like it"),
        }
        persons.push(person);
    }
    if persons.is_empty() {
        persons.push(Connection::of("root", &["root".to_owned()], port));
    }
    persons
}

/// The same person, from where the criteria want it.
fn from_there(
    person: &Connection,
    conditions: &[Condition],
    criteria: &[(String, &str)],
) -> Option<Connection> {
    let mut there = person.clone();
    let mut from = Vec::new();
    for (name, list) in criteria {
        match name.as_str() {
            "address" => {
                there.address = address(list)?;
                from.push(format!("from {list}"));
            }
            "host" => {
                there.host = filled(&list.to_lowercase(), "x")?;
                from.push(format!("from {list}"));
            }
            "localaddress" => {
                there.local_address = address(list)?;
                from.push(format!("to {list}"));
            }
            "localport" => {
                there.local_port = (*list).to_owned();
                from.push(format!("to port {list}"));
            }
            _ => {}
        }
    }
    if !from.is_empty() {
        there.name = format!("{} {}", there.name, from.join(" "));
    }
    there.meets(conditions).then_some(there)
}

/// An address that a list takes in.
fn address(list: &str) -> Option<String> {
    let wanted = list.split(',').filter(|one| !one.starts_with('!'));
    let candidates = wanted.flat_map(|one| match one.parse::<IpNet>() {
        Ok(network) => network.hosts().take(300).map(|address| address.to_string()).collect(),
        Err(_) => ["1", "1.1", "1.1.1", "1.1.1.1", "1:1", "::1"]
            .iter()
            .map(|part| one.replacen('*', part, 1).replace(['*', '?'], "1"))
            .filter(|address| address.parse::<IpAddr>().is_ok())
            .collect::<Vec<_>>(),
    });
    let mut candidates = candidates;
    candidates.find(|candidate| takes_in_address(list, candidate))
}

/// A text that a list of patterns takes in.
fn filled(list: &str, with: &str) -> Option<String> {
    let wanted = list.split(',').filter(|one| !one.starts_with('!'));
    let mut texts = wanted.map(|one| one.replace(['*', '?'], with));
    texts.find(|text| pattern_list::takes_in(list, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::accounts;
    use crate::sshd::config::{self, Files};
    use std::path::{Path, PathBuf};

    struct Text(&'static str);

    impl Files for Text {
        fn read(&self, _: &Path) -> std::io::Result<Vec<u8>> {
            Ok(self.0.as_bytes().to_vec())
        }

        fn listed(&self, _: &Path, _: &str) -> std::io::Result<Vec<PathBuf>> {
            Ok(Vec::new())
        }
    }

    fn asked(text: &'static str) -> (Vec<String>, Vec<usize>) {
        let read = config::read(&Text(text), Path::new("/c"), &mut Vec::new());
        let accounts = accounts(
            "daemon:x:1:1::/:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/sh\nroot:x:0:0::/root:/bin/sh\n\
             bob:x:1001:1000::/home/bob:/bin/sh\n",
        );
        let members = members(accounts, "staff:x:1000:\nsftponly:x:70:bob,eve\nempty:x:71:\n");
        let asked = to_ask(&read.matches, &members, "22");
        let names = asked.connections.iter().map(|one| one.name.clone()).collect();
        (names, asked.unmet.iter().map(|place| place.line).collect())
    }

    #[test]
    fn nobody_is_asked_for_twice() {
        assert_eq!(asked("X11Forwarding yes\n").0, ["root", "ann and 2 like it"]);
        assert_eq!(asked("Match all\nX11Forwarding yes\n").0, ["root", "ann and 2 like it"]);
        let (names, unmet) = asked("Match Group sftponly\nMatch User ann,!root\nMatch User eve*\n");
        assert_eq!(names, ["root", "ann", "bob", "daemon", "evex"]);
        assert_eq!(unmet, [0; 0]);
    }

    #[test]
    fn every_match_that_can_be_met_is() {
        let (names, unmet) = asked(
            "Match Group empty\nMatch Address 10.0.0.0/8,!10.0.0.1 Group staff\nMatch Host *.example.com\n\
             Match LocalPort 2222\nMatch Address 192.168.*\nMatch Address !10.0.0.1\nMatch invalid-user\n",
        );
        assert!(
            names.contains(&"ann and one like it from 10.0.0.0/8,!10.0.0.1".to_owned()),
            "{names:?}"
        );
        assert!(names.contains(&"root from *.example.com".to_owned()), "{names:?}");
        assert!(names.contains(&"root to port 2222".to_owned()), "{names:?}");
        assert!(names.contains(&"daemon from 192.168.*".to_owned()), "{names:?}");
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
}
