//! Files that dpkg was told not to unpack (dpkg(1), `path-exclude` and `path-include`).

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use regex::bytes::Regex;

use crate::fnmatch::regex_of;
use crate::root::Root;
use crate::sshd::config::Files as _;

/// Patterns in their order, and whether each excludes.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Vec<(bool, Regex)>);

impl LeftOut {
    /// Reads dpkg's configuration. What cannot be read excludes nothing.
    pub(super) fn read(root: &Root) -> Self {
        let mut files = vec![PathBuf::from("/etc/dpkg/dpkg.cfg")];
        let parts = root.listed(Path::new("/etc/dpkg/dpkg.cfg.d"), "*").unwrap_or_default();
        files.extend(parts.into_iter().filter(|file| is_part(file)));
        let mut patterns = Self::default();
        for file in files {
            let text = root.read(&file).unwrap_or_default();
            patterns.take(&String::from_utf8_lossy(&text));
        }
        patterns
    }

    fn take(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.trim().trim_start_matches("--");
            let end = line.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(line.len());
            let (name, pattern) = line.split_at(end);
            let excludes = match name {
                "path-exclude" => true,
                "path-include" => false,
                _ => continue,
            };
            let pattern = pattern.trim_start_matches(|c: char| c == '=' || c.is_whitespace());
            self.0.extend(regex_of(pattern.trim_matches('"')).map(|regex| (excludes, regex)));
        }
    }

    /// Whether a path was left out: the last pattern that fits it decides.
    pub(super) fn has(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        let last = self.0.iter().rev().find(|(_, pattern)| pattern.is_match(path));
        last.is_some_and(|(excludes, _)| *excludes)
    }
}

/// dpkg reads only files with such names there.
fn is_part(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().as_bytes();
    name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_decides() {
        let mut left_out = LeftOut::default();
        left_out.take(
            "# path-exclude=/usr/bin/*\npath-exclude /usr/share/man/*\n\
             path-include=/usr/share/man/man[1-3]/*\n--path-exclude=/usr/share/l?cale/*\n\
             path-include=/usr/share/locale/[!a-d]*\nforce-unsafe-io\n",
        );
        for (path, is) in [
            ("/usr/bin/ls", false),
            ("/usr/share/man/de/man1/ls.1.gz", true),
            ("/usr/share/man/man1/ls.1.gz", false),
            ("/usr/share/man/man8/ld.8.gz", true),
            ("/usr/share/locale/de/a.mo", true),
            ("/usr/share/locale/en/a.mo", false),
        ] {
            assert_eq!(left_out.has(Path::new(path)), is, "{path}");
        }
    }
}
