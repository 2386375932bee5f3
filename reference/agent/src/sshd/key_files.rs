//! The files in which sshd looks for an account's keys (sshd_config(5), AuthorizedKeysFile).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::config::{Applies, Directive};
use crate::keys::Account;

/// What sshd looks at where its configuration does not say.
const DEFAULT: [&str; 2] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/// The values of a directive that sshd may use for logins of this user. A Match outdoes what is said of
/// all, and within either the first value wins.
pub(crate) fn values<'d>(
    directives: &'d [Directive],
    keyword: &str,
    user: &str,
) -> Vec<&'d Directive> {
    let own = directives.iter().filter(|directive| directive.keyword == keyword);
    let (matched, plain): (Vec<_>, Vec<_>) = own.partition(|directive| !directive.under.is_empty());
    let mut values = Vec::new();
    for directive in matched.into_iter().chain(plain) {
        let applies = directive.applies(user);
        if applies > Applies::Never {
            values.push(directive);
        }
        if applies == Applies::Always {
            break;
        }
    }
    values
}

/// Every file in which sshd may look for this account's keys. `accounts`: whose homes `~` and `~NAME` mean.
pub(crate) fn key_files<'a>(
    directives: &[Directive],
    account: &Account,
    accounts: &(impl Iterator<Item = &'a Account> + Clone),
) -> Vec<PathBuf> {
    let values = values(directives, "authorizedkeysfile", &account.name);
    let is_settled =
        values.last().is_some_and(|directive| directive.applies(&account.name) == Applies::Always);
    let mut patterns: Vec<&str> =
        values.iter().flat_map(|directive| &directive.arguments).map(String::as_str).collect();
    if !is_settled {
        patterns.extend(DEFAULT);
    }
    let mut files: Vec<PathBuf> = patterns
        .iter()
        .filter(|pattern| !pattern.eq_ignore_ascii_case("none"))
        .filter_map(|pattern| match pattern.strip_prefix('~') {
            Some(rest) => below_a_home(rest, account, accounts.clone()),
            None => expanded(pattern, account),
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

/// `~/FILE` is in the home of who runs sshd, which is root, whoever logs in; `~NAME/FILE` in that account's.
fn below_a_home<'a>(
    pattern: &str,
    account: &Account,
    mut accounts: impl Iterator<Item = &'a Account>,
) -> Option<PathBuf> {
    let (name, file) = pattern.split_once('/').unwrap_or((pattern, ""));
    let is_meant = |one: &&Account| if name.is_empty() { one.uid == 0 } else { one.name == name };
    let owner = accounts.find(is_meant)?;
    Some(owner.home.join(OsStr::from_bytes(&filled(file, account)?)))
}

/// A pattern with its tokens put in; below the home, unless absolute. `None` where a token is none.
pub(crate) fn expanded(pattern: &str, account: &Account) -> Option<PathBuf> {
    Some(account.home.join(OsStr::from_bytes(&filled(pattern, account)?)))
}

fn filled(pattern: &str, account: &Account) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut octets = pattern.bytes();
    while let Some(octet) = octets.next() {
        if octet != b'%' {
            text.push(octet);
            continue;
        }
        match octets.next() {
            Some(b'%') => text.push(b'%'),
            Some(b'h') => text.extend_from_slice(account.home.as_os_str().as_bytes()),
            Some(b'u') => text.extend_from_slice(account.name.as_bytes()),
            Some(b'U') => text.extend_from_slice(account.uid.to_string().as_bytes()),
            _ => return None,
        }
    }
    Some(text)
}
