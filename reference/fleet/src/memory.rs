//! What an agent remembers over its own end: the actions that it took.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::admission::{SKEW, Seen};
use crate::id::Id;
use crate::time::Moment;

/// The file in an agent's state folder.
const FILE: &str = "taken";

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
    file: Option<File>,
}

impl Memory {
    /// Remembers until the process ends.
    pub fn of_this_run() -> Self {
        Self { seen: Seen::default(), file: None }
    }

    /// Remembers in a folder, which is made where it is missing and which no other agent uses meanwhile.
    ///
    /// # Errors
    /// The folder is in use, cannot be used, or what it remembers is damaged.
    pub fn in_folder(folder: &Path, now: Moment) -> Result<Self, MemoryError> {
        std::fs::create_dir_all(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let mut file = options.open(folder.join(FILE))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(MemoryError::InUse),
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let seen = read(&text, now)?;
        // What is over is not kept.
        let lines: String = seen.iter().map(|(id, until)| line(id, until)).collect();
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(lines.as_bytes())?;
        Ok(Self { seen, file: Some(file) })
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
        match &mut self.file {
            Some(file) => file.write_all(line(id, until).as_bytes()),
            None => Ok(()),
        }
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
    fn a_damaged_memory_is_told() {
        assert!(matches!(read("nonsense\n", NOW), Err(MemoryError::Damaged(1))));
        assert!(read("half a li", NOW).expect("cut off").is_empty());
    }
}
