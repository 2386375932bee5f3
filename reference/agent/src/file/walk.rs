//! The walk: each folder a task, each read once for all searches that look there.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::Scope;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use super::finding::Link;
use super::forest::Node;
use super::judge::{Entry, Judge};
use super::pass::{Pass, count};

/// Octets of directory entries read at once.
const ENTRIES: usize = 32 << 10;
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// A group that looks at a folder, and how deep below its path that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) group: usize,
    pub(crate) depth: u32,
}

/// A folder to be read.
struct Folder<'p> {
    fd: OwnedFd,
    path: PathBuf,
    node: Option<&'p Node>,
    active: Vec<Active>,
    /// The real path of the searched path that led here.
    root: Arc<Path>,
}

/// Walks everything that the searches name.
pub(crate) fn walk(pass: &Pass<'_>) {
    let mut tops = Vec::new();
    pass.forest.root.tops(Path::new("/"), &mut tops);
    rayon::scope(|scope| {
        // Some at a time: a task costs more than a look at a home.
        for some in tops.chunks(16) {
            scope.spawn(move |scope| {
                some.iter().for_each(|(path, node)| top(pass, scope, path, node));
            });
        }
    });
}

/// A path that searches name, with nothing searched above it.
fn top<'p>(pass: &'p Pass<'p>, scope: &Scope<'p>, path: &Path, node: &'p Node) {
    if pass.is_over() {
        return;
    }
    let active: Vec<Active> =
        node.groups.iter().map(|group| Active { group: *group, depth: 0 }).collect();
    if straight(pass, path, node, &active) {
        return;
    }
    let opened = rustix::fs::openat2(CWD, path, FOLDER, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let (fd, root) = match opened {
        Ok(fd) => (fd, Arc::from(path)),
        Err(Errno::NOTDIR) => return top_file(pass, path, &active),
        Err(Errno::NOENT) => return missing(pass, node),
        // A link on the way (or a kernel without openat2): what was asked for by its name is looked at, and said.
        Err(_) => {
            let real = match std::fs::canonicalize(path) {
                Ok(real) => real,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return missing(pass, node);
                }
                Err(error) => return pass.trouble(path, &error),
            };
            let followed = pass.may_enter(&real);
            if real != path {
                pass.link(Link {
                    path: path.to_owned(),
                    target: real.clone(),
                    followed,
                    hides: !followed,
                });
            }
            if !followed {
                return;
            }
            match rustix::fs::openat(CWD, path, FOLDER, Mode::empty()) {
                Ok(fd) => (fd, Arc::from(real)),
                Err(Errno::NOTDIR) => return top_file(pass, path, &active),
                Err(error) => return pass.trouble(path, &error),
            }
        }
    };
    read_folder(pass, scope, Folder { fd, path: path.to_owned(), node: Some(node), active, root });
}

/// Where all that is looked for is one file by its name, that file. Answers whether it was.
fn straight(pass: &Pass<'_>, path: &Path, node: &Node, active: &[Active]) -> bool {
    let [Active { group, .. }] = active else { return false };
    let Some(name) = &pass.forest.groups[*group].only_name else { return false };
    let done = node.children.is_empty() && Judge::new(pass).straight(path, name, active);
    count(&pass.tally().folders, u64::from(done));
    count(&pass.tally().files, u64::from(done));
    done
}

fn missing(pass: &Pass<'_>, node: &Node) {
    let searches: usize =
        node.groups.iter().map(|group| pass.forest.groups[*group].searches.len()).sum();
    count(&pass.tally().missing, searches as u64);
    node.children.iter().for_each(|(_, child)| missing(pass, child));
}

/// A searched path that is a file.
fn top_file(pass: &Pass<'_>, path: &Path, active: &[Active]) {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
    let folder = rustix::fs::openat(CWD, parent, FOLDER.union(OFlags::PATH), Mode::empty());
    let folder = match folder {
        Ok(folder) => folder,
        Err(error) => return pass.trouble(path, &error),
    };
    let Ok(name) = std::ffi::CString::new(name.as_bytes()) else { return };
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    count(&pass.tally().files, 1);
    let entry = Entry { folder: folder.as_fd(), name: &name, kind: FileType::Unknown, root: &real };
    let judge = Judge::new(pass);
    judge.entry(&entry, active, || path.to_owned());
}

/// Reads a folder: files are judged here, folders within become tasks.
fn read_folder<'p>(pass: &'p Pass<'p>, scope: &Scope<'p>, folder: Folder<'p>) {
    count(&pass.tally().folders, 1);
    let judge = Judge::new(pass);
    let folder = Arc::new(folder);
    let mut seen_children = 0;
    let mut files = 0;
    let mut buffer = Vec::with_capacity(ENTRIES);
    let mut entries = RawDir::new(folder.fd.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        if pass.is_over() {
            return;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                pass.trouble(&folder.path, &error);
                break;
            }
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(&folder, name),
            kind => kind,
        };
        if kind == FileType::Directory {
            seen_children += usize::from(child_of(&folder, name).is_some());
            enter(pass, scope, &folder, name);
            continue;
        }
        files += 1;
        let looked = Entry { folder: folder.fd.as_fd(), name, kind, root: &folder.root };
        let is_link_to_folder = judge.entry(&looked, &folder.active, || {
            folder.path.join(OsStr::from_bytes(name.to_bytes()))
        });
        if is_link_to_folder {
            link_to_folder(pass, scope, &folder, name);
        }
    }
    count(&pass.tally().files, files);
    let Some(node) = folder.node else { return };
    if seen_children < node.children.len() {
        unmet_children(pass, scope, &folder, node);
    }
}

fn kind_of(folder: &Folder<'_>, name: &CStr) -> FileType {
    match rustix::fs::statat(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(_) => FileType::Unknown,
    }
}

fn child_of<'p>(folder: &Folder<'p>, name: &CStr) -> Option<&'p Node> {
    folder.node.and_then(|node| node.child(OsStr::from_bytes(name.to_bytes())))
}

/// The groups that look into a folder within this one.
fn active_below(pass: &Pass<'_>, folder: &Folder<'_>, child: Option<&Node>) -> Vec<Active> {
    let own = child.map_or(&[][..], |child| &child.groups);
    let deeper = folder.active.iter().filter_map(|active| {
        let depth = active.depth + 1;
        // A searched path within one of the same search's begins anew, which goes as deep and deeper.
        let goes_on =
            depth < pass.forest.groups[active.group].depth && !own.contains(&active.group);
        goes_on.then_some(Active { depth, ..*active })
    });
    let own = own.iter();
    deeper.chain(own.map(|group| Active { group: *group, depth: 0 })).collect()
}

/// Makes a task of a folder within this one, if any search looks there.
fn enter<'p>(pass: &'p Pass<'p>, scope: &Scope<'p>, folder: &Arc<Folder<'p>>, name: &CStr) {
    let node = child_of(folder, name);
    let active = active_below(pass, folder, node);
    if active.is_empty() && node.is_none() {
        return;
    }
    let parent = Arc::clone(folder);
    let name = name.to_owned();
    scope.spawn(move |scope| {
        if pass.is_over() {
            return;
        }
        let path = parent.path.join(OsStr::from_bytes(name.to_bytes()));
        let opened =
            rustix::fs::openat(&parent.fd, &*name, FOLDER.union(OFlags::NOFOLLOW), Mode::empty());
        match opened {
            Ok(fd) => {
                let root = match node.is_some_and(|node| !node.groups.is_empty()) {
                    // A searched path of its own: a link within it is judged by it.
                    true => {
                        Arc::from(std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone()))
                    }
                    false => Arc::clone(&parent.root),
                };
                drop(parent);
                read_folder(pass, scope, Folder { fd, path, node, active, root });
            }
            Err(error) => pass.trouble(&path, &error),
        }
    });
}

/// Searched paths below this folder that were not among its folders: behind a link, or not there at all.
fn unmet_children<'p>(pass: &'p Pass<'p>, scope: &Scope<'p>, folder: &Folder<'p>, node: &'p Node) {
    for (name, child) in &node.children {
        let stat = rustix::fs::statat(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let met =
            stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if !met {
            let mut tops = Vec::new();
            child.tops(&folder.path.join(name), &mut tops);
            tops.iter().for_each(|(path, node)| top(pass, scope, path, node));
        }
    }
}

/// A link to a folder: entered where a search follows links, said where it leads out of the searched path.
fn link_to_folder<'p>(
    pass: &'p Pass<'p>,
    scope: &Scope<'p>,
    folder: &Arc<Folder<'p>>,
    name: &CStr,
) {
    let mut active = active_below(pass, folder, None);
    // A link that nobody would enter as a folder either hides nothing.
    if active.is_empty() {
        return;
    }
    let path = folder.path.join(OsStr::from_bytes(name.to_bytes()));
    let Ok(target) = std::fs::canonicalize(&path) else { return };
    if target.starts_with(&folder.root) {
        return;
    }
    active.retain(|active| pass.forest.groups[active.group].follows);
    // Once each, so that links in a ring end.
    let followed = !active.is_empty() && pass.may_enter(&target) && pass.enters(&target);
    pass.link(Link { path: path.clone(), target, followed, hides: !followed });
    if !followed {
        return;
    }
    match rustix::fs::openat(&folder.fd, name, FOLDER, Mode::empty()) {
        Ok(fd) => {
            let root = Arc::clone(&folder.root);
            read_folder(pass, scope, Folder { fd, path, node: None, active, root });
        }
        Err(error) => pass.trouble(&path, &error),
    }
}
