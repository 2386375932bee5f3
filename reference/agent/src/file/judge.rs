//! A file before all searches that look at it: names first, then facts, then what is in it.

use std::cell::RefCell;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::decide::{Answer, Facts, by_facts, name_holds};
use super::finding::{Found, Link};
use super::lines::Buffer;
use super::pass::{Pass, count};
use super::read::{Reader, Wanted};
use super::unpack;
use super::walk::Active;

thread_local! {
    static BUFFER: RefCell<Buffer> = RefCell::default();
}

/// Opening a file so never waits, and never makes a terminal ours.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// An entry of a folder that is no folder.
pub(crate) struct Entry<'e> {
    pub(crate) folder: BorrowedFd<'e>,
    pub(crate) name: &'e CStr,
    pub(crate) kind: FileType,
    /// The real path of the searched path.
    pub(crate) root: &'e Path,
}

impl Entry<'_> {
    fn stat(&self, flags: AtFlags) -> Result<Stat, Errno> {
        rustix::fs::statat(self.folder, self.name, flags)
    }
}

/// Judges entries.
pub(crate) struct Judge<'p> {
    pass: &'p Pass<'p>,
}

impl<'p> Judge<'p> {
    pub(crate) fn new(pass: &'p Pass<'p>) -> Self {
        Self { pass }
    }

    /// Judges an entry and says what is found. Answers whether it is a link to a folder.
    pub(crate) fn entry(
        &self,
        entry: &Entry<'_>,
        active: &[Active],
        path: impl Fn() -> PathBuf,
    ) -> bool {
        let wanted = self.wanted_by_name(entry.name.to_bytes(), active);
        let kind = match entry.kind {
            FileType::Unknown => match entry.stat(AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(error) => {
                    self.pass.trouble(&path(), &error);
                    return false;
                }
            },
            kind => kind,
        };
        match kind {
            FileType::Symlink => self.link(entry, wanted, &path),
            _ if wanted.is_empty() => false,
            FileType::RegularFile => {
                self.regular(entry, wanted, &path(), READ.union(OFlags::NOFOLLOW));
                false
            }
            _ => {
                self.by_facts_alone(entry, &wanted, &path);
                false
            }
        }
    }

    /// The searches that the name leaves.
    fn wanted_by_name(&self, name: &[u8], active: &[Active]) -> Vec<Wanted> {
        let Pass { searches, forest, .. } = self.pass;
        let mut wanted = Vec::new();
        for Active { group, depth } in active {
            let members = &forest.groups[*group];
            for class in members.classes.iter().filter(|class| *depth < class.depth) {
                let search = &searches[class.names_of];
                if search.options.matchall && !name_holds(search, name) {
                    continue;
                }
                wanted.extend(class.members.iter().map(|position| Wanted {
                    group: *group,
                    position: *position,
                    search: members.searches[*position],
                    settled: false,
                }));
            }
        }
        wanted
    }

    /// A link, a FIFO, a socket, a device: never opened.
    fn by_facts_alone(&self, entry: &Entry<'_>, wanted: &[Wanted], path: &impl Fn() -> PathBuf) {
        let searches = self.pass.searches;
        let mut wanted =
            wanted.iter().filter(|wanted| !searches[wanted.search].judges_content()).peekable();
        if wanted.peek().is_none() {
            return;
        }
        match entry.stat(AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let facts = facts(&stat);
                for wanted in wanted {
                    if self.answer(wanted, entry.name, facts) == Answer::Yes {
                        self.pass.found(found(wanted.search, path(), facts));
                    }
                }
            }
            Err(error) => self.pass.trouble(&path(), &error),
        }
    }

    fn answer(&self, wanted: &Wanted, name: &CStr, facts: Facts) -> Answer {
        by_facts(&self.pass.searches[wanted.search], name.to_bytes(), facts, self.pass.now)
    }

    /// A link to a file is read where its file lies in the searched path, or where links are followed.
    fn link(&self, entry: &Entry<'_>, wanted: Vec<Wanted>, path: &impl Fn() -> PathBuf) -> bool {
        self.by_facts_alone(entry, &wanted, path);
        let searches = self.pass.searches;
        let target = match entry.stat(AtFlags::empty()) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            // It leads nowhere: there is nothing to read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return false,
            Err(error) => {
                if wanted.iter().any(|wanted| searches[wanted.search].judges_content()) {
                    self.pass.trouble(&path(), &error);
                }
                return false;
            }
        };
        match target {
            FileType::Directory => return true,
            FileType::RegularFile => {}
            _ => return false,
        }
        let reading = wanted.into_iter().filter(|one| searches[one.search].judges_content());
        let reading: Vec<Wanted> = reading.collect();
        if reading.is_empty() {
            return false;
        }
        let path = path();
        let target = match std::fs::canonicalize(&path) {
            Ok(target) => target,
            Err(error) => {
                self.pass.trouble(&path, &error);
                return false;
            }
        };
        let within = target.starts_with(entry.root);
        let may_enter = self.pass.may_enter(&target);
        let (read, left): (Vec<_>, Vec<_>) = reading
            .into_iter()
            .partition(|one| within || may_enter && searches[one.search].options.follow);
        if !within {
            let (followed, hides) = (left.is_empty(), !left.is_empty());
            self.pass.link(Link { path: path.clone(), target, followed, hides });
        }
        if !read.is_empty() {
            self.regular(entry, read, &path, READ);
        }
        false
    }

    /// A file: facts first, where they may spare opening it.
    fn regular(&self, entry: &Entry<'_>, mut wanted: Vec<Wanted>, path: &Path, how: OFlags) {
        let searches = self.pass.searches;
        let follow = match how.contains(OFlags::NOFOLLOW) {
            true => AtFlags::SYMLINK_NOFOLLOW,
            false => AtFlags::empty(),
        };
        if !wanted.iter().all(|wanted| searches[wanted.search].reads()) {
            match entry.stat(follow) {
                Ok(stat) => self.settle(&mut wanted, entry.name, facts(&stat), path),
                Err(error) => return self.pass.trouble(path, &error),
            }
            if wanted.is_empty() {
                return;
            }
        }
        match rustix::fs::openat(entry.folder, entry.name, how, Mode::empty()) {
            Ok(opened) => self.opened(File::from(opened), entry.name, wanted, path, entry.root),
            Err(error) => {
                self.pass.trouble(path, &error);
                if let Ok(stat) = entry.stat(follow) {
                    let facts = facts(&stat);
                    self.settle(&mut wanted, entry.name, facts, path);
                    self.without_digest(&wanted, facts, path);
                }
            }
        }
    }

    /// What the facts alone have decided is found, also where its content cannot be read.
    fn without_digest(&self, wanted: &[Wanted], facts: Facts, path: &Path) {
        for wanted in wanted.iter().filter(|wanted| wanted.settled) {
            self.pass.found(found(wanted.search, path.to_owned(), facts));
        }
    }

    /// A file that was opened, by searches that began at `root`.
    fn opened(&self, file: File, name: &CStr, mut wanted: Vec<Wanted>, path: &Path, root: &Path) {
        match rustix::fs::fstat(&file) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
                let facts = facts(&stat);
                self.settle(&mut wanted, name, facts, path);
                if wanted.is_empty() {
                    return;
                }
                match self.pass.made_up.leaves_out(stat.st_dev, path, root) {
                    true => self.without_digest(&wanted, facts, path),
                    false => self.read(file, &wanted, facts, path),
                }
            }
            // It was exchanged between two looks; what it is now is no file.
            Ok(_) => {}
            Err(error) => self.pass.trouble(path, &error),
        }
    }

    /// Judges the file of this name in a folder without a look at the folder: three calls of the system fewer, of
    /// eight. Answers whether it could: there is a file that must be read, with no link on the way to it.
    pub(crate) fn straight(&self, folder: &Path, name: &CStr, active: &[Active]) -> bool {
        let wanted = self.wanted_by_name(name.to_bytes(), active);
        if !wanted.iter().all(|wanted| self.pass.searches[wanted.search].reads()) {
            return false;
        }
        let path = folder.join(OsStr::from_bytes(name.to_bytes()));
        // Not opened before it is known to be a file: to open a FIFO is to take part in it.
        let stat = rustix::fs::statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW);
        if !stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile) {
            return false;
        }
        let Ok(file) =
            rustix::fs::openat2(CWD, &path, READ, Mode::empty(), ResolveFlags::NO_SYMLINKS)
        else {
            return false;
        };
        self.opened(File::from(file), name, wanted, &path, folder);
        true
    }

    /// Takes out the searches that the facts decide, and says what they have found.
    fn settle(&self, wanted: &mut Vec<Wanted>, name: &CStr, facts: Facts, path: &Path) {
        wanted.retain_mut(|wanted| match self.answer(wanted, name, facts) {
            Answer::No => false,
            Answer::Open => true,
            Answer::Yes if self.pass.searches[wanted.search].options.returnsha256 => {
                wanted.settled = true;
                true
            }
            Answer::Yes => {
                self.pass.found(found(wanted.search, path.to_owned(), facts));
                false
            }
        });
    }

    /// Reads a file once for the searches that take it as it is, and once unpacked for the others.
    fn read(&self, mut file: File, wanted: &[Wanted], facts: Facts, path: &Path) {
        count(&self.pass.tally().read, 1);
        let searches = self.pass.searches;
        let (unpacked, plain): (Vec<Wanted>, Vec<Wanted>) =
            wanted.iter().partition(|wanted| searches[wanted.search].options.decompress);
        let reader = Reader { pass: self.pass, path, facts };
        let outcome = BUFFER.with_borrow_mut(|buffer| {
            if !plain.is_empty() {
                reader
                    .read(&mut ToTheEnd::of(&file, facts.size), &plain, None, buffer)
                    .inspect_err(|_| self.without_digest(&plain, facts, path))?;
            }
            if !unpacked.is_empty() {
                if !plain.is_empty() {
                    std::io::Seek::rewind(&mut file)?;
                }
                unpack::each_member(file, path, |member, content| {
                    reader.read(content, &unpacked, member, buffer)
                })
                .inspect_err(|_| self.without_digest(&unpacked, facts, path))?;
            }
            Ok::<(), std::io::Error>(())
        });
        if let Err(error) = outcome {
            self.pass.trouble(path, &error);
        }
    }
}

/// A file that is not asked again for what lies behind its end: where a read that had room for more ends at the
/// size or behind it, nothing follows (read(2)). A file of size 0 may be one of those that the system makes.
struct ToTheEnd<'f> {
    file: &'f File,
    left: u64,
    ended: bool,
}

impl<'f> ToTheEnd<'f> {
    fn of(file: &'f File, size: u64) -> Self {
        Self { file, left: size, ended: false }
    }
}

impl Read for ToTheEnd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let read = self.file.read(buffer)?;
        let left = self.left;
        self.left = left.saturating_sub(read as u64);
        self.ended = left > 0 && self.left == 0 && read < buffer.len();
        Ok(read)
    }
}

fn facts(stat: &Stat) -> Facts {
    Facts {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode,
        mtime: stat.st_mtime,
    }
}

fn found(search: usize, path: PathBuf, facts: Facts) -> Found {
    let Facts { size, mode, mtime } = facts;
    Found { search, path, member: None, mtime, mode, size, sha256: None }
}
