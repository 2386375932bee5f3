//! Requests that were held, kept in a folder for somebody to look at.
//!
//! A file is one request: a line of JSON that says what it was held for, then the request as it was received. The
//! folder is for its owner alone (0700, files 0600), bounded in number and bytes; the oldest go first. A file appears
//! under its name only when it is whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use edgeproof_mutant::{self as mutant, Mutant};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Requests.
    pub requests: usize,
    /// Bytes of all files together.
    pub bytes: u64,
}

impl Default for Bounds {
    /// 1,000 requests, 64 MiB.
    fn default() -> Self {
        Self { requests: 1000, bytes: 64 << 20 }
    }
}

/// What a request was held for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The transaction, as the logs name it.
    pub id: String,
    /// When it came.
    pub time: Timestamp,
    /// The site's first host.
    pub site: String,
    /// The client's address.
    pub client: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// What matched.
    pub matches: Vec<Reason>,
    /// Whether the body was longer than what is kept of it.
    pub is_cut: bool,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule's id.
    pub rule: u64,
    /// Its message, filled in.
    pub message: String,
}

/// A folder of held requests. Calls wait for the disk.
#[derive(Debug)]
pub struct Quarantine {
    folder: PathBuf,
    bounds: Bounds,
    // One at a time: the bounds are those of the folder.
    turn: Mutex<()>,
}

/// What can go wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// Others may read or write what is kept.
    #[error("{} is open to others (mode {mode:03o}); chmod 700 it, or name a folder of its own", .folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// One request is larger than all that may be kept.
    #[error("the request is larger than the {bytes} bytes that may be kept")]
    TooLarge {
        /// The bound.
        bytes: u64,
    },
    /// No request of this id is kept.
    #[error("no request {id} is kept in {}", .folder.display())]
    Unknown {
        /// The folder.
        folder: PathBuf,
        /// What was asked for.
        id: String,
    },
    /// A file that this program did not write, or not to its end.
    #[error("{} is no held request: {cause}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: serde_json::Error,
    },
    /// The system's word.
    #[error("{}: {cause}", .path.display())]
    System {
        /// What it was about.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

const ENDING: &str = "held";

impl Quarantine {
    /// Opens the folder, and makes it where it is missing.
    ///
    /// # Errors
    /// A folder that others may enter, or that cannot be made.
    pub fn open(folder: &Path, bounds: Bounds) -> Result<Self, QuarantineError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|cause| system(folder, cause))?;
        let found = folder.metadata().map_err(|cause| system(folder, cause))?;
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(QuarantineError::Open { folder: folder.to_owned(), mode });
        }
        Ok(Self { folder: folder.to_owned(), bounds, turn: Mutex::new(()) })
    }

    /// Keeps a request: its head and as much of its body as was read, as received. Gives the file; the
    /// oldest leave for it where the bounds are reached.
    ///
    /// # Errors
    /// One that is larger than the bound of bytes, and what the system says.
    pub fn keep(&self, held: &Held, request: &[u8]) -> Result<PathBuf, QuarantineError> {
        let mut head = serde_json::to_vec(held)
            .map_err(|cause| QuarantineError::Foreign { path: self.folder.clone(), cause })?;
        head.push(b'\n');
        let size = (head.len() + request.len()) as u64;
        if size > self.bounds.bytes || self.bounds.requests == 0 {
            return Err(QuarantineError::TooLarge { bytes: self.bounds.bytes });
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_room(size)?;
        if mutant::is(Mutant::HoldsOnlyOne) && !self.files()?.is_empty() {
            return Ok(self.folder.clone());
        }
        let path = self.folder.join(format!("{}.{ENDING}", name(held)));
        let growing = path.with_extension("part");
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if mutant::is(Mutant::HeldForAll) { 0o644 } else { 0o600 })
            .open(&growing)
            .and_then(|mut file| file.write_all(&head).and_then(|()| file.write_all(request)))
            .and_then(|()| fs::rename(&growing, &path));
        if let Err(cause) = written {
            // What is there of it is of no use; if that cannot be removed either, nothing is lost by it.
            let _ = fs::remove_file(&growing);
            return Err(system(&path, cause));
        }
        Ok(path)
    }

    fn make_room(&self, size: u64) -> Result<(), QuarantineError> {
        let mut kept = self.files()?;
        let mut bytes: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
        let mut count = kept.len();
        for (path, freed) in kept.drain(..) {
            if count < self.bounds.requests && bytes + size <= self.bounds.bytes {
                break;
            }
            fs::remove_file(&path).map_err(|cause| system(&path, cause))?;
            count -= 1;
            bytes -= freed;
        }
        Ok(())
    }

    /// What is kept, the oldest first.
    ///
    /// # Errors
    /// What the system says, and files that are no held requests.
    pub fn list(&self) -> Result<Vec<Held>, QuarantineError> {
        let files = self.files()?;
        files.iter().map(|(path, _)| read(path).map(|(held, _)| held)).collect()
    }

    /// One request by its id, as received.
    ///
    /// # Errors
    /// An id that is not kept, and what the system says.
    pub fn show(&self, id: &str) -> Result<(Held, Vec<u8>), QuarantineError> {
        for (path, _) in self.files()? {
            let (held, mut rest) = read(&path)?;
            if held.id == id {
                let mut request = Vec::new();
                rest.read_to_end(&mut request).map_err(|cause| system(&path, cause))?;
                return Ok((held, request));
            }
        }
        Err(QuarantineError::Unknown { folder: self.folder.clone(), id: id.to_owned() })
    }

    /// The files with their sizes, the oldest first: their names begin with the time.
    fn files(&self) -> Result<Vec<(PathBuf, u64)>, QuarantineError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|cause| system(&self.folder, cause))? {
            let path = entry.map_err(|cause| system(&self.folder, cause))?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                match path.symlink_metadata() {
                    Ok(found) if found.is_file() => files.push((path, found.size())),
                    Ok(_) => {}
                    // Another process has just made room.
                    Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                    Err(cause) => return Err(system(&path, cause)),
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// A name that sorts by time and that no request can choose.
fn name(held: &Held) -> String {
    let time = held.time.as_microsecond();
    let id: String = held.id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    format!("{time:020}-{id}")
}

fn read(path: &Path) -> Result<(Held, BufReader<File>), QuarantineError> {
    let file = File::open(path).map_err(|cause| system(path, cause))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).map_err(|cause| system(path, cause))?;
    let held = serde_json::from_slice(&line)
        .map_err(|cause| QuarantineError::Foreign { path: path.to_owned(), cause })?;
    Ok((held, reader))
}

fn system(path: &Path, cause: io::Error) -> QuarantineError {
    QuarantineError::System { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(id: &str, second: i64) -> Held {
        Held {
            id: id.to_owned(),
            time: Timestamp::from_second(second).unwrap(),
            site: "a.test".to_owned(),
            client: "192.0.2.7".to_owned(),
            secure: false,
            matches: vec![Reason { rule: 942_100, message: "SQL \"injection\"\n".to_owned() }],
            is_cut: false,
        }
    }

    fn ids(quarantine: &Quarantine) -> Vec<String> {
        quarantine.list().unwrap().into_iter().map(|held| held.id).collect()
    }

    #[test]
    fn a_request_comes_back_as_it_was_received() {
        let dir = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::open(&dir.path().join("q"), Bounds::default()).unwrap();
        let request = b"POST /\xff HTTP/1.1\r\n\r\n\0\n{\"id\":1}\n";
        let path = quarantine.keep(&held("abc", 5), request).unwrap();
        assert_eq!(quarantine.show("abc").unwrap(), (held("abc", 5), request.to_vec()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(dir.path().join("q").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(quarantine.show("ab"), Err(QuarantineError::Unknown { .. })));
    }

    #[test]
    fn the_oldest_leave_first() {
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds { requests: 2, bytes: 1 << 20 };
        let quarantine = Quarantine::open(&dir.path().join("q"), bounds).unwrap();
        for (id, second) in [("b", 20), ("a", 10), ("c", 30), ("d", 40)] {
            quarantine.keep(&held(id, second), b"").unwrap();
        }
        assert_eq!(ids(&quarantine), ["c", "d"]);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds { requests: 100, bytes: 1000 };
        let quarantine = Quarantine::open(&dir.path().join("q"), bounds).unwrap();
        for second in 0..20 {
            quarantine.keep(&held(&second.to_string(), second), &[b'x'; 100]).unwrap();
            let kept: u64 = quarantine.files().unwrap().iter().map(|(_, bytes)| bytes).sum();
            assert!(kept <= 1000, "{kept} bytes");
        }
        assert_eq!(ids(&quarantine).last().map(String::as_str), Some("19"));
        let large = quarantine.keep(&held("large", 50), &[b'x'; 1000]);
        assert!(matches!(large, Err(QuarantineError::TooLarge { bytes: 1000 })));
        assert_eq!(ids(&quarantine).last().map(String::as_str), Some("19"), "nothing left for it");
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o750)).unwrap();
        let error = Quarantine::open(dir.path(), Bounds::default()).unwrap_err();
        assert!(error.to_string().contains("(mode 750)"), "{error}");
    }

    #[test]
    fn no_name_leaves_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::open(&dir.path().join("q"), Bounds::default()).unwrap();
        let path = quarantine.keep(&held("../../evil/\0", 5), b"").unwrap();
        assert_eq!(path.parent(), Some(dir.path().join("q").as_path()));
        assert_eq!(ids(&quarantine), ["../../evil/\0"]);
    }
}
