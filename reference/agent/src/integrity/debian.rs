//! Files of Debian's packages against the manifests that the packages brought.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use md5::Md5;
use rayon::prelude::*;
use rustix::fs::FileType;

use super::dpkg_config::LeftOut;
use super::dpkg_state::{
    Diversions, Earlier, Manifest, Md5Sum, Package, STATUS, orphans, packages,
};
use super::{Damaged, Fault, Integrity, Outcome, Unread, digest, is_over};
use crate::root::Root;

/// Seconds that unpacking a package may last: the list of its files is written last, its files before.
const UNPACKING: i64 = 3600;

/// What to check.
#[derive(Clone, Debug)]
pub struct Packages {
    /// What stands for `/`.
    pub root: PathBuf,
    /// These packages (`name` or `name:architecture`), or all.
    pub names: Vec<String>,
    /// Folders with the md5sums of earlier versions, such as a saved /var/lib/dpkg/info.
    pub older: Vec<PathBuf>,
}

impl Default for Packages {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), names: Vec::new(), older: Vec::new() }
    }
}

/// Why packages cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The root cannot be opened.
    #[error("{}: {}", .0.display(), .1)]
    Root(PathBuf, io::Error),
    /// The package manager's state cannot be read.
    #[error("{STATUS}: {0}; integrity knows Debian's packages. `manifest make` is for other files")]
    NoState(io::Error),
    /// The package manager's state has no packages.
    #[error("{STATUS} names no installed package: is it damaged? dpkg keeps a copy, {STATUS}-old")]
    EmptyState,
    /// A package is not installed.
    #[error("the package `{0}` is not installed")]
    NoPackage(String),
    /// A folder with earlier manifests has none.
    #[error("{}: {}", .0.display(), .1)]
    Older(PathBuf, io::Error),
}

/// What a package has brought.
struct Entry {
    path: PathBuf,
    /// None for folders, links and files without a digest: they must be there, and no more is known.
    md5: Option<Md5Sum>,
    package: Arc<str>,
    is_conffile: bool,
    /// When the package was unpacked, in seconds since 1970, where that is known.
    unpacked: Option<i64>,
}

/// Everything that the check of one file needs.
struct Check {
    root: Root,
    moved: Diversions,
    left_out: LeftOut,
    earlier: Earlier,
}

/// Checks the files of packages, on every core.
///
/// # Errors
/// The root, the package manager's state or the earlier manifests cannot be read, or a package is not installed.
pub fn check_packages(
    packages: &Packages,
    deadline: Option<Instant>,
) -> Result<Integrity, PackageError> {
    let root = Root::open(&packages.root)
        .map_err(|error| PackageError::Root(packages.root.clone(), error))?;
    let check = Check {
        moved: Diversions::read(&root),
        left_out: LeftOut::read(&root),
        earlier: earlier(&packages.older)?,
        root,
    };
    let wanted = wanted(&check.root, &packages.names)?;
    let of_each = wanted.into_par_iter().map(|package| {
        let (entries, first) = check.entries(&package);
        let files = entries.into_par_iter().map(|entry| match is_over(deadline) {
            true => Outcome::NoTime,
            false => check.outcome(entry),
        });
        files
            .fold(Integrity::default, Integrity::with)
            .reduce(Integrity::default, Integrity::and)
            .and(first)
    });
    let mut found = of_each.reduce(Integrity::default, Integrity::and);
    if packages.names.is_empty() {
        // What a cut off state no longer names still has its lists.
        let reason = "no package of this name is in dpkg's status: is that damaged?";
        let orphans = orphans(&check.root).map_err(PackageError::NoState)?;
        found.troubles.extend(orphans.into_iter().map(|list| (list, reason.to_owned())));
    }
    Ok(found.sorted())
}

fn earlier(folders: &[PathBuf]) -> Result<Earlier, PackageError> {
    let mut earlier = Earlier::default();
    for folder in folders {
        let wrong = |error| PackageError::Older(folder.clone(), error);
        if earlier.take(folder).map_err(wrong)? == 0 {
            return Err(wrong(io::Error::other("there is no *.md5sums in this folder")));
        }
    }
    Ok(earlier)
}

fn wanted(root: &Root, names: &[String]) -> Result<Vec<Package>, PackageError> {
    let mut all = packages(root).map_err(PackageError::NoState)?;
    if all.is_empty() {
        return Err(PackageError::EmptyState);
    }
    if let Some(name) = names.iter().find(|name| !all.iter().any(|package| package.is(name))) {
        return Err(PackageError::NoPackage(name.clone()));
    }
    all.retain(|package| names.is_empty() || names.iter().any(|name| package.is(name)));
    Ok(all)
}

impl Check {
    /// The files of a package, and what is wrong with its manifest.
    fn entries(&self, package: &Package) -> (Vec<Entry>, Integrity) {
        let mut wrong = Integrity::default();
        let mut trouble = |reason: String| {
            let path = Path::new("/var/lib/dpkg/info").join(&package.name);
            wrong.troubles.push((path, reason));
        };
        let name: Arc<str> = package.name.as_str().into();
        let unpacked = package.unpacked(&self.root);
        let list = package.list(&self.root).unwrap_or_default();
        let unpacked =
            unpacked.map_err(|error| trouble(format!("its list of files: {error}"))).ok();
        if unpacked.is_some() && list.is_empty() {
            trouble("its list of files is empty".to_owned());
        }
        let manifest = match package.files(&self.root) {
            Ok(Some(manifest)) if manifest != Manifest::default() => manifest,
            Ok(_) => {
                let is_configuration =
                    |path: &Path| package.conffiles.iter().any(|(one, _)| one == path);
                if list.iter().any(|path| !is_configuration(path) && self.is_file(path)) {
                    trouble("it has no md5sums: what its files were is not known".to_owned());
                }
                Manifest::default()
            }
            Err(error) => {
                trouble(format!("its md5sums: {error}"));
                Manifest::default()
            }
        };
        if manifest.broken > 0 {
            trouble(format!("{} lines of its md5sums are damaged", manifest.broken));
        }
        (together(package, manifest, list, &name, unpacked), wrong)
    }

    fn is_file(&self, path: &Path) -> bool {
        matches!(self.root.itself(path), Ok(FileType::RegularFile))
    }

    fn outcome(&self, entry: Entry) -> Outcome {
        let Entry { path, md5, package, is_conffile, unpacked } = entry;
        let path = self.moved.place(path, &package);
        let looked = match md5 {
            Some(_) => self.look(&path).map(Some),
            None => self.root.itself(&path).map(|_| None).map_err(Unread::Io),
        };
        let fault = match looked {
            Ok(None) => return Outcome::Good,
            Ok(Some(is)) if md5 == Some(is.md5) => return Outcome::Good,
            Ok(Some(_)) if is_conffile => Fault::Changed,
            Ok(Some(is)) if self.earlier.has(&path, is.md5) => Fault::OldContent,
            Ok(Some(is)) => fault(is.mtime, is.ctime, unpacked),
            Err(error) => match Outcome::unread(&path, &error) {
                Ok(Fault::Vanished) if self.left_out.has(&path) => return Outcome::Good,
                Ok(fault) => fault,
                Err(trouble) => return trouble,
            },
        };
        Outcome::Damaged(Damaged { path, fault, package: Some(package.to_string()), is_conffile })
    }

    fn look(&self, path: &Path) -> Result<Is, Unread> {
        let file = self.root.plain_file(path)?.ok_or(Unread::NoFile)?;
        let facts = file.metadata()?;
        let md5 = digest::<Md5>(&file)?.into();
        Ok(Is { md5, mtime: facts.mtime(), ctime: facts.ctime() })
    }
}

/// A package's entries, each path once: configuration first, then what has a digest, then the rest of the list.
fn together(
    package: &Package,
    manifest: Manifest,
    list: Vec<PathBuf>,
    name: &Arc<str>,
    unpacked: Option<i64>,
) -> Vec<Entry> {
    let mut known = HashSet::new();
    let mut entries = Vec::with_capacity(list.len());
    let mut add = |path: PathBuf, md5, is_conffile| {
        if known.insert(path.clone()) {
            entries.push(Entry { path, md5, package: name.clone(), is_conffile, unpacked });
        }
    };
    package.conffiles.iter().for_each(|(path, md5)| add(path.clone(), *md5, true));
    manifest.files.into_iter().for_each(|(path, md5)| add(path, Some(md5), false));
    list.into_iter().for_each(|path| add(path, None, false));
    // One that is out of use may be there or not.
    entries.retain(|entry| entry.md5.is_some() || !entry.is_conffile);
    entries
}

/// What a file is.
struct Is {
    md5: Md5Sum,
    mtime: i64,
    ctime: i64,
}

/// What became of a file whose content differs. Unpacking keeps the time of change from the package, which is before
/// it, and gives each file a new inode: an inode from before is the file of an earlier version.
fn fault(mtime: i64, ctime: i64, unpacked: Option<i64>) -> Fault {
    match unpacked {
        None => Fault::Changed,
        Some(unpacked) if mtime > unpacked => Fault::Changed,
        Some(unpacked) if ctime < unpacked - UNPACKING => Fault::OldContent,
        Some(_) => Fault::RandomContent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_tell_faults_apart() {
        let day = 86_400;
        for (mtime, ctime, unpacked, is) in [
            (11 * day, 11 * day, Some(10 * day), Fault::Changed),
            (2 * day, 3 * day, Some(10 * day), Fault::OldContent),
            (9 * day, 10 * day - 5, Some(10 * day), Fault::RandomContent),
            (9 * day, 20 * day, Some(10 * day), Fault::RandomContent),
            (9 * day, 20 * day, None, Fault::Changed),
        ] {
            assert_eq!(fault(mtime, ctime, unpacked), is, "{mtime} {ctime} {unpacked:?}");
        }
    }
}
