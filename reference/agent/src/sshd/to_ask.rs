//! Who may come: a connection for each set of Match blocks that a connection can meet.
//!
//! What sshd makes of a connection depends on its user and on the blocks that it meets. So each criterion's values are
//! tried that tell the blocks apart, and of the combinations one for each set of blocks.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::choices::{Choice, patterns, sources};
use super::config::{Condition, Place};
use super::connection::{Blocks, Connection, Member, Met, OF_PERSONS};
use super::texts::texts;

/// Beyond so many, sshd is not asked any more: each costs it some 20 ms.
const MOST: usize = 256;
/// Beyond so many on the way there, no more are looked for: those of both families may yet turn out to be alike.
const MOST_ON_THE_WAY: usize = 4 * MOST;

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
            asked.too_many |= states.len() > MOST_ON_THE_WAY;
            states.truncate(MOST_ON_THE_WAY);
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
            if found.len() > MOST_ON_THE_WAY {
                return found;
            }
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
    use crate::sshd::connection::members;
    use std::net::IpAddr;
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
    fn there_is_an_end() {
        let sockets = ["0.0.0.0:22", "[::]:22"].map(|socket| socket.parse().expect("a socket"));
        let root = members(accounts("root:x:0:0::/root:/bin/sh\n"), "");
        let ask = |text: &str| {
            let asked = to_ask(&read(text).matches, &root, &sockets);
            (asked.connections.len(), asked.too_many)
        };
        let networks = |count| {
            let network = |one| format!("Match Address 10.0.{one}.0/24\nBanner none\n");
            (0..count).map(network).collect::<String>()
        };
        assert_eq!(ask(&networks(255)), (256, false));
        assert_eq!(ask(&networks(256)), (256, true));
        let names: String =
            ('a'..='k').map(|one| format!("Match Host *{one}*\nBanner none\n")).collect();
        assert_eq!(ask(&names), (256, true));
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
        #![proptest_config(ProptestConfig::with_cases(24))]
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
        #![proptest_config(ProptestConfig::with_cases(16))]
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
