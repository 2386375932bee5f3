//! What an agent remembers over its own end: the actions that it took.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::admission::{SKEW, Seen};
use crate::id::Id;
use crate::time::Moment;

/// The file in an agent's state folder.
const FILE: &str = "taken";
/// What is to become that file.
const NEW: &str = "taken.new";
/// The file whose lock says that an agent uses the folder.
const LOCK: &str = "lock";

/// A state folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Another agent uses it.
    #[error("another agent uses this folder")]
    InUse,
    /// A line that this agent did not write.
    #[error(
        "line {0} of `{FILE}` is damaged; without it an action could be taken twice. Remove it where none is under way"
    )]
    Damaged(usize),
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The actions that were taken: in memory, and as lines of a file (`ID UNTIL`).
#[derive(Debug)]
pub struct Memory {
    seen: Seen,
    lines: Option<Lines>,
    /// Locked while it is open.
    _lock: Option<File>,
}

/// A file that grows by whole lines.
#[derive(Debug)]
struct Lines {
    file: File,
    /// Octets of its whole lines.
    length: u64,
}

impl Lines {
    /// Those of a file with this text.
    fn of(path: &Path, text: &[u8]) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        let whole = text.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
        Ok(Self { file, length: whole as u64 })
    }

    /// A file with no more than what is remembered, in the place of another, which stands until this one is whole.
    fn in_place_of(path: &Path, new: &Path, seen: &Seen) -> io::Result<Self> {
        // Left behind by a process that ended too early.
        let _ = std::fs::remove_file(new);
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(new)?;
        let mut lines = Self { file, length: 0 };
        seen.iter().try_for_each(|(id, until)| lines.add(&line(id, until)))?;
        if lines.length > 0 {
            lines.file.sync_all()?;
        }
        std::fs::rename(new, path)?;
        Ok(lines)
    }

    /// Adds a line. What a full disk has cut off of one before is taken away first, so that each begins where a line
    /// begins.
    fn add(&mut self, line: &str) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        Ok(())
    }
}

impl Memory {
    /// Remembers until the process ends.
    pub fn of_this_run() -> Self {
        Self { seen: Seen::default(), lines: None, _lock: None }
    }

    /// Remembers in a folder, which is made where it is missing and which no other agent uses meanwhile.
    ///
    /// # Errors
    /// The folder is in use, cannot be used, or what it remembers is damaged.
    pub fn in_folder(folder: &Path, now: Moment) -> Result<Self, MemoryError> {
        std::fs::create_dir_all(folder)?;
        let lock = locked(&folder.join(LOCK))?;
        let (path, new) = (folder.join(FILE), folder.join(NEW));
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let seen = read(&String::from_utf8_lossy(&text), now)?;
        let lines = match Lines::in_place_of(&path, &new, &seen) {
            Ok(lines) => lines,
            // A full disk: what is over stays, too.
            Err(_) if !text.is_empty() => Lines::of(&path, &text)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { seen, lines: Some(lines), _lock: Some(lock) })
    }

    /// What was taken, to be asked and added to.
    pub fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }

    /// Writes down that an action was taken, before anything is done. It is not forced onto the disk: after a power
    /// cut an action whose time is not over could be taken again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&mut self, id: Id, until: Moment) -> io::Result<()> {
        match &mut self.lines {
            Some(lines) => lines.add(&line(id, until)),
            None => Ok(()),
        }
    }
}

/// A file that no other process has locked, and that is locked until it is closed.
fn locked(path: &Path) -> Result<File, MemoryError> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(MemoryError::InUse),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

fn line(id: Id, until: Moment) -> String {
    format!("{id} {}\n", until.0)
}

fn read(text: &str, now: Moment) -> Result<Seen, MemoryError> {
    let mut seen = Seen::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let Some(whole) = line.strip_suffix('\n') else {
            // The process ended within a write: before the action was begun.
            break;
        };
        let entry = whole
            .split_once(' ')
            .and_then(|(id, until)| Some((id.parse().ok()?, Moment(until.parse().ok()?))));
        let (id, until) = entry.ok_or(MemoryError::Damaged(index + 1))?;
        if until.plus(SKEW) > now {
            seen.remember(id, until, now);
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Moment = Moment(1_700_000_000_000);

    #[test]
    fn what_was_taken_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("state");
        let (id, old) = (Id::new().expect("an id"), Id::new().expect("an id"));
        let until = NOW.plus(Duration::from_secs(50));
        let mut memory = Memory::in_folder(&folder, NOW).expect("a memory");
        for (id, until) in [(id, until), (old, NOW)] {
            assert!(memory.seen().remember(id, until, NOW));
            memory.note(id, until).expect("written");
        }
        assert!(matches!(Memory::in_folder(&folder, NOW), Err(MemoryError::InUse)));
        drop(memory);
        let later = NOW.plus(Duration::from_secs(40));
        let mut memory = Memory::in_folder(&folder, later).expect("a memory");
        assert!(!memory.seen().remember(id, until, later));
        assert!(memory.seen().remember(old, until, later), "its time was over");
        drop(memory);
        let text = std::fs::read_to_string(folder.join(FILE)).expect("a file");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let ids = [1, 2, 3].map(|_| Id::new().expect("an id"));
        let until = NOW.plus(Duration::from_secs(50));
        let mut memory = Memory::in_folder(folder, NOW).expect("a memory");
        memory.note(ids[0], until).expect("written");
        // A full disk takes the first half of a line, and later has room again.
        let mut file = OpenOptions::new().append(true).open(folder.join(FILE)).expect("a file");
        file.write_all(b"0123456789").expect("written");
        memory.note(ids[1], until).expect("written");
        // Here the process ends in the middle of one.
        file.write_all(b"0123456789").expect("written");
        drop(memory);
        let mut memory = Memory::in_folder(folder, NOW).expect("a memory");
        memory.note(ids[2], until).expect("written");
        drop(memory);
        let memory = Memory::in_folder(folder, NOW).expect("a memory");
        let known = |id: &Id| memory.seen.until(*id).is_some();
        assert_eq!((memory.seen.len(), ids.iter().all(known)), (3, true));
    }

    #[test]
    fn a_start_on_a_full_disk_forgets_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let known = || Memory::in_folder(folder, NOW).expect("a memory").seen.len();
        let note = || {
            let mut memory = Memory::in_folder(folder, NOW).expect("a memory");
            memory.note(Id::new().expect("an id"), NOW.plus(SKEW)).expect("written");
        };
        note();
        // The new file cannot be written.
        std::fs::create_dir(folder.join(NEW)).expect("a folder");
        assert_eq!(known(), 1);
        note();
        assert_eq!(known(), 2);
        std::fs::remove_dir(folder.join(NEW)).expect("it was empty");
        // Left behind by a process that ended too early: no reason not to start.
        std::fs::write(folder.join(NEW), "half a li").expect("a file");
        assert_eq!(known(), 2);
    }

    #[test]
    fn a_damaged_memory_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), b"\xff\xfe\n").expect("a file");
        let read_file = Memory::in_folder(folder.path(), NOW);
        assert!(matches!(read_file, Err(MemoryError::Damaged(1))), "{read_file:?}");
        assert!(matches!(read("nonsense\n", NOW), Err(MemoryError::Damaged(1))));
        assert!(read("half a li", NOW).expect("cut off").is_empty());
    }
}
