//! The folder that a target works in: rendered configuration, logs, sockets, keys.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::leftovers::{self, Claim};

/// A folder of mode 0700. It is removed when this is dropped, unless it is to be kept.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    kept: bool,
    /// `None` where the file system has no locks.
    _claim: Option<Claim>,
}

impl WorkFolder {
    /// A new folder. `strict`: where sshd's StrictModes accepts an authorized_keys file, which is
    /// nowhere below a folder that others may write to, such as /tmp. What former runs left behind in
    /// any such place is swept up first.
    pub(crate) fn make(name: &str, strict: bool) -> io::Result<Self> {
        places().iter().for_each(|place| leftovers::sweep(place));
        let base = if strict { strict_base()? } else { std::env::temp_dir() };
        let (prefix, random) = leftovers::name_of(name);
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .rand_bytes(random)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(base)?;
        let claim = Claim::take(temporary.path()).ok();
        leftovers::mark_in_use(temporary.path())?;
        // Unix socket addresses hold 107 octets: no symbolic link may make the path longer later.
        let path = temporary.path().canonicalize()?;
        // From here on it is removed by this type, in an order of its own.
        let _ = temporary.keep();
        Ok(Self { path, kept: false, _claim: claim })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on it stays when this is dropped, until there are too many or it is too old.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
        // Without this mark it only goes earlier.
        let _ = leftovers::mark_kept(&self.path);
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is left to the next run.
            let _ = leftovers::remove(&self.path);
        }
    }
}

/// Where work folders are made, in the order of preference.
fn places() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".cache")));
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = [Some(std::env::temp_dir()), runtime, cache.map(|cache| cache.join("edgeproof"))];
    places.into_iter().flatten().collect()
}

/// The first place whose whole path only its owner or root may write to.
fn strict_base() -> io::Result<PathBuf> {
    for candidate in places() {
        if fs::DirBuilder::new().recursive(true).mode(0o700).create(&candidate).is_ok()
            && is_strict(&candidate)
        {
            return Ok(candidate);
        }
    }
    Err(io::Error::other(
        "no folder for sshd's keys: TMPDIR, XDG_RUNTIME_DIR and XDG_CACHE_HOME (or HOME) all lie below \
         a folder that others may write to, which sshd's StrictModes refuses",
    ))
}

/// As sshd's StrictModes sees it (sshd_config(5)): nobody but its owner, who is root or this user, may
/// write to the folder or to any above it.
fn is_strict(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    folder.ancestors().all(|part| {
        fs::metadata(part).is_ok_and(|meta| {
            (meta.uid() == 0 || meta.uid() == Uid::effective().as_raw())
                && meta.permissions().mode() & 0o022 == 0
        })
    })
}

/// Writes a new file of mode 0600.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new(path, bytes, 0o600)
}

/// Writes a file of that mode, and the folders above it (mode 0700) where they are missing.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    // The mode of open(2) goes through the umask.
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_can_neither_read_it_nor_does_it_stay() {
        let folder = WorkFolder::make("http://127.0.0.1:80/x", false).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        write_new(&path.join("a/b.conf"), b"x", 0o755).unwrap();
        assert_eq!(
            fs::metadata(path.join("a/b.conf")).unwrap().permissions().mode() & 0o777,
            0o755
        );
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn it_can_be_kept() {
        let mut folder = WorkFolder::make("kept", false).unwrap();
        folder.keep();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(path.exists());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_below_one_that_others_write_to_is_not_strict() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!is_strict(&inner));
    }
}
