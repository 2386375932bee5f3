//! Whose keys sshd would accept: every account, every file that its configuration names, every line that it
//! would read as a key.

mod allowed;
mod key;
mod passwd;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use allowed::{Allowed, AllowedError};
pub use key::Key;
pub use passwd::{Account, accounts};

use crate::authorized::{effective, key_on};
use crate::root::Root;
use crate::sshd::config::{self, Directive, Files as _};
use crate::sshd::key_files::{key_files, values};

/// Where to look.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What stands for `/`.
    pub root: PathBuf,
    /// The accounts' file, below the root.
    pub passwd: PathBuf,
    /// sshd's configuration, below the root.
    pub sshd_config: PathBuf,
    /// A key must be the user's own in the directory, not just anybody's.
    pub by_user: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            root: "/".into(),
            passwd: "/etc/passwd".into(),
            sshd_config: "/etc/ssh/sshd_config".into(),
            by_user: false,
        }
    }
}

/// A key that sshd would accept and that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strange {
    /// Whose logins it opens; `None` for every user's.
    pub user: Option<String>,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The key.
    pub key: Key,
    /// It signs certificates that sshd accepts.
    pub is_authority: bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct KeyFindings {
    /// Keys that are not allowed.
    pub strange: Vec<Strange>,
    /// Keys that are.
    pub allowed: usize,
    /// Accounts.
    pub accounts: usize,
    /// Files that were there, each once for every account.
    pub files: usize,
    /// What could not be looked at, and why.
    pub troubles: BTreeSet<(PathBuf, String)>,
    /// The deadline came before the last account.
    pub expired: bool,
}

impl KeyFindings {
    /// DESIGN's exit code: 1 a key is not allowed, 6 not everything could be looked at, 0 all good.
    pub fn exit_code(&self) -> u8 {
        match (self.strange.is_empty(), self.troubles.is_empty() && !self.expired) {
            (false, _) => 1,
            (true, false) => 6,
            (true, true) => 0,
        }
    }
}

/// Asserts that every key that sshd would accept is allowed. Accounts are looked at until the deadline.
///
/// # Errors
/// The root, or the accounts below it, cannot be read.
pub fn assert_keys(
    scope: &Scope,
    allowed: &Allowed,
    deadline: Option<Instant>,
) -> std::io::Result<KeyFindings> {
    let root = Root::open(&scope.root)?;
    let accounts = accounts(root.read(&scope.passwd)?);
    if accounts.is_empty() {
        let reason = format!("{} names none", scope.passwd.display());
        return Err(std::io::Error::other(reason));
    }
    let mut troubles = Vec::new();
    // A host without a configuration of sshd's has its defaults.
    let directives = match root.is_there(&scope.sshd_config) {
        true => config::read(&root, &scope.sshd_config, &mut troubles).directives,
        false => Vec::new(),
    };
    let mut search = Search { root, allowed, scope, findings: KeyFindings::default() };
    search.findings.troubles.extend(troubles);
    search.findings.accounts = accounts.len();
    search.authorities(&directives);
    for account in &accounts {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            search.findings.expired = true;
            break;
        }
        search.account(&directives, account, &accounts);
    }
    search.findings.strange.sort();
    Ok(search.findings)
}

struct Search<'s> {
    root: Root,
    allowed: &'s Allowed,
    scope: &'s Scope,
    findings: KeyFindings,
}

impl Search<'_> {
    fn account(&mut self, directives: &[Directive], account: &Account, accounts: &[Account]) {
        for file in key_files(directives, account, &accounts.iter()) {
            self.file(&file, Some(&account.name));
        }
        for command in values(directives, "authorizedkeyscommand", &account.name) {
            let program = command.arguments.first().map_or("", String::as_str);
            if !program.eq_ignore_ascii_case("none") && !program.is_empty() {
                let reason = "AuthorizedKeysCommand: the keys that it gives are not looked at";
                self.findings.troubles.insert((program.into(), reason.to_owned()));
            }
        }
    }

    /// Certificates signed by these keys open every account that their principals name.
    fn authorities(&mut self, directives: &[Directive]) {
        let files: BTreeSet<PathBuf> = directives
            .iter()
            .filter(|directive| directive.keyword == "trustedusercakeys")
            .flat_map(|directive| &directive.arguments)
            .filter(|file| !file.eq_ignore_ascii_case("none"))
            .map(PathBuf::from)
            .collect();
        files.iter().for_each(|file| self.file(file, None));
    }

    fn file(&mut self, file: &Path, user: Option<&str>) {
        let content = match self.root.read(file) {
            Ok(content) => content,
            // A home that is not there, or that is a file: no keys.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return;
            }
            Err(error) => {
                self.findings.troubles.insert((file.to_owned(), error.to_string()));
                return;
            }
        };
        self.findings.files += 1;
        for (index, line) in content.split(|octet| *octet == b'\n').enumerate() {
            let Some(found) = effective(line).and_then(|_| key_on(line)) else { continue };
            let Some(key) = Key::of(&found) else { continue };
            let is_allowed = match user {
                Some(user) if self.scope.by_user => self.allowed.allows_user(user, &key),
                _ => self.allowed.allows(&key),
            };
            if is_allowed {
                self.findings.allowed += 1;
                continue;
            }
            self.findings.strange.push(Strange {
                user: user.map(ToOwned::to_owned),
                file: file.to_owned(),
                line: index + 1,
                key,
                is_authority: user.is_none() || is_authority(found.options),
            });
        }
    }
}

/// Whether `cert-authority` is among the options, outside quotes.
fn is_authority(options: &[u8]) -> bool {
    let mut quoted = false;
    let mut names = options.split(|octet| {
        quoted ^= *octet == b'"';
        *octet == b',' && !quoted
    });
    names.any(|name| name.eq_ignore_ascii_case(b"cert-authority"))
}
