//! A small host in a folder, and searches on it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use edgeproof_agent::{Findings, Search, investigate};

/// A folder that is gone after the test.
pub(crate) struct Host(tempfile::TempDir);

impl Host {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        let root = self.0.path().canonicalize().expect("it is there");
        if path.is_empty() { root } else { root.join(path) }
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.path(path).to_str().expect("UTF-8").to_owned()
    }

    /// Writes a file with the folders above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    pub(crate) fn link(&self, target: impl AsRef<Path>, path: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::os::unix::fs::symlink(target, path).expect("a link");
    }

    /// A search of this host, filled and made.
    pub(crate) fn search(&self, path: &str, fill: impl FnOnce(&mut Search)) -> Findings {
        let mut search = Search::named("s1");
        search.add_path(&self.text(path)).expect("a path");
        fill(&mut search);
        investigate(&[search.checked().expect("a search")], None)
    }

    /// The paths found, below this host.
    pub(crate) fn found(&self, findings: &Findings) -> Vec<String> {
        let root = self.path("");
        findings
            .found
            .iter()
            .map(|found| {
                let path =
                    found.path.strip_prefix(&root).expect("on this host").display().to_string();
                match &found.member {
                    Some(member) => format!("{path}:{member}"),
                    None => path,
                }
            })
            .collect()
    }
}
