//! Free ports on loopback, found by binding port 0.
//!
//! Between finding a port and the target's bind somebody else may take it: a start that fails so is
//! tried again with other ports. Within this process no port is given out twice while it is in use.

use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, Value};

static IN_USE: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// The ports of one start: a name in a template gets a port when it is first used, and the same one
/// ever after. They are given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Ports(Mutex<BTreeMap<String, u16>>);

impl Ports {
    /// The port of that name; `None` when the system has no free port.
    pub(crate) fn named(&self, name: &str) -> Option<u16> {
        let mut names = locked(&self.0);
        if let Some(&port) = names.get(name) {
            return Some(port);
        }
        let port = reserve()?;
        names.insert(name.to_owned(), port);
        Some(port)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        if let Some(in_use) = locked(&IN_USE).as_mut() {
            for port in locked(&self.0).values() {
                in_use.remove(port);
            }
        }
    }
}

/// As the variable `port` of a template.
impl Object for Ports {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.named(key.as_str()?).map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

fn reserve() -> Option<u16> {
    let mut in_use = locked(&IN_USE);
    let in_use = in_use.get_or_insert_default();
    // Held until a new one is found, else the system may offer the same port over and over.
    let mut refused = Vec::new();
    for _ in 0..1000 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        if in_use.insert(port) {
            return Some(port);
        }
        refused.push(listener);
    }
    None
}

/// A panic elsewhere leaves the maps whole: they are only inserted into and removed from.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_port_and_no_port_is_given_twice() {
        let (one, two) = (Ports::default(), Ports::default());
        let http = one.named("http").unwrap();
        assert_eq!(one.named("http"), Some(http));
        let others: HashSet<u16> =
            (0..50).filter_map(|i| two.named(&i.to_string())).chain([http]).collect();
        assert_eq!(others.len(), 51);
    }
}
