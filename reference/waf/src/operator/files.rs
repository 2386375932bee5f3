//! Files that operators read when the rules are loaded.

use std::io;
use std::path::{Path, PathBuf};

/// A file that an argument names, read whole.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// Why an argument's file was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("the name of a file is missing")]
    NoName,
    #[error("{0} is not a file; lists from the network are not supported")]
    Remote(String),
    #[error("cannot read {}: {error}", .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
}

/// Reads a file; `base` is the folder that a relative name starts from.
pub(super) fn load(name: &str, base: &Path) -> Result<Loaded, FileError> {
    if name.is_empty() {
        return Err(FileError::NoName);
    }
    if name.starts_with("http://") || name.starts_with("https://") {
        return Err(FileError::Remote(name.to_owned()));
    }
    let path = base.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Loaded { path, bytes }),
        Err(error) => Err(FileError::Unreadable { path, error }),
    }
}
