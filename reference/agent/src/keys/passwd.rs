//! Accounts: passwd(5), as the C library reads it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// Its home. One that is not said, or is relative, is seen from `/`: there sshd stands.
    pub home: PathBuf,
    /// Whether its shell lets anybody work: neither nologin nor false.
    pub has_shell: bool,
}

/// The accounts of a passwd file, or of `getent passwd`; lines that are none are passed over.
pub fn accounts(text: impl AsRef<[u8]>) -> Vec<Account> {
    text.as_ref().split(|octet| *octet == b'\n').filter_map(account).collect()
}

fn account(line: &[u8]) -> Option<Account> {
    let mut fields = line.trim_ascii_start().split(|octet| *octet == b':');
    // `+` and `-` were for NIS.
    let name = fields.next().filter(|name| !matches!(name, [] | [b'#' | b'+' | b'-', ..]))?;
    let uid = number(fields.nth(1)?)?;
    let gid = number(fields.next()?).unwrap_or(u32::MAX);
    let home = Path::new("/").join(OsStr::from_bytes(fields.nth(1)?));
    // An empty one is /bin/sh.
    let shell = fields.next().unwrap_or_default().trim_ascii_end();
    let has_shell = !shell.ends_with(b"/nologin") && !shell.ends_with(b"/false");
    Some(Account { name: String::from_utf8_lossy(name).into_owned(), uid, gid, home, has_shell })
}

/// As strtoul(3) reads it.
fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.trim_start().parse().ok()
}
