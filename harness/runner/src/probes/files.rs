//! Files of the target.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::expect::FileState;

const MOST_READ: u64 = 16 * 1024 * 1024;

/// The last part of a path that stands for every file of the folder.
const EVERY: &str = "*";

/// What is at that path now: a file, or with [`EVERY`] behind it all that are in a folder, by their names.
pub(crate) fn look(path: &Path) -> FileState {
    let read = match path.parent().filter(|_| path.file_name() == Some(EVERY.as_ref())) {
        Some(folder) => of_folder(folder),
        None => read(path).map(|file| vec![file]),
    };
    match read {
        Ok(files) => FileState { files, trouble: None },
        Err(error) if error.kind() == ErrorKind::NotFound => FileState::default(),
        Err(error) => FileState { files: Vec::new(), trouble: Some(error.to_string()) },
    }
}

fn of_folder(folder: &Path) -> std::io::Result<Vec<(u32, Vec<u8>)>> {
    let entries = std::fs::read_dir(folder)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<PathBuf>, _>>()?;
    paths.sort();
    let present = |file: &std::io::Result<(u32, Vec<u8>)>| {
        // What has got another name since the folder was read is there by that one.
        !file.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    paths.iter().map(|path| read(path)).filter(present).collect()
}

fn read(path: &Path) -> std::io::Result<(u32, Vec<u8>)> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o7777;
    let mut content = Vec::new();
    std::fs::File::open(path)?.take(MOST_READ).read_to_end(&mut content)?;
    Ok((mode, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_mode_and_content_and_a_missing_one_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(look(&path).files, [(0o640, b"one".to_vec())]);
        assert_eq!(look(&folder.path().join("b")), FileState::default());
    }

    #[test]
    fn a_star_is_every_file_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let every = folder.path().join("*");
        assert_eq!(look(&every), FileState::default());
        for (name, mode) in [("b", 0o644), ("a", 0o600)] {
            let path = folder.path().join(name);
            std::fs::write(&path, name).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(look(&every).files, [(0o600, b"a".to_vec()), (0o644, b"b".to_vec())]);
        assert_eq!(look(&folder.path().join("none/*")), FileState::default());
        assert!(look(&folder.path().join("a/*")).trouble.is_some());
    }
}
