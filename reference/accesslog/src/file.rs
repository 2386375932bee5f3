//! The log file: opened for appending, written in whole lines, noticed when it was moved away.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// A log file that can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory is missing. It is not made: a mistyped path should not grow a tree.
    #[error("can't open the log {}: its directory {} does not exist", .path.display(), .directory.display())]
    NoDirectory {
        /// The log.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// It is a pipe, and there is nobody to read it.
    #[error("can't open the log {}: it is a pipe that nobody reads; start its reader first", .path.display())]
    NoReader {
        /// The log.
        path: PathBuf,
    },
    /// Anything else the system says.
    #[error("can't open the log {} for appending: {source}", .path.display())]
    System {
        /// The log.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// An open log.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    tail: Tail<File>,
    identity: (u64, u64),
}

impl LogFile {
    /// Opens or creates `path`, readable by owner and group: logs hold personal data.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        // Without waiting for a pipe's reader: an error then (fifo(7)).
        let without_waiting = OFlag::O_NONBLOCK;
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .custom_flags(without_waiting.bits())
            .open(path);
        let identified = opened.and_then(|file| {
            let seen = file.metadata()?;
            if !seen.is_file() {
                // A pipe that is full is waited for.
                let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
                fcntl(&file, FcntlArg::F_SETFL(flags - without_waiting))?;
            }
            Ok((file, (seen.dev(), seen.ino())))
        });
        match identified {
            Ok((file, identity)) => {
                Ok(Self { path: path.to_owned(), tail: Tail::new(file), identity })
            }
            Err(source) => Err(explain(path, source)),
        }
    }

    /// Opens the path again, which may be another file by now. On an error the old file stays.
    pub(crate) fn reopen(&mut self) -> Result<(), OpenError> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    /// Whether the path no longer leads to the open file: it was moved, removed or replaced.
    pub(crate) fn displaced(&self) -> bool {
        !std::fs::metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity)
    }

    /// Whether what is written now could never be read: the file has no name any more.
    pub(crate) fn unreachable(&self) -> bool {
        self.tail.sink.metadata().is_ok_and(|open| open.nlink() == 0)
    }

    /// Appends whole lines; see [`Tail::append`].
    pub(crate) fn append(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        self.tail.append(lines)
    }
}

fn explain(path: &Path, source: io::Error) -> OpenError {
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    if source.kind() == io::ErrorKind::NotFound && !directory.exists() {
        return OpenError::NoDirectory { path: path.to_owned(), directory: directory.to_owned() };
    }
    if source.raw_os_error() == Some(Errno::ENXIO as i32) {
        return OpenError::NoReader { path: path.to_owned() };
    }
    OpenError::System { path: path.to_owned(), source }
}

/// The end of something that grows by appending.
pub(crate) trait Sink {
    /// One `write(2)`: it may take fewer bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Takes back the last `octets` that were appended, if nothing came after them.
    fn take_back(&mut self, octets: usize) -> bool;
}

impl Sink for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn take_back(&mut self, octets: usize) -> bool {
        // After an appending write the position is the end of what was written.
        let (Ok(end), Ok(seen)) = (self.stream_position(), self.metadata()) else { return false };
        let whole = end.checked_sub(octets as u64);
        seen.is_file()
            && seen.len() == end
            && whole.is_some_and(|whole| self.set_len(whole).is_ok())
    }
}

/// Keeps the end of a sink at the end of a line, whatever happens within a write.
#[derive(Debug)]
pub(crate) struct Tail<S> {
    pub(crate) sink: S,
    /// A piece of a line stands at the end and could not be taken back.
    torn: bool,
}

impl<S: Sink> Tail<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self { sink, torn: false }
    }

    /// Appends `lines`, each ending in `\n`. Says how many octets of whole lines are there now;
    /// with an error these are fewer than all. A piece of a line that a full disk left is taken
    /// back; where that can't be done (a pipe, another writer), the next append ends it first.
    pub(crate) fn append(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        if self.torn {
            match self.push(b"\n") {
                (_, Ok(())) => self.torn = false,
                (_, Err(error)) => return (0, Err(error)),
            }
        }
        let (done, outcome) = self.push(lines);
        if outcome.is_ok() {
            return (done, outcome);
        }
        let whole = memchr::memrchr(b'\n', &lines[..done]).map_or(0, |at| at + 1);
        self.torn = done > whole && !self.sink.take_back(done - whole);
        (whole, outcome)
    }

    fn push(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < bytes.len() {
            match self.sink.append(&bytes[done..]) {
                Ok(0) => return (done, Err(io::ErrorKind::WriteZero.into())),
                Ok(taken) => done += taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (done, Err(error)),
            }
        }
        (done, Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with so much room, which may or may not let go of what it has.
    struct Disk {
        held: Vec<u8>,
        room: usize,
        shrinks: bool,
    }

    impl Sink for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.held.extend_from_slice(&bytes[..taken]);
            self.room -= taken;
            Ok(taken)
        }

        fn take_back(&mut self, octets: usize) -> bool {
            if self.shrinks {
                self.held.truncate(self.held.len() - octets);
                self.room += octets;
            }
            self.shrinks
        }
    }

    #[test]
    fn a_full_disk_holds_whole_lines_only() {
        for room in 0..12 {
            let mut tail = Tail::new(Disk { held: Vec::new(), room, shrinks: true });
            let (whole, outcome) = tail.append(b"one\ntwo\nsix\n");
            assert!(outcome.is_err());
            assert_eq!(whole, room / 4 * 4);
            assert_eq!(tail.sink.held, b"one\ntwo\nsix\n"[..whole]);
        }
    }

    #[test]
    fn a_piece_that_stays_is_ended_before_the_next_line() {
        let mut tail = Tail::new(Disk { held: Vec::new(), room: 6, shrinks: false });
        let (whole, outcome) = tail.append(b"one\ntwo\n");
        assert!(outcome.is_err());
        assert_eq!(whole, 4);
        assert!(tail.append(b"two\n").1.is_err());
        tail.sink.room = 100;
        assert!(tail.append(b"two\n").1.is_ok());
        assert_eq!(tail.sink.held, b"one\ntw\ntwo\n");
    }
}
