//! A collection in the hands of a transaction.

use super::collections::{Stored, StoredVariable};
use super::number;
use crate::operator::leading_number;
use crate::variable::Variable;

/// A copy of a stored collection, or a new one, and the changes to it.
#[derive(Debug)]
pub(super) struct Held {
    variable: Variable,
    key: Box<[u8]>,
    variables: Vec<HeldVariable>,
    removed: Vec<Box<[u8]>>,
    created: i64,
    /// Seconds without an update after which it is gone.
    timeout: u64,
    updated: Option<i64>,
    changed: bool,
}

#[derive(Debug)]
struct HeldVariable {
    name: Box<[u8]>,
    value: Vec<u8>,
    expires: Option<i64>,
    change: Change,
}

/// How a variable differs from what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    /// Set to what it is.
    Set,
    /// Increased by so much, or decreased.
    By(i64),
}

impl Held {
    /// One that did not exist before.
    pub(super) fn fresh(variable: Variable, key: &[u8], now: i64, timeout: u64) -> Self {
        let mut held = Self::empty(variable, key, now, timeout);
        held.fill_in(0);
        held.put(b"IS_NEW", b"1".to_vec(), None);
        held
    }

    /// A copy of what was stored.
    pub(super) fn stored(
        variable: Variable,
        key: &[u8],
        stored: Stored,
        now: i64,
        timeout: u64,
    ) -> Self {
        let mut held = Self::empty(variable, key, stored.created, timeout);
        held.updated = Some(stored.updated);
        held.fill_in(stored.updates);
        let age = now - stored.created;
        let rate = if age > 0 { 60 * stored.updates as i64 / age } else { 0 };
        held.put(b"UPDATE_RATE", number::text(rate), None);
        held.put(b"LAST_UPDATE_TIME", number::text(stored.updated), None);
        for StoredVariable { name, value, expires } in stored.variables {
            if expires.is_none_or(|expires| expires > now) {
                held.put(&name, value, expires);
            }
        }
        held
    }

    fn empty(variable: Variable, key: &[u8], created: i64, timeout: u64) -> Self {
        Self {
            variable,
            key: key.into(),
            variables: Vec::new(),
            removed: Vec::new(),
            created,
            timeout,
            updated: None,
            changed: false,
        }
    }

    /// The variables that every collection has.
    fn fill_in(&mut self, updates: u64) {
        let (key, created) = (self.key.to_vec(), number::text(self.created));
        let timeout = number::text(i64::try_from(self.timeout).unwrap_or(i64::MAX));
        self.put(b"KEY", key, None);
        self.put(b"TIMEOUT", timeout, None);
        self.put(b"CREATE_TIME", created, None);
        self.put(b"UPDATE_COUNTER", number::text(updates as i64), None);
    }

    fn put(&mut self, name: &[u8], value: Vec<u8>, expires: Option<i64>) {
        match self.find(name) {
            Some(at) => {
                self.variables[at].value = value;
                self.variables[at].expires = expires;
            }
            None => self.variables.push(HeldVariable {
                name: name.into(),
                value,
                expires,
                change: Change::None,
            }),
        }
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.variables.iter().position(|variable| variable.name.eq_ignore_ascii_case(name))
    }

    /// Which collection it is.
    pub(super) fn variable(&self) -> Variable {
        self.variable
    }

    /// Whose it is.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether there is something to store.
    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.find(name).map(|at| &self.variables[at].value[..])
    }

    /// All variables with their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.variables.iter().map(|variable| (&variable.name[..], &variable.value[..]))
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        let at = self.touch(name);
        self.variables[at].value = value.to_vec();
        self.variables[at].change = Change::Set;
    }

    /// Increases or decreases a variable, not below 0. What is not there counts as 0.
    pub(super) fn add(&mut self, name: &[u8], amount: i64) {
        let at = self.touch(name);
        let variable = &mut self.variables[at];
        let before = leading_number(&variable.value);
        variable.value = number::text(before.saturating_add(amount).max(0));
        variable.change = match variable.change {
            Change::Set => Change::Set,
            Change::None => Change::By(amount),
            Change::By(sum) => Change::By(sum.saturating_add(amount)),
        };
    }

    fn touch(&mut self, name: &[u8]) -> usize {
        self.changed = true;
        self.removed.retain(|removed| !removed.eq_ignore_ascii_case(name));
        if self.find(name).is_none() {
            self.put(name, Vec::new(), None);
        }
        self.find(name).expect("it was just put there")
    }

    /// Removes a variable.
    pub(super) fn remove(&mut self, name: &[u8]) {
        self.changed = true;
        if let Some(at) = self.find(name) {
            self.variables.remove(at);
        }
        self.removed.push(name.into());
    }

    /// expirevar: the variable goes after so many seconds, where it is there.
    pub(super) fn expire(&mut self, name: &[u8], seconds: i64, now: i64) {
        if let Some(at) = self.find(name) {
            self.changed = true;
            self.variables[at].expires = Some(now.saturating_add(seconds));
        }
    }

    /// deprecatevar: the variable is less by `amount` for every `period` of seconds since the
    /// collection was last stored, not below 0.
    pub(super) fn deprecate(&mut self, name: &[u8], amount: i64, period: i64, now: i64) {
        let (Some(value), Some(updated)) = (self.get(name), self.updated) else { return };
        if period > 0 && !value.is_empty() {
            let periods = (now - updated).max(0) / period;
            let loss = amount.saturating_mul(periods).min(leading_number(value));
            if loss > 0 {
                self.add(name, -loss);
            }
        }
    }

    /// Puts the changes into what is stored.
    pub(super) fn merge_into(&self, stored: &mut Stored, now: i64) {
        let own = [&b"IS_NEW"[..], b"UPDATE_RATE", b"LAST_UPDATE_TIME", b"UPDATE_COUNTER"];
        let own = own.into_iter().chain([&b"KEY"[..], b"TIMEOUT", b"CREATE_TIME"]);
        for variable in &self.variables {
            if !own.clone().any(|name| name.eq_ignore_ascii_case(&variable.name)) {
                variable.merge_into(&mut stored.variables);
            }
        }
        let removed = |name: &[u8]| self.removed.iter().any(|gone| gone.eq_ignore_ascii_case(name));
        stored.variables.retain(|variable| !removed(&variable.name));
        let timeout = self.get(b"TIMEOUT").map_or(0, leading_number);
        stored.expires = if removed(b"KEY") { now } else { now.saturating_add(timeout) };
        stored.updated = now;
        stored.updates += 1;
    }
}

impl HeldVariable {
    fn merge_into(&self, stored: &mut Vec<StoredVariable>) {
        let found = stored.iter_mut().find(|one| one.name.eq_ignore_ascii_case(&self.name));
        match (found, self.change) {
            (Some(one), Change::By(amount)) => {
                let sum = leading_number(&one.value).saturating_add(amount).max(0);
                one.value = number::text(sum);
                one.expires = self.expires;
            }
            (Some(one), Change::Set) => {
                one.value.clone_from(&self.value);
                one.expires = self.expires;
            }
            (Some(one), Change::None) => one.expires = self.expires,
            (None, Change::None) => {}
            (None, Change::Set | Change::By(_)) => stored.push(StoredVariable {
                name: self.name.clone(),
                value: self.value.clone(),
                expires: self.expires,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::collections::Collections;
    use super::*;

    const HOUR: u64 = 3600;

    fn get(held: &Held, name: &str) -> Option<String> {
        held.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn a_collection_is_new_once_and_then_knows_its_past() {
        let store = Collections::default();
        let mut first = store.hold(Variable::Ip, b"192.0.2.1", 1000, HOUR);
        assert_eq!(get(&first, "is_new").as_deref(), Some("1"));
        assert_eq!(get(&first, "KEY").as_deref(), Some("192.0.2.1"));
        assert_eq!(get(&first, "timeout").as_deref(), Some("3600"));
        assert_eq!(get(&first, "LAST_UPDATE_TIME"), None);
        first.add(b"hits", 2);
        store.give_back(&first, 1000);
        let second = store.hold(Variable::Ip, b"192.0.2.1", 1060, HOUR);
        assert_eq!(get(&second, "IS_NEW"), None);
        assert_eq!(get(&second, "HITS").as_deref(), Some("2"));
        assert_eq!(get(&second, "CREATE_TIME").as_deref(), Some("1000"));
        assert_eq!(get(&second, "LAST_UPDATE_TIME").as_deref(), Some("1000"));
        assert_eq!(get(&second, "UPDATE_COUNTER").as_deref(), Some("1"));
        assert_eq!(get(&second, "UPDATE_RATE").as_deref(), Some("1"));
        store.give_back(&second, 1060);
        let other = store.hold(Variable::Global, b"192.0.2.1", 1060, HOUR);
        assert_eq!(get(&other, "hits"), None);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn transactions_side_by_side_lose_no_count() {
        let store = Collections::default();
        let mut first = store.hold(Variable::Ip, b"a", 0, HOUR);
        first.set(b"n", b"10");
        first.set(b"m", b"1");
        store.give_back(&first, 0);
        let mut left = store.hold(Variable::Ip, b"a", 1, HOUR);
        let mut right = store.hold(Variable::Ip, b"a", 1, HOUR);
        left.add(b"n", 5);
        right.add(b"n", -3);
        right.add(b"n", 1);
        right.set(b"m", b"9");
        store.give_back(&left, 1);
        store.give_back(&right, 1);
        let after = store.hold(Variable::Ip, b"a", 2, HOUR);
        assert_eq!(get(&after, "n").as_deref(), Some("13"));
        assert_eq!(get(&after, "m").as_deref(), Some("9"));
    }

    #[test]
    fn variables_and_collections_go_when_their_time_is_over() {
        let store = Collections::default();
        let mut first = store.hold(Variable::Ip, b"a", 0, 100);
        first.set(b"short", b"1");
        first.expire(b"short", 10, 0);
        first.expire(b"absent", 10, 0);
        first.set(b"long", b"1");
        store.give_back(&first, 0);
        let at = |now| store.hold(Variable::Ip, b"a", now, 100);
        assert!(get(&at(9), "short").is_some());
        assert!(get(&at(10), "short").is_none() && get(&at(10), "long").is_some());
        assert!(get(&at(100), "long").is_none() && get(&at(100), "IS_NEW").is_some());
        assert!(get(&at(99), "absent").is_none());
    }

    #[test]
    fn what_is_removed_is_removed_from_the_store() {
        let store = Collections::default();
        let mut first = store.hold(Variable::Ip, b"a", 0, HOUR);
        first.set(b"x", b"1");
        first.set(b"y", b"1");
        store.give_back(&first, 0);
        let mut second = store.hold(Variable::Ip, b"a", 1, HOUR);
        second.remove(b"X");
        store.give_back(&second, 1);
        let third = store.hold(Variable::Ip, b"a", 2, HOUR);
        assert!(get(&third, "x").is_none() && get(&third, "y").is_some());
    }

    #[test]
    fn a_variable_loses_value_with_time() {
        let store = Collections::default();
        let mut first = store.hold(Variable::Ip, b"a", 0, HOUR);
        first.set(b"score", b"100");
        first.deprecate(b"score", 60, 300, 1000);
        assert_eq!(get(&first, "score").as_deref(), Some("100"));
        store.give_back(&first, 0);
        let mut later = store.hold(Variable::Ip, b"a", 899, HOUR);
        later.deprecate(b"score", 20, 300, 899);
        assert_eq!(get(&later, "score").as_deref(), Some("60"));
        later.deprecate(b"score", 90, 0, 899);
        later.deprecate(b"score", 90, 300, 899);
        assert_eq!(get(&later, "score").as_deref(), Some("0"));
    }

    #[test]
    fn the_store_is_bounded() {
        let store = Collections::new(16);
        for number in 0..100 {
            let mut held = store.hold(Variable::Ip, number.to_string().as_bytes(), number, HOUR);
            held.add(b"n", 1);
            store.give_back(&held, number);
        }
        assert!(store.len() <= 16);
        let last = store.hold(Variable::Ip, b"99", 100, HOUR);
        assert_eq!(get(&last, "n").as_deref(), Some("1"));
        assert!(!store.is_empty());
    }
}
