//! Accounts: passwd(5).

use std::path::PathBuf;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// Its home, where it has one.
    pub home: Option<PathBuf>,
    /// Whether its shell lets anybody work: neither nologin nor false.
    pub has_shell: bool,
}

/// The accounts of a passwd file, or of `getent passwd`; lines that are none are passed over.
pub fn accounts(text: &str) -> Vec<Account> {
    text.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().unwrap_or(u32::MAX);
    let home = fields.nth(1)?;
    let home = home.starts_with('/').then(|| PathBuf::from(home));
    // An empty one is /bin/sh.
    let shell = fields.next().unwrap_or_default().trim_end();
    let has_shell = !shell.ends_with("/nologin") && !shell.ends_with("/false");
    Some(Account { name: name.to_owned(), uid, gid, home, has_shell })
}
