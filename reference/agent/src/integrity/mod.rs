//! Whether files are what they were: against Debian's package manifests, or against a manifest of one's own.
//!
//! After block updates were lost, files show old content, random content, or have disappeared. What tells these
//! apart are the times of the last change: content that differs although nobody wrote the file was never written.

pub(crate) mod debian;
mod dpkg_config;
mod dpkg_state;
pub(crate) mod manifest;
mod manifest_text;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use md5::digest::{Digest, Output};

pub use debian::{PackageError, Packages, check_packages};
pub use manifest::{Hash, Manifest, make_manifest};
pub use manifest_text::ManifestError;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is not there.
    Vanished,
    /// Something stands in its place that is no file.
    NoFile,
    /// Its content is what it was once, or its times went back.
    OldContent,
    /// Its content differs although its times do not say so.
    RandomContent,
    /// It was written since.
    Changed,
    /// Its content is what it was, its permissions are not.
    Mode,
}

impl Fault {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Vanished => "vanished",
            Fault::NoFile => "no file any more",
            Fault::OldContent => "old content",
            Fault::RandomContent => "random content",
            Fault::Changed => "changed",
            Fault::Mode => "mode changed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// The file.
    pub path: PathBuf,
    /// What became of it.
    pub fault: Fault,
    /// The package that it belongs to, if it does.
    pub package: Option<String>,
    /// It is a configuration file, which people change.
    pub is_conffile: bool,
}

/// What a check has found.
#[derive(Clone, Debug, Default)]
pub struct Integrity {
    /// Files that are not what they were, sorted.
    pub damaged: Vec<Damaged>,
    /// Files that the manifest does not have, sorted; only a manifest of one's own tells.
    pub new: Vec<PathBuf>,
    /// Paths checked: of packages folders and links too.
    pub checked: usize,
    /// What could not be looked at, and why.
    pub troubles: Vec<(PathBuf, String)>,
    /// The time was over before everything was looked at.
    pub expired: bool,
}

impl Integrity {
    /// 1 a file is damaged or new (a configuration file is not damaged, people change it), 6 not everything could
    /// be looked at, 4 there was nothing to check, 0 all good.
    pub fn exit_code(&self) -> u8 {
        match () {
            () if self.damaged.iter().any(|damaged| !damaged.is_conffile) => 1,
            () if !self.new.is_empty() => 1,
            () if self.expired || !self.troubles.is_empty() => 6,
            () if self.checked == 0 => 4,
            () => 0,
        }
    }

    /// The packages whose files are damaged, which a reinstallation repairs.
    pub fn packages(&self) -> Vec<&str> {
        let damaged = self.damaged.iter().filter(|damaged| !damaged.is_conffile);
        let mut packages: Vec<&str> =
            damaged.filter_map(|damaged| damaged.package.as_deref()).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// One file more.
    fn with(mut self, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Good => self.checked += 1,
            Outcome::Damaged(damaged) => {
                self.checked += 1;
                self.damaged.push(damaged);
            }
            Outcome::Trouble(path, reason) => self.troubles.push((path, reason)),
            Outcome::NoTime => self.expired = true,
        }
        self
    }

    /// What two threads have found.
    fn and(mut self, other: Self) -> Self {
        self.damaged.extend(other.damaged);
        self.new.extend(other.new);
        self.troubles.extend(other.troubles);
        self.checked += other.checked;
        self.expired |= other.expired;
        self
    }

    fn sorted(mut self) -> Self {
        self.damaged.sort();
        self.new.sort();
        self.troubles.sort();
        self
    }
}

/// The result of one file.
enum Outcome {
    Good,
    Damaged(Damaged),
    Trouble(PathBuf, String),
    NoTime,
}

impl Outcome {
    /// Why a file could not be read tells whether it is still one.
    fn unread(path: &Path, error: &Unread) -> Result<Fault, Self> {
        match error {
            Unread::NoFile => Ok(Fault::NoFile),
            // A folder on the way there has become a file.
            Unread::Io(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Ok(Fault::Vanished)
            }
            Unread::Io(error) if error.kind() == io::ErrorKind::NotFound => Ok(Fault::Vanished),
            Unread::Io(error) => Err(Self::Trouble(path.to_owned(), error.to_string())),
        }
    }
}

/// Why a file has no digest.
#[derive(Debug)]
enum Unread {
    /// It is a folder, a link, a FIFO…
    NoFile,
    Io(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The digest of an open file.
fn digest<D: Digest>(mut file: &File) -> io::Result<Output<D>> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(octets) => hasher.update(&buffer[..octets]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}
