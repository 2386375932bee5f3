//! The files in which sshd looks for an account's keys (sshd_config(5), AuthorizedKeysFile).

use std::path::{Path, PathBuf};

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

/// Every file in which sshd may look for this account's keys.
pub(crate) fn key_files(directives: &[Directive], account: &Account) -> Vec<PathBuf> {
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
        .filter_map(|pattern| expanded(pattern, account))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// A pattern with its tokens put in; below the home, unless absolute. `None` where there is no home.
pub(crate) fn expanded(pattern: &str, account: &Account) -> Option<PathBuf> {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('%') => text.push('%'),
            Some('h') => text.push_str(account.home.as_deref()?.to_str()?),
            Some('u') => text.push_str(&account.name),
            Some('U') => text.push_str(&account.uid.to_string()),
            _ => return None,
        }
    }
    match text.starts_with('/') {
        true => Some(PathBuf::from(text)),
        false => Some(account.home.as_deref().unwrap_or(Path::new("/")).join(text))
            .filter(|_| account.home.is_some()),
    }
}
