//! The unknown-hosts job over a fleet: neighbours that neither a host of the fleet nor a known one is.

use std::collections::{BTreeMap, BTreeSet};

use edgeproof_agent::{KnownHosts, Mac};
use serde_json::Value;

/// What the agents have heard: MACs of their own, and of their neighbours.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    own: BTreeSet<Mac>,
    neighbours: BTreeMap<Mac, BTreeSet<String>>,
}

impl Accounts {
    /// Takes the result of an agent's netstat.
    pub fn add(&mut self, agent: &str, result: &Value) {
        for one in result["found"].as_array().into_iter().flatten() {
            let Some(mac) = one["mac"].as_str().and_then(|mac| mac.parse().ok()) else { continue };
            match one["kind"].as_str() {
                Some("local") => {
                    self.own.insert(mac);
                }
                Some("neighbour") => {
                    let text = |key: &str| one[key].as_str().unwrap_or("?").to_owned();
                    let seen = format!("{agent}: {} {}", text("interface"), text("address"));
                    self.neighbours.entry(mac).or_default().insert(seen);
                }
                _ => {}
            }
        }
    }

    /// Neighbours that nobody accounts for, each with who sees it and where.
    pub fn unaccounted(&self, known: Option<&KnownHosts>) -> Vec<(Mac, &BTreeSet<String>)> {
        let is_known =
            |mac: &Mac| self.own.contains(mac) || known.is_some_and(|known| known.has(mac));
        self.neighbours
            .iter()
            .filter(|(mac, _)| !is_known(mac))
            .map(|(mac, seen)| (*mac, seen))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neighbours_that_the_fleet_owns_are_accounted_for() {
        let mut accounts = Accounts::default();
        let neighbour = |mac: &str, address: &str| json!({ "kind": "neighbour", "mac": mac, "address": address, "interface": "eth0" });
        let local = |mac: &str| json!({ "kind": "local", "mac": mac, "interface": "eth0" });
        accounts.add(
            "web1",
            &json!({ "found": [
            local("02:00:00:00:00:01"),
            neighbour("02:00:00:00:00:02", "10.0.0.2"),
            neighbour("00:21:59:96:75:7f", "10.0.0.9"),
            neighbour("02:00:00:00:00:fe", "10.0.0.254"),
        ] }),
        );
        accounts.add(
            "web2",
            &json!({ "found": [
            local("02:00:00:00:00:02"),
            neighbour("02:00:00:00:00:01", "10.0.0.1"),
            neighbour("00:21:59:96:75:7f", "10.0.0.9"),
            { "kind": "local", "mac": "nonsense" },
        ] }),
        );
        let told = |known: Option<&KnownHosts>| -> Vec<String> {
            let one = |(mac, seen): (Mac, &BTreeSet<String>)| {
                format!("{mac} is not accounted for {seen:?}")
            };
            accounts.unaccounted(known).into_iter().map(one).collect()
        };
        let seen = r#"00:21:59:96:75:7f is not accounted for {"web1: eth0 10.0.0.9", "web2: eth0 10.0.0.9"}"#;
        let gateway = KnownHosts::read("02:00:00:00:00:fe gateway").expect("a list");
        assert_eq!(told(Some(&gateway)), [seen]);
        assert_eq!(told(None).len(), 2, "the gateway is in no list");
    }
}
