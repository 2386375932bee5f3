//! Who else may write, or read: as sshd's StrictModes sees it.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::{Level, Source, Weakness};
use crate::keys::Account;
use crate::mode;
use crate::report::path_text;

const WRITABLE_BY_OTHERS: u32 = 0o022;
const OF_OTHERS: u32 = 0o077;

/// Whether a folder like /tmp, in which everybody may write only what is their own, is a way in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sticky {
    /// sshd's StrictModes takes it for one.
    Minded,
    Taken,
}

/// Who but this owner and root may change a file or folder: the first fault of it or of a folder above it, up to
/// and with `last`.
fn fault(
    path: &Path,
    owner: u32,
    last: &Path,
    sticky: Sticky,
) -> io::Result<Option<(PathBuf, String)>> {
    let real = path.canonicalize()?;
    let last = last.canonicalize().unwrap_or_else(|_| "/".into());
    for part in real.ancestors() {
        let metadata = part.metadata()?;
        let is_anothers = metadata.uid() != 0 && metadata.uid() != owner;
        let is_shared = sticky == Sticky::Taken && metadata.mode() & 0o1000 != 0 && part != real;
        if is_anothers || metadata.mode() & WRITABLE_BY_OTHERS != 0 && !is_shared {
            return Ok(Some((part.to_owned(), said(&metadata))));
        }
        if part == last {
            break;
        }
    }
    Ok(None)
}

/// `-rw-rw-r-- of the user number 1000`
fn said(metadata: &std::fs::Metadata) -> String {
    format!("{} of the user number {}", mode::ls(metadata.mode()), metadata.uid())
}

/// Why others than root and this owner could change what stands at a path: it, or a folder above it, is theirs to write.
pub fn way_to(path: &Path, owner: u32) -> Option<String> {
    match fault(path, owner, Path::new("/"), Sticky::Taken) {
        Ok(None) => None,
        Ok(Some((part, how))) => Some(format!("{} is {how}", path_text(&part))),
        Err(error) => Some(format!("{}: {error}", path_text(path))),
    }
}

/// A configuration file that others could change.
pub(crate) fn configuration(file: &Path) -> Option<Weakness> {
    let own = rustix::process::geteuid().as_raw();
    let (part, how) = fault(file, own, Path::new("/"), Sticky::Taken).ok().flatten()?;
    Some(Weakness {
        level: Level::Must,
        directive: "Include".to_owned(),
        value: format!("{} is {how}", path_text(&part)),
        wanted: "root's, and nobody else's to write".to_owned(),
        source: Source::File(file.to_owned()),
        of: Vec::new(),
    })
}

/// Whether others than its owner may do anything with a file: sshd takes no such host key of its own user's.
pub(crate) fn is_open_to_others(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.mode() & OF_OTHERS != 0)
}

/// A host key that others may read, or replace. sshd refuses one that others may read if it is its own
/// user's, and takes it if it is somebody else's.
pub(crate) fn host_key(
    file: &Path,
    source: &Source,
    troubles: &mut Vec<(PathBuf, String)>,
) -> Vec<Weakness> {
    let own = rustix::process::geteuid().as_raw();
    let finding = |value: String, wanted: &str| Weakness {
        level: Level::Must,
        directive: "HostKey".to_owned(),
        value,
        wanted: wanted.to_owned(),
        source: source.clone(),
        of: Vec::new(),
    };
    let mut findings = Vec::new();
    match file.metadata() {
        Ok(metadata) if metadata.mode() & OF_OTHERS != 0 => {
            let value = format!("{} is {}", path_text(file), said(&metadata));
            findings.push(finding(value, "nobody else's to read (0600)"));
        }
        Ok(_) => {}
        // A default key that was never made: sshd goes without.
        Err(error) if error.kind() == ErrorKind::NotFound => return findings,
        Err(error) => troubles.push((file.to_owned(), error.to_string())),
    }
    match fault(file, own, Path::new("/"), Sticky::Taken) {
        Ok(Some((part, how))) if part != file => {
            let value = format!("{} is {how}", path_text(&part));
            findings.push(finding(value, "in folders that nobody else may write to"));
        }
        Ok(Some((_, how))) if findings.is_empty() => {
            let value = format!("{} is {how}", path_text(file));
            findings.push(finding(value, "root's (0600)"));
        }
        Ok(_) => {}
        Err(error) => troubles.push((file.to_owned(), error.to_string())),
    }
    findings
}

/// What StrictModes minds of an account: its home, its `.ssh` and its files of keys. With StrictModes sshd reads
/// no keys from there, and without it others can write their own.
pub(crate) fn home(
    account: &Account,
    files: &[PathBuf],
    source: &Source,
    troubles: &mut Vec<(PathBuf, String)>,
) -> Vec<Weakness> {
    let home = &account.home;
    let own = account.has_shell.then(|| [home.clone(), home.join(".ssh")]).into_iter().flatten();
    let mut faults: Vec<(PathBuf, String)> = Vec::new();
    for path in own.chain(files.iter().cloned()) {
        let last = if path.starts_with(home) { home } else { Path::new("/") };
        match fault(&path, account.uid, last, Sticky::Minded) {
            Ok(Some(found)) if !faults.contains(&found) => faults.push(found),
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => troubles.push((path, error.to_string())),
        }
    }
    let finding = |(part, how): (PathBuf, String)| Weakness {
        level: Level::Must,
        directive: "AuthorizedKeysFile".to_owned(),
        value: format!("{} is {how}", path_text(&part)),
        wanted: format!("{}'s or root's, and nobody else's to write", account.name),
        source: source.clone(),
        of: vec![account.name.clone()],
    };
    faults.into_iter().map(finding).collect()
}
