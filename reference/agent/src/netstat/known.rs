//! The unknown-hosts job: neighbours that no known host owns.

use std::collections::BTreeSet;

use super::mac::Mac;
use super::{Interface, Neighbour};

/// A list of known hosts that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnownError {
    /// A line without a MAC.
    #[error("line {0} has no MAC such as 00:21:59:96:75:7f")]
    Line(usize),
    /// Nothing in it.
    #[error("there is no MAC in it: every neighbour would be unknown")]
    Empty,
}

/// The MACs of known hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHosts(BTreeSet<Mac>);

impl KnownHosts {
    /// Reads a list: every word of a line that is a MAC is known, so that the agent's own answers of other hosts are
    /// such a list; blank lines and those that begin with `#` are not read.
    ///
    /// # Errors
    /// A line, or the whole, has no MAC.
    pub fn read(text: &str) -> Result<Self, KnownError> {
        let mut known = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut macs = line
                .split_ascii_whitespace()
                .filter_map(|word| word.parse::<Mac>().ok())
                .peekable();
            macs.peek().ok_or(KnownError::Line(index + 1))?;
            known.extend(macs);
        }
        if known.is_empty() { Err(KnownError::Empty) } else { Ok(Self(known)) }
    }

    /// Whether a MAC is that of a known host.
    pub fn has(&self, mac: &Mac) -> bool {
        self.0.contains(mac)
    }

    /// The neighbours' MACs that are neither known nor this host's own, sorted, each once.
    pub fn unaccounted(&self, neighbours: &[Neighbour], own: &[Interface]) -> Vec<Mac> {
        let own: BTreeSet<Mac> = own.iter().flat_map(|interface| interface.macs.clone()).collect();
        let theirs: BTreeSet<Mac> = neighbours.iter().map(|neighbour| neighbour.mac).collect();
        theirs.into_iter().filter(|mac| !self.0.contains(mac) && !own.contains(mac)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_known_hosts() {
        let text = "# hosts\n\n00:21:59:96:75:7f gateway\nlocal 02-FC-00-00-00-05 eth0\n";
        assert_eq!(KnownHosts::read(text).expect("a list").0.len(), 2);
        assert_eq!(KnownHosts::read("# none\n"), Err(KnownError::Empty));
        for line in ["00:21:59:96:75", "00:21:59:96:75:7f:00", "00:21:59:96:75:+f", "bob"] {
            let text = format!("00:21:59:96:75:7f\n{line}\n");
            assert_eq!(KnownHosts::read(&text), Err(KnownError::Line(2)), "{line}");
        }
    }
}
