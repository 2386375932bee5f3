//! Files below a root: links within lead to places below it, and nothing but plain files is opened.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags};

use crate::fnmatch;
use crate::sshd::config::Files;

/// More octets than any file here should have.
const MOST: u64 = 64 << 20;

/// Reads a plain file below a folder that stands for `/`: links within lead to places below it.
///
/// # Errors
/// It is no plain file, is larger than 64 MiB, or cannot be read.
pub fn read_below(root: &Path, path: &Path) -> io::Result<Vec<u8>> {
    Root::open(root)?.read(path)
}

/// A file system's root, or a folder that stands for one.
#[derive(Debug)]
pub(crate) struct Root(OwnedFd);

impl Root {
    /// Opens it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?))
    }

    fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        // Links are resolved as if this were `/`.
        Ok(rustix::fs::openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
    }

    /// What a path is, its links followed, without opening it.
    fn kind(&self, path: &Path) -> io::Result<FileType> {
        let fd = rustix::fs::openat2(
            &self.0,
            path,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT,
        )?;
        Ok(FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode))
    }
}

impl Files for Root {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.kind(path)? != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        let mut content = Vec::new();
        let file = File::from(self.open_at(path, OFlags::empty())?);
        if file.take(MOST + 1).read_to_end(&mut content)? as u64 > MOST {
            return Err(io::Error::other("it is larger than 64 MiB"));
        }
        Ok(content)
    }

    fn listed(&self, folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let opened = match self.open_at(folder, OFlags::DIRECTORY) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(Vec::new());
            }
            opened => Dir::new(opened?)?,
        };
        let what_is_wrong = || io::Error::other(format!("`{pattern}` is no pattern"));
        let fits = fnmatch::regex_of(pattern).ok_or_else(what_is_wrong)?;
        let mut files = Vec::new();
        for entry in opened {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            // As glob(7): a name that begins with a dot has to be asked for.
            let is_asked_for = !name.starts_with(b".") || pattern.starts_with('.');
            if is_asked_for && !matches!(name, b"." | b"..") && fits.is_match(name) {
                files.push(folder.join(OsStr::from_bytes(name)));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Root {
    /// Opens a file, its links followed; `None` for what is no plain file.
    pub(crate) fn plain_file(&self, path: &Path) -> io::Result<Option<File>> {
        if self.kind(path)? != FileType::RegularFile {
            return Ok(None);
        }
        let file = File::from(self.open_at(path, OFlags::empty())?);
        // It may have been replaced since it was looked at; nothing else can hold us, as opening does not block.
        Ok(file.metadata()?.is_file().then_some(file))
    }

    /// What a path's last part is itself, be it a link that leads nowhere.
    pub(crate) fn itself(&self, path: &Path) -> io::Result<FileType> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?;
        Ok(FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode))
    }

    /// Whether something is at a path.
    pub(crate) fn is_there(&self, path: &Path) -> bool {
        !matches!(self.kind(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }
}
