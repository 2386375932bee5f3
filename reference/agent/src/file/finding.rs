//! What a pass over the disk has found. Never a file's content.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file that a search has found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The search's place in the action.
    pub search: usize,
    /// The file.
    pub path: PathBuf,
    /// The member of an archive, where the file is one.
    pub member: Option<String>,
    /// Seconds since 1970.
    pub mtime: i64,
    /// `st_mode`.
    pub mode: u32,
    /// Octets.
    pub size: u64,
    /// In hexadecimal digits, where asked for.
    pub sha256: Option<String>,
}

/// A link, and whether it was followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The link.
    pub path: PathBuf,
    /// Where it leads.
    pub target: PathBuf,
    /// Whether what it leads to was looked at.
    pub followed: bool,
    /// It leads to a file that a search would have read.
    pub hides: bool,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// What.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// A file system that the kernel makes up, of which a search that came by has not read files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Where it is mounted.
    pub path: PathBuf,
    /// How many files.
    pub files: u64,
}

/// Counts of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Searches made.
    pub searches: u64,
    /// Folders read.
    pub folders: u64,
    /// Folders' entries looked at that are no folders.
    pub files: u64,
    /// Files whose content was read.
    pub read: u64,
    /// Octets read.
    pub octets: u64,
    /// Files found, each once for every search that found it.
    pub found: u64,
    /// Of these, files that no limit kept from being named.
    pub named: u64,
    /// Searched paths that do not exist.
    pub missing: u64,
    /// Searched paths.
    pub paths: u64,
    /// Links that were not followed.
    pub links: u64,
    /// Things that could not be looked at.
    pub errors: u64,
}

/// The whole result.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The searches' names, in their order.
    pub names: Vec<String>,
    /// Files found, sorted by search and path.
    pub found: Vec<Found>,
    /// Links said, sorted.
    pub links: Vec<Link>,
    /// File systems not read, sorted.
    pub unread: Vec<Unread>,
    /// Errors named, sorted.
    pub errors: Vec<Trouble>,
    /// Counts of all, named or not.
    pub counts: Counts,
    /// The time limit ended the pass before everything was looked at.
    pub expired: bool,
}

impl Findings {
    /// Paths as they are below a folder that stands for `/`.
    pub(super) fn seen_from(&mut self, root: &Path) {
        let seen = |path: &mut PathBuf| {
            if let Ok(below) = path.strip_prefix(root) {
                *path = Path::new("/").join(below);
            }
        };
        self.found.iter_mut().for_each(|found| seen(&mut found.path));
        self.errors.iter_mut().for_each(|error| seen(&mut error.path));
        self.unread.iter_mut().for_each(|unread| seen(&mut unread.path));
        for link in &mut self.links {
            seen(&mut link.path);
            seen(&mut link.target);
        }
    }

    /// DESIGN's exit code: 1 something was found, 6 not everything could be looked at, 4 there was nothing to
    /// look at, 0 all was looked at and nothing found.
    pub fn exit_code(&self) -> u8 {
        let Counts { found, errors, missing, paths, .. } = self.counts;
        match () {
            () if found > 0 => 1,
            () if errors > 0 || self.expired || self.links.iter().any(|link| link.hides) => 6,
            () if missing == paths => 4,
            () => 0,
        }
    }
}
