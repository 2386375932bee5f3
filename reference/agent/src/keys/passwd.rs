//! Accounts: passwd(5).

use std::path::PathBuf;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its home, where it has one.
    pub home: Option<PathBuf>,
}

/// The accounts of a passwd file, or of `getent passwd`; lines that are none are passed over.
pub fn accounts(text: &str) -> Vec<Account> {
    text.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let home = fields.nth(2)?;
    let home = home.starts_with('/').then(|| PathBuf::from(home));
    Some(Account { name: name.to_owned(), uid, home })
}
