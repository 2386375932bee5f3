//! Work folders that outlive their run: whose they are, how long they stay, and who removes them.
//!
//! ```text
//! made ──▶ marked, claimed by the harness and its supervisors ─┬─ all is well ─▶ removed by the harness
//!                                                              ├─ a failure ───▶ marked as kept ─┐
//!                                                              └─ all killed ──▶ unclaimed ──────┤
//!                                                     the next run's sweep removes it, or leaves it
//! ```
//!
//! A mark is the file `.edgeproof` in the folder; without one nothing is ever touched. A claim is a
//! shared lock of the folder itself (flock(2)), which the kernel takes back however its owner ends.
//! Whoever removes a folder that is not his takes the lock alone first.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;
use nix::unistd::Uid;

/// The mark's name.
const MARK: &str = ".edgeproof";
/// How a mark begins.
const HEADING: &str = "A work folder of Edgeproof, ";
/// How the mark of a folder ends that was kept for a person to look at.
const KEPT: &str = "kept after a failure.\n";
/// The first part of a work folder's name.
const PREFIX: &str = "edgeproof-";
/// Letters and digits at the end of its name.
const RANDOM: usize = 6;

/// Kept folders of one target's name that stay, the newest.
const MOST_OF_NAME: usize = 10;
/// Kept folders of one place that stay, the newest.
const MOST_OF_PLACE: usize = 50;
/// None stays longer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// As long as this is held, no sweep touches the folder.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims a folder; others may do so too.
    ///
    /// # Errors
    /// It is not there, or its file system has no locks: then no sweep can remove it either.
    pub(crate) fn take(folder: &Path) -> io::Result<Self> {
        let lock = open_folder(folder)?;
        lock.lock_shared()?;
        Ok(Self { _lock: lock })
    }
}

/// How the name of a work folder begins and how many random letters end it.
pub(crate) fn name_of(target: &str) -> (String, usize) {
    let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let target: String = target.chars().map(name).take(40).collect();
    (format!("{PREFIX}{target}-"), RANDOM)
}

/// Marks a folder as this process's. It must be claimed before, or a sweep may take it for a leftover.
pub(crate) fn mark_in_use(folder: &Path) -> io::Result<()> {
    mark(folder, &format!("in use by the process {}.\n", std::process::id()))
}

/// Marks a folder as kept.
pub(crate) fn mark_kept(folder: &Path) -> io::Result<()> {
    mark(folder, KEPT)
}

/// In one go: half a mark is none.
fn mark(folder: &Path, what: &str) -> io::Result<()> {
    let new = folder.join(".edgeproof.new");
    fs::write(&new, format!("{HEADING}{what}"))?;
    fs::rename(new, folder.join(MARK))
}

/// Removes a folder, its mark last: what is cut off in the middle is still known as a leftover.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == MARK {
            continue;
        }
        gone(match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        })?;
    }
    gone(fs::remove_file(folder.join(MARK)))?;
    fs::remove_dir(folder)
}

/// Removes a folder that nobody claims any more; where there are no locks, in any case. The last of a
/// target's supervisors does it, so that no service loses it while it still runs.
pub(crate) fn remove_unclaimed(folder: &Path) {
    let Ok(lock) = open_folder(folder) else { return };
    if !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
        let _ = remove(folder);
    }
}

/// Without locks two supervisors of one target may remove its folder at the same time.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes the leftovers in a place, apart from the newest of those that were kept. What cannot be
/// looked at or removed stays: a run does not fail because of another one.
pub(crate) fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let found: Vec<Leftover> =
        entries.filter_map(Result::ok).filter_map(|entry| Leftover::at(entry.path())).collect();
    for leftover in doomed(found, SystemTime::now()) {
        leftover.remove();
    }
}

/// A marked folder, as it was when it was looked at; it may be in use.
#[derive(Debug, PartialEq, Eq)]
struct Leftover {
    path: PathBuf,
    /// What precedes the random end of its name.
    name: String,
    mark: Mark,
    /// When it was marked.
    since: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    InUse,
    Kept,
}

impl Leftover {
    /// `None` for whatever is not surely a work folder of this user.
    fn at(path: PathBuf) -> Option<Self> {
        let (name, random) = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.rsplit_once('-')?;
        if random.len() != RANDOM || !random.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return None;
        }
        let name = name.to_owned();
        let folder = fs::symlink_metadata(&path).ok()?;
        let owner = Uid::effective().as_raw();
        if !folder.is_dir() || folder.uid() != owner || folder.permissions().mode() & 0o777 != 0o700
        {
            return None;
        }
        let file = fs::symlink_metadata(path.join(MARK)).ok()?;
        if !file.is_file() || file.uid() != owner {
            return None;
        }
        let mark = mark_of(&path)?;
        Some(Self { path, name, mark, since: file.modified().ok()? })
    }

    /// Unless somebody uses it, or it is not what it was any more.
    fn remove(&self) {
        let Ok(lock) = open_folder(&self.path) else { return };
        if lock.try_lock().is_err() || Self::at(self.path.clone()).as_ref() != Some(self) {
            return;
        }
        let same = |one: &fs::Metadata, other: &fs::Metadata| {
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        if let (Ok(locked), Ok(named)) = (lock.metadata(), fs::symlink_metadata(&self.path))
            && same(&locked, &named)
        {
            let _ = remove(&self.path);
        }
    }
}

/// A folder itself, not one that a symbolic link leads to.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

fn mark_of(folder: &Path) -> Option<Mark> {
    let text = fs::read_to_string(folder.join(MARK)).ok()?;
    match text.strip_prefix(HEADING)? {
        KEPT => Some(Mark::Kept),
        _ => Some(Mark::InUse),
    }
}

/// Those that nobody needs, if nobody uses them.
fn doomed(mut found: Vec<Leftover>, now: SystemTime) -> Vec<Leftover> {
    found.sort_by(|one, other| other.since.cmp(&one.since).then(one.path.cmp(&other.path)));
    let (mut of_place, mut of_name) = (0, HashMap::<String, usize>::new());
    found.retain(|leftover| {
        if leftover.mark == Mark::InUse {
            return true;
        }
        let of_name = of_name.entry(leftover.name.clone()).or_default();
        let is_old = now.duration_since(leftover.since).is_ok_and(|age| age > LONGEST);
        if is_old || of_place == MOST_OF_PLACE || *of_name == MOST_OF_NAME {
            return true;
        }
        of_place += 1;
        *of_name += 1;
        false
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, number: usize, days: f64, now: SystemTime) -> Leftover {
        Leftover {
            path: PathBuf::from(format!("{name}-{number:06}")),
            name: name.to_owned(),
            mark: Mark::Kept,
            since: now - Duration::from_secs_f64(days * 86_400.0),
        }
    }

    fn numbers(leftovers: &[Leftover]) -> Vec<String> {
        leftovers.iter().map(|leftover| leftover.path.display().to_string()).collect()
    }

    #[test]
    fn the_newest_of_a_name_stay_and_none_for_ever() {
        let now = SystemTime::now();
        let mut found: Vec<Leftover> =
            (0..12).map(|number| kept("a", number, 0.1 * number as f64, now)).collect();
        found.push(kept("b", 0, 6.9, now));
        found.push(kept("b", 1, 7.1, now));
        assert_eq!(numbers(&doomed(found, now)), ["a-000010", "a-000011", "b-000001"]);
    }

    #[test]
    fn a_place_has_a_bound_of_its_own() {
        let now = SystemTime::now();
        let name = |number: usize| format!("ssh-{number}");
        let found: Vec<Leftover> = (0..52).map(|at| kept(&name(at), at, 0.0, now)).collect();
        assert_eq!(doomed(found, now).len(), 2);
    }

    #[test]
    fn what_was_in_use_and_is_not_any_more_goes_at_once() {
        let now = SystemTime::now();
        let killed = Leftover { mark: Mark::InUse, ..kept("a", 0, 0.0, now) };
        let found = vec![kept("a", 1, 0.0, now), killed];
        assert_eq!(numbers(&doomed(found, now)), ["a-000000"]);
    }
}
