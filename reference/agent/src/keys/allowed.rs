//! The keys that may be there: a file in the form of `authorized_keys`, or an LDIF export of a directory.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::Key;
use crate::authorized::key_on;

/// Keys that may be there.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    keys: HashSet<Key>,
    /// By the `uid` of an LDIF's entry.
    of_user: HashMap<String, HashSet<Key>>,
}

/// A list that allows nothing is a mistake more often than a wish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowedError {
    /// No key in it.
    #[error("there is no key in it")]
    Empty,
    /// Keys by user are asked for, and no entry names one.
    #[error("no entry has a `uid`: keys by user need an LDIF export with them")]
    NoUsers,
}

impl Allowed {
    /// Reads either form.
    ///
    /// # Errors
    /// There is no key in it.
    pub fn read(text: &[u8]) -> Result<Self, AllowedError> {
        let mut allowed = Self::default();
        if is_ldif(text) {
            unfolded(text).split(Vec::is_empty).for_each(|entry| allowed.add_entry(entry));
        } else {
            allowed.keys = text.split(|octet| *octet == b'\n').filter_map(key).collect();
        }
        if allowed.keys.is_empty() { Err(AllowedError::Empty) } else { Ok(allowed) }
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key may be anybody's.
    pub fn allows(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// Whether a key is this user's own.
    pub fn allows_user(&self, user: &str, key: &Key) -> bool {
        self.of_user.get(user).is_some_and(|keys| keys.contains(key))
    }

    /// Whether keys are told apart by user.
    ///
    /// # Errors
    /// They are not.
    pub fn by_user(&self) -> Result<(), AllowedError> {
        if self.of_user.is_empty() { Err(AllowedError::NoUsers) } else { Ok(()) }
    }

    fn add_entry(&mut self, entry: &[Vec<u8>]) {
        let mut keys = HashSet::new();
        let mut users = Vec::new();
        for line in entry {
            let Some((name, value)) = attribute(line) else { continue };
            match name.as_str() {
                "sshpublickey" => keys.extend(value.split(|octet| *octet == b'\n').filter_map(key)),
                "uid" => users.extend(String::from_utf8(value)),
                _ => {}
            }
        }
        for user in users {
            self.of_user.entry(user).or_default().extend(keys.iter().cloned());
        }
        self.keys.extend(keys);
    }
}

fn key(line: &[u8]) -> Option<Key> {
    key_on(line).and_then(|line| Key::of(&line))
}

/// RFC 2849: `version: 1` or an entry's `dn:` comes first, comments aside.
fn is_ldif(text: &[u8]) -> bool {
    let mut lines = text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find(|line| !line.is_empty() && line[0] != b'#' && line[0] != b' ');
    first.and_then(attribute).is_some_and(|(name, _)| name == "dn" || name == "version")
}

/// Lines as they were before they were folded: one that begins with a space belongs to the one before.
fn unfolded(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.strip_prefix(b" "), lines.last_mut()) {
            (Some(more), Some(last)) if !last.is_empty() => last.extend_from_slice(more),
            _ => lines.push(line.to_vec()),
        }
    }
    lines.retain(|line| line.first() != Some(&b'#'));
    lines
}

/// A line's attribute, its options (`;binary`) taken off, and its value, out of base64 where it is.
fn attribute(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let name = line[..colon].split(|octet| *octet == b';').next()?;
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let value = match &line[colon + 1..] {
        [b':', encoded @ ..] => STANDARD.decode(encoded.trim_ascii()).ok()?,
        value => value.trim_ascii().to_vec(),
    };
    Some((name, value))
}
