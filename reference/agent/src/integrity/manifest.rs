//! A manifest of one's own: for each file of a folder a digest, size, time of change and mode.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use rayon::prelude::*;
use rustix::fs::OFlags;
use sha2::Sha256;

use super::{Damaged, Fault, Integrity, Outcome, Unread, digest, is_over};

/// How a manifest's digests are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hash {
    /// BLAKE3, the quicker.
    #[default]
    Blake3,
    /// SHA-256, which other programs know too.
    Sha256,
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "blake3" => Ok(Self::Blake3),
            "sha256" => Ok(Self::Sha256),
            other => Err(format!("there is no digest `{other}`: expected blake3 or sha256")),
        }
    }
}

impl Hash {
    /// As a manifest's first line has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Hash::Blake3 => "blake3",
            Hash::Sha256 => "sha256",
        }
    }

    fn of(self, file: &File) -> io::Result<[u8; 32]> {
        match self {
            Hash::Blake3 => {
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(file)?;
                Ok(hasher.finalize().into())
            }
            Hash::Sha256 => Ok(digest::<Sha256>(file)?.into()),
        }
    }
}

/// What a file was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) digest: [u8; 32],
    /// In octets.
    pub(super) size: u64,
    /// Seconds and nanoseconds since 1970.
    pub(super) mtime: (i64, u32),
    /// Permissions, without the type.
    pub(super) mode: u32,
}

/// A folder's files as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub(super) folder: PathBuf,
    pub(super) hash: Hash,
    /// By paths from the folder, sorted.
    pub(super) files: Vec<(PathBuf, Entry)>,
}

/// Makes the manifest of a folder, on every core. Links are not followed and not noted.
///
/// # Errors
/// The folder, or anything in it, cannot be read: a manifest with gaps would find no fault there.
pub fn make_manifest(folder: &Path, hash: Hash) -> Result<Manifest, (PathBuf, io::Error)> {
    let wrong = |path: &Path, error| (path.to_owned(), error);
    let real = folder.canonicalize().map_err(|error| wrong(folder, error))?;
    let (paths, troubles) = files_below(&real);
    if let Some(trouble) = troubles.into_iter().next() {
        return Err(trouble);
    }
    let files = paths.into_par_iter().filter_map(|path| {
        let whole = real.join(&path);
        match entry(&whole, hash) {
            Ok(entry) => Some(Ok((path, entry))),
            // It went, or became something else, since the folder was read: it is as if it had never been.
            Err(Unread::NoFile) => None,
            Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(Unread::Io(error)) => Some(Err(wrong(&whole, error))),
        }
    });
    Ok(Manifest { files: files.collect::<Result<_, _>>()?, folder: real, hash })
}

impl Manifest {
    /// The folder that it describes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How its digests were made.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Says that the folder is somewhere else now.
    pub fn moved_to(&mut self, folder: PathBuf) {
        self.folder = folder;
    }

    /// How many files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the folder was empty.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Checks the folder's files, on every core. Earlier manifests of the folder tell what content is an old one;
    /// those with another digest than this one do not help.
    pub fn check(&self, older: &[Manifest], deadline: Option<Instant>) -> Integrity {
        let mut old: HashMap<&Path, Vec<[u8; 32]>> = HashMap::new();
        for manifest in older.iter().filter(|manifest| manifest.hash == self.hash) {
            for (path, entry) in &manifest.files {
                old.entry(path).or_default().push(entry.digest);
            }
        }
        let outcomes = self.files.par_iter().map(|(path, was)| match is_over(deadline) {
            true => Outcome::NoTime,
            false => {
                let old = old.get(path.as_path()).map_or(&[][..], Vec::as_slice);
                self.outcome(path, was, old)
            }
        });
        let all = outcomes
            .fold(Integrity::default, Integrity::with)
            .reduce(Integrity::default, Integrity::and);
        all.and(self.new_files()).sorted()
    }

    fn outcome(&self, path: &Path, was: &Entry, old: &[[u8; 32]]) -> Outcome {
        let path = self.folder.join(path);
        let fault = match entry(&path, self.hash) {
            Ok(is) => fault(was, &is, old),
            Err(error) => match Outcome::unread(&path, &error) {
                Ok(fault) => Some(fault),
                Err(trouble) => return trouble,
            },
        };
        match fault {
            None => Outcome::Good,
            Some(fault) => {
                Outcome::Damaged(Damaged { path, fault, package: None, is_conffile: false })
            }
        }
    }

    /// Files that were not there, and folders that cannot be read.
    fn new_files(&self) -> Integrity {
        let known: HashSet<&Path> = self.files.iter().map(|(path, _)| path.as_path()).collect();
        let (files, mut troubles) = files_below(&self.folder);
        troubles.retain(|(_, error)| error.kind() != io::ErrorKind::NotFound);
        let new = files.into_iter().filter(|path| !known.contains(path.as_path()));
        Integrity {
            new: new.map(|path| self.folder.join(path)).collect(),
            troubles: troubles.into_iter().map(|(path, error)| (path, error.to_string())).collect(),
            ..Integrity::default()
        }
    }
}

/// What became of a file, if anything did.
fn fault(was: &Entry, is: &Entry, old: &[[u8; 32]]) -> Option<Fault> {
    if is.digest == was.digest {
        return (is.mode != was.mode).then_some(Fault::Mode);
    }
    Some(match is.mtime.cmp(&was.mtime) {
        _ if old.contains(&is.digest) => Fault::OldContent,
        Ordering::Less => Fault::OldContent,
        Ordering::Equal => Fault::RandomContent,
        Ordering::Greater => Fault::Changed,
    })
}

fn entry(path: &Path, hash: Hash) -> Result<Entry, Unread> {
    // It was a plain file; what stands there now may be a FIFO, which must not hold us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(Unread::NoFile);
    }
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(Unread::NoFile);
    }
    Ok(Entry {
        digest: hash.of(&file)?,
        size: facts.size(),
        mtime: (facts.mtime(), u32::try_from(facts.mtime_nsec()).unwrap_or_default()),
        mode: facts.mode() & 0o7777,
    })
}

/// The plain files below a folder, by paths from there, sorted; and what cannot be read.
fn files_below(folder: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let mut files = Vec::new();
    let mut troubles = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let read = || -> io::Result<Vec<(PathBuf, std::fs::FileType)>> {
            let entries = std::fs::read_dir(folder.join(&below))?.map(|entry| {
                let entry = entry?;
                Ok((below.join(entry.file_name()), entry.file_type()?))
            });
            entries.collect()
        };
        match read() {
            Err(error) => troubles.push((folder.join(&below), error)),
            Ok(entries) => {
                for (path, kind) in entries {
                    if kind.is_dir() {
                        folders.push(path);
                    } else if kind.is_file() {
                        files.push(path);
                    }
                }
            }
        }
    }
    files.sort();
    (files, troubles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_earlier_manifests_tell_faults_apart() {
        let was = Entry { digest: [1; 32], size: 3, mtime: (100, 5), mode: 0o644 };
        for (content, mtime, mode, is) in [
            (1, (100, 5), 0o644, None),
            (1, (200, 0), 0o644, None),
            (1, (100, 5), 0o4755, Some(Fault::Mode)),
            (2, (100, 5), 0o644, Some(Fault::RandomContent)),
            (2, (100, 4), 0o644, Some(Fault::OldContent)),
            (2, (100, 6), 0o644, Some(Fault::Changed)),
            (9, (300, 0), 0o644, Some(Fault::OldContent)),
        ] {
            let now = Entry { digest: [content; 32], mtime, mode, ..was };
            assert_eq!(fault(&was, &now, &[[9; 32]]), is, "{now:?}");
        }
    }
}
