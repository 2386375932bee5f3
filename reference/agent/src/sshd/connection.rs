//! A connection as Match sees it, and which blocks it meets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::addresses;
use super::config::{Condition, Place};
use super::pattern_list;
use crate::keys::Account;

/// Somebody from nowhere in particular: the reserved names and addresses of RFC 2606, RFC 5737 and RFC 3849.
pub(super) const HOST: &str = "client.invalid";
pub(super) const CLIENT: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
pub(super) const SERVER: (Ipv4Addr, Ipv6Addr) =
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
    pub(super) groups: Vec<String>,
    pub(super) host: String,
    pub(super) address: IpAddr,
    pub(super) local: SocketAddr,
    /// The routing domain, where a Match asks for it; that of most is empty.
    pub(super) domain: Option<String>,
    /// Who is meant, for people.
    pub(crate) person: String,
    /// From where, for people; empty where it makes no difference.
    pub(crate) whence: String,
    /// The user is the superuser.
    pub(crate) is_root: bool,
}

impl Connection {
    pub(super) fn of(user: &str, groups: &[String]) -> Self {
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
    pub(super) fn is_of(&self, name: &str, list: &str) -> bool {
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
pub(super) struct Blocks<'m>(Vec<Vec<(String, &'m str)>>);

/// Which blocks are met, as far as some of their criteria go.
pub(super) type Met = Vec<bool>;

/// The criteria that an account meets or not.
pub(super) const OF_PERSONS: [&str; 4] = ["all", "invalid-user", "user", "group"];
/// Those of a connection.
pub(super) const OF_CONNECTIONS: [&str; 5] =
    ["host", "rdomain", "localaddress", "localport", "address"];

impl<'m> Blocks<'m> {
    pub(super) fn new(matches: &'m [(Vec<Condition>, Place)]) -> Self {
        let criteria = |(conditions, _): &'m (Vec<Condition>, Place)| {
            conditions.iter().flat_map(Condition::criteria).collect()
        };
        Self(matches.iter().map(criteria).collect())
    }

    /// Which of them a connection meets, as far as these criteria go.
    pub(super) fn met(&self, connection: &Connection, names: &[&str]) -> Met {
        let holds = |(name, list): &(String, &str)| {
            !names.contains(&name.as_str()) || connection.is_of(name, list)
        };
        self.0.iter().map(|criteria| criteria.iter().all(holds)).collect()
    }

    /// The lists of a criterion, each once.
    pub(super) fn lists(&self, wanted: &str) -> Vec<&'m str> {
        let all = self.0.iter().flatten().filter(|(name, _)| name == wanted);
        let mut seen = BTreeSet::new();
        all.map(|(_, list)| *list).filter(|list| seen.insert(*list)).collect()
    }

    /// Whether it is known here what a block's criteria mean.
    pub(super) fn is_clear(&self, block: usize) -> bool {
        self.0[block].iter().all(|(name, list)| match name.as_str() {
            "address" | "localaddress" => addresses::is_clear(list),
            // sshd also takes names of services(5).
            "localport" => list.parse::<u16>().is_ok(),
            name => OF_PERSONS.contains(&name) || OF_CONNECTIONS.contains(&name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negated_group_excludes() {
        let groups = ["staff".to_owned(), "sftponly".to_owned()];
        assert!(takes_in_group("staff", &groups));
        assert!(!takes_in_group("staff,!sftponly", &groups));
        assert!(!takes_in_group("!sftponly", &groups));
        assert!(!takes_in_group("wheel", &groups));
    }
}
