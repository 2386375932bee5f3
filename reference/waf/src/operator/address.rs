//! `@ipMatch` and `@ipMatchFromFile`: addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of addresses.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// First and last of each run, in order, apart from each other.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// What is no address or network, and where it stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnAddress {
    pub(super) at: usize,
    pub(super) text: String,
}

impl Addresses {
    /// Reads addresses and networks (`192.0.2.0/24`, `2001:db8::/32`) parted by commas. Bits behind the prefix
    /// are of no meaning.
    pub(super) fn in_argument(text: &str) -> Result<Self, NotAnAddress> {
        let mut nets = Vec::new();
        let mut at = 0;
        for part in text.split(',') {
            let word = part.trim();
            if !word.is_empty() {
                nets.push(net(word).ok_or_else(|| NotAnAddress { at, text: word.to_owned() })?);
            }
            at += part.len() + 1;
        }
        Ok(Self::new(&nets))
    }

    /// Reads one a line; what follows it behind white space or `#` is a remark.
    pub(super) fn in_file(text: &str) -> Result<Self, NotAnAddress> {
        let mut nets = Vec::new();
        let mut at = 0;
        for line in text.split('\n') {
            let stop = |character: char| character.is_whitespace() || character == '#';
            let word = line.trim_start().split(stop).next().unwrap_or_default();
            if !word.is_empty() {
                nets.push(net(word).ok_or_else(|| NotAnAddress { at, text: word.to_owned() })?);
            }
            at += line.len() + 1;
        }
        Ok(Self::new(&nets))
    }

    fn new(nets: &[IpNet]) -> Self {
        let mut set = Self::default();
        for net in nets {
            match net {
                IpNet::V4(net) => set.v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => set.v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        join(&mut set.v4);
        join(&mut set.v6);
        set
    }

    /// Whether the value is an address of the set. What is no address is in none.
    pub(super) fn contains(&self, value: &[u8]) -> bool {
        let address = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        match address {
            Some(IpAddr::V4(address)) => holds(&self.v4, address.to_bits()),
            Some(IpAddr::V6(address)) => holds(&self.v6, address.to_bits()),
            None => false,
        }
    }
}

fn net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Orders runs and puts those together that overlap.
fn join<T: Ord + Copy>(runs: &mut Vec<(T, T)>) {
    runs.sort_unstable();
    runs.dedup_by(|next, kept| {
        let overlap = next.0 <= kept.1;
        if overlap {
            kept.1 = kept.1.max(next.1);
        }
        overlap
    });
}

fn holds<T: Ord + Copy>(runs: &[(T, T)], number: T) -> bool {
    let behind = runs.partition_point(|(first, _)| *first <= number);
    behind > 0 && number <= runs[behind - 1].1
}

#[cfg(test)]
mod tests {
    use super::{Addresses, NotAnAddress};

    #[test]
    fn addresses_and_networks() {
        let text = "192.168.1.5, 10.20.30.40/8,2001:db8::/32,::1, 10.0.0.0/9";
        let set = Addresses::in_argument(text).unwrap();
        for inside in
            ["192.168.1.5", "10.0.0.0", "10.255.255.255", "2001:db8::1", "::1", "0:0:0:0:0:0:0:1"]
        {
            assert!(set.contains(inside.as_bytes()), "{inside}");
        }
        for outside in [
            "192.168.1.6",
            "11.0.0.0",
            "9.255.255.255",
            "2001:db9::",
            "::2",
            "",
            "10",
            "x",
            "10.0.0.1 ",
        ] {
            assert!(!set.contains(outside.as_bytes()), "{outside}");
        }
        assert!(!set.contains(b"\xff"));
    }

    #[test]
    fn a_prefix_of_no_bits_holds_its_whole_family() {
        let set = Addresses::in_argument("0.0.0.0/0").unwrap();
        assert!(set.contains(b"255.255.255.255") && !set.contains(b"::"));
    }

    #[test]
    fn a_file_has_one_a_line() {
        let text = "# office\n192.0.2.1\n\n  198.51.100.0/24 # net\r\n2001:db8::1\r\n";
        let set = Addresses::in_file(text).unwrap();
        assert!(set.contains(b"192.0.2.1") && set.contains(b"198.51.100.7"));
        assert!(set.contains(b"2001:db8::1") && !set.contains(b"192.0.2.2"));
    }

    #[test]
    fn what_is_no_address_is_pointed_at() {
        let bad = |at, text: &str| NotAnAddress { at, text: text.to_owned() };
        let mistake = |text| Addresses::in_argument(text).unwrap_err();
        assert_eq!(mistake("10.0.0.1,10.0.0.256"), bad(9, "10.0.0.256"));
        assert_eq!(mistake("10.0.0.0/33"), bad(0, "10.0.0.0/33"));
        assert_eq!(mistake("10.0.0.0/255.0.0.0"), bad(0, "10.0.0.0/255.0.0.0"));
        assert_eq!(Addresses::in_file("::1\nhost\n").unwrap_err(), bad(4, "host"));
    }
}
