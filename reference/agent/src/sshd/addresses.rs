//! Addresses that tell sshd's lists of networks and patterns apart.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::pattern_list;
use super::texts::{Patterns, Progress};

/// One of a list, without its `!`.
#[derive(Clone, Copy, Debug)]
enum One<'l> {
    Network(IpNet),
    /// What the text of an address fits.
    Pattern(&'l str),
}

fn ones(list: &str) -> impl Iterator<Item = (One<'_>, bool)> {
    list.split(',').map(|one| {
        let (wanted, excludes) = match one.strip_prefix('!') {
            Some(one) => (one, true),
            None => (one, false),
        };
        let network = wanted.parse().or_else(|_| wanted.parse::<IpAddr>().map(IpNet::from));
        (network.map_or(One::Pattern(wanted), One::Network), excludes)
    })
}

/// Whether a list takes an address in: `10.0.0.0/8` or `10.*`, and `!` excludes.
pub(super) fn takes_in(list: &str, address: IpAddr) -> bool {
    let mut taken = false;
    for (one, excludes) in ones(list) {
        let fits = match one {
            One::Network(network) => network.contains(&address),
            One::Pattern(pattern) => pattern_list::takes_in(pattern, &address.to_string()),
        };
        match (fits, excludes) {
            (true, true) => return false,
            (true, false) => taken = true,
            (false, _) => {}
        }
    }
    taken
}

/// Whether all that a list can mean is known here. Not: patterns that IPv6 addresses as text may fit, since one
/// address has many texts to be cut in, and short forms (`127.0/8`) that sshd reads as the C library does.
pub(super) fn is_clear(list: &str) -> bool {
    ones(list).all(|(one, _)| match one {
        One::Network(_) => true,
        One::Pattern(pattern) => {
            let is_any = !pattern.is_empty() && pattern.chars().all(|one| one == '*');
            let is_of_ipv4 = pattern.contains(['*', '?']) && pattern.contains('.');
            is_any || is_of_ipv4 && !pattern.contains([':', '/'])
        }
    })
}

/// An address for each set of these lists' networks and patterns that some address is in; of each family its sample
/// first. All of them where the lists are clear.
pub(super) fn addresses(lists: &[&str], samples: (Ipv4Addr, Ipv6Addr)) -> Vec<IpAddr> {
    let mut four = Vec::new();
    let mut six = Vec::new();
    let mut patterns = BTreeSet::new();
    for (one, _) in lists.iter().flat_map(|list| ones(list)) {
        match one {
            One::Network(IpNet::V4(network)) => four.push(network),
            One::Network(IpNet::V6(network)) => six.push(network),
            One::Pattern(pattern) => {
                patterns.insert(pattern);
            }
        }
    }
    let four = of_ipv4(&four, &Patterns::new(patterns.iter().copied()), samples.0);
    let six = of_ipv6(&six, &patterns, samples.1);
    four.into_iter().map(IpAddr::from).chain(six.into_iter().map(IpAddr::from)).collect()
}

/// Octet by octet: which networks an address may still be in, and how far its text has come in the patterns.
fn of_ipv4(networks: &[Ipv4Net], patterns: &Patterns, sample: Ipv4Addr) -> Vec<Ipv4Addr> {
    let mut states: Vec<(Vec<usize>, Progress, [u8; 4])> =
        vec![((0..networks.len()).collect(), patterns.start(), [0; 4])];
    for (index, preferred) in sample.octets().into_iter().enumerate() {
        let mut seen = BTreeSet::new();
        let mut next = Vec::new();
        for (within, progress, octets) in &states {
            for octet in [preferred].into_iter().chain(1..=255).chain([0]) {
                let is_in = |network: &&usize| {
                    let network = networks[**network];
                    let (mask, own) = (network.netmask().octets(), network.network().octets());
                    octet & mask[index] == own[index]
                };
                let within: Vec<usize> = within.iter().filter(is_in).copied().collect();
                let text = if index == 0 { octet.to_string() } else { format!(".{octet}") };
                let step = |at, character| patterns.step(&at, character);
                let progress = text.chars().fold(progress.clone(), step);
                if seen.insert((within.clone(), progress.clone())) {
                    let mut octets = *octets;
                    octets[index] = octet;
                    next.push((within, progress, octets));
                }
            }
        }
        states = next;
    }
    states.into_iter().map(|(_, _, octets)| octets.into()).collect()
}

/// Networks lie within each other or apart, so that a network without some that lie in it is empty or has its
/// first address, or one just behind one of them. Of patterns a few texts are tried.
fn of_ipv6(networks: &[Ipv6Net], patterns: &BTreeSet<&str>, sample: Ipv6Addr) -> Vec<Ipv6Addr> {
    let mut found = vec![sample];
    for network in networks {
        let last = u128::from(network.broadcast());
        found.push(network.network());
        found.extend(last.checked_add(1).map(Ipv6Addr::from));
    }
    for pattern in patterns {
        let fill = |part: &&str| -> Option<Ipv6Addr> {
            pattern.replace('*', part).replace('?', "1").parse().ok()
        };
        found.extend(["", "1", ":1", "1:1", "::1", "1::", "1:1:1:1"].iter().filter_map(fill));
    }
    found.push(Ipv6Addr::UNSPECIFIED);
    let mut seen = BTreeSet::new();
    found.retain(|address| seen.insert(*address));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLES: (Ipv4Addr, Ipv6Addr) =
        (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

    /// Of a universe of 256 addresses and those beside it.
    fn network() -> impl Strategy<Value = String> {
        let four = (any::<u8>(), 22..=32_u8)
            .prop_map(|(last, length)| (IpAddr::from([10, 0, 255, last]), length));
        let six = (any::<u8>(), 118..=128_u8).prop_map(|(last, length)| {
            (IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last.into()]), length)
        });
        let network = prop_oneof![four, six].prop_map(|(address, length)| {
            IpNet::new(address, length).expect("a length").trunc().to_string()
        });
        let pattern = "10\\.0\\.(255|\\*|2\\?5)\\.(\\*|1\\*|\\?|\\*7|2\\?)";
        (any::<bool>(), prop_oneof![3 => network, 1 => pattern])
            .prop_map(|(excludes, one)| if excludes { format!("!{one}") } else { one })
    }

    proptest! {
        #[test]
        fn every_set_of_lists_that_an_address_is_in_has_one(
            lists in proptest::collection::vec(proptest::collection::vec(network(), 1..4), 0..5),
        ) {
            let lists: Vec<String> = lists.iter().map(|list| list.join(",")).collect();
            let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
            prop_assert!(lists.iter().all(|list| is_clear(list)));
            let met = |address: IpAddr| -> (bool, Vec<bool>) {
                (address.is_ipv6(), lists.iter().map(|list| takes_in(list, address)).collect())
            };
            let found: BTreeSet<_> = addresses(&lists, SAMPLES).into_iter().map(met).collect();
            let universe = (0xfb00..=0x1_0500_u32).map(|low| IpAddr::from((0x0a00_0000 + low).to_be_bytes()));
            let base = 0xfd00_u128 << 112;
            let six = (0..=0x500_u128).map(|low| IpAddr::from((base + low).to_be_bytes()));
            for address in universe.chain(six).chain([IpAddr::from(base.wrapping_sub(1).to_be_bytes())]) {
                prop_assert!(found.contains(&met(address)), "{address}: {found:?}");
            }
        }
    }

    #[test]
    fn the_sample_comes_first_and_patterns_count() {
        assert_eq!(addresses(&[], SAMPLES)[0], IpAddr::from(SAMPLES.0));
        let of = |list: &str| {
            addresses(&[list], SAMPLES).into_iter().find(|address| takes_in(list, *address))
        };
        assert_eq!(of("10.0.0.0/8,!10.0.0.0/16"), Some([10, 1, 2, 1].into()));
        assert_eq!(of("192.168.*").map(|is| is.to_string()).as_deref(), Some("192.168.2.1"));
        assert_eq!(of("2001:db8:7:*").map(|is| is.to_string()).as_deref(), Some("2001:db8:7::1"));
        assert_eq!(of("10.0.0.0/16,!10.0.0.0/8"), None);
        assert_eq!(of("::/0,!2001:db8::/32"), Some(Ipv6Addr::UNSPECIFIED.into()));
        assert!(is_clear("*,!10.?.1.*") && is_clear("::1"));
        assert!(!is_clear("fe80::*") && !is_clear("127.0/8") && !is_clear("1*"));
    }
}
