//! A file of the target.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::expect::FileState;

const MOST_READ: u64 = 16 * 1024 * 1024;

/// What is at that path now.
pub(crate) fn look(path: &Path) -> FileState {
    match read(path) {
        Ok((mode, content)) => FileState { file: Some((mode, content)), trouble: None },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            FileState { file: None, trouble: None }
        }
        Err(error) => FileState { file: None, trouble: Some(error.to_string()) },
    }
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
        assert_eq!(look(&path).file, Some((0o640, b"one".to_vec())));
        assert_eq!(look(&folder.path().join("b")), FileState { file: None, trouble: None });
    }
}
