//! A manifest as a file has it. The last line tells that nothing is missing and nothing was damaged: what lost blocks
//! of the files may have lost blocks of the manifest too.
//!
//! ```text
//! edgeproof manifest 1 blake3 /srv/www
//! 7d1f… 968 1401422685.000000000 600 index.html
//! end 1 b3c0…
//! ```

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::manifest::{Entry, Manifest};

/// A manifest that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It does not begin as one.
    #[error("this is no manifest: expected a first line `edgeproof manifest 1 blake3 /FOLDER`")]
    Start,
    /// A line is not of its form.
    #[error("line {0} is damaged: expected a digest, a size, a time, a mode and a path")]
    Line(usize),
    /// The last line is missing.
    #[error("the manifest is cut off: it has no last line `end …`")]
    CutOff,
    /// What stands there is not what was written.
    #[error("the manifest is damaged: its last line does not fit what stands above it")]
    Damaged,
}

impl Manifest {
    /// As a file has it.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text =
            format!("edgeproof manifest 1 {} {}\n", self.hash.name(), written(&self.folder));
        for (path, Entry { digest, size, mtime: (seconds, nanos), mode }) in &self.files {
            let path = written(path);
            let digest = blake3::Hash::from_bytes(*digest).to_hex();
            let _ = writeln!(text, "{digest} {size} {seconds}.{nanos:09} {mode:o} {path}");
        }
        let end = end_of(&text, self.files.len());
        text + &end
    }
}

fn end_of(above: &str, files: usize) -> String {
    format!("end {files} {}\n", blake3::hash(above.as_bytes()))
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, ManifestError> {
        let (first, _) = text.split_once('\n').unwrap_or((text, ""));
        let start = first.strip_prefix("edgeproof manifest 1 ").and_then(|words| {
            let (hash, folder) = words.split_once(' ')?;
            Some((hash.parse().ok()?, path_of(folder).filter(|folder| folder.is_absolute())?))
        });
        let (hash, folder) = start.ok_or(ManifestError::Start)?;
        let last = text.rfind("\nend ").ok_or(ManifestError::CutOff)? + 1;
        let (above, end) = text.split_at(last);
        if !end.ends_with('\n') {
            return Err(ManifestError::CutOff);
        }
        let lines = above.lines().enumerate().skip(1);
        let files = lines.map(|(index, line)| file_of(line).ok_or(ManifestError::Line(index + 1)));
        let files: Vec<_> = files.collect::<Result<_, _>>()?;
        match end == end_of(above, files.len()) {
            true => Ok(Self { folder, hash, files }),
            false => Err(ManifestError::Damaged),
        }
    }
}

fn file_of(line: &str) -> Option<(PathBuf, Entry)> {
    let mut words = line.splitn(5, ' ');
    let digest = blake3::Hash::from_hex(words.next()?).ok()?.into();
    let size = words.next()?.parse().ok()?;
    let (seconds, nanos) = words.next()?.split_once('.')?;
    let mtime = (seconds.parse().ok()?, nanos.parse().ok()?);
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let path = path_of(words.next()?)?;
    // What a manifest names lies in its folder.
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::Normal(_))).then_some(())?;
    Some((path, Entry { digest, size, mtime, mode }))
}

/// A path on one line: `%HH` for what would end it, for `%` and for what is not ASCII.
fn written(path: &Path) -> String {
    use std::fmt::Write as _;
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, octet| {
        match octet {
            b'%' | 0..=0x1f | 0x7f.. => {
                let _ = write!(text, "%{octet:02x}");
            }
            plain => text.push(char::from(*plain)),
        }
        text
    })
}

fn path_of(written: &str) -> Option<PathBuf> {
    let mut octets = Vec::new();
    let mut rest = written.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        if *octet == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            octets.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            octets.push(*octet);
            rest = after;
        }
    }
    (!octets.is_empty()).then(|| PathBuf::from(OsString::from_vec(octets)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::manifest::Hash;
    use super::*;

    fn entries() -> impl Strategy<Value = Vec<(PathBuf, Entry)>> {
        let name = prop::collection::vec(any::<u8>(), 1..20)
            .prop_map(|octets| PathBuf::from(OsString::from_vec(octets)))
            .prop_filter("a path from here", |path| {
                path.components().all(|part| matches!(part, Component::Normal(_)))
            });
        let entry =
            (any::<[u8; 32]>(), any::<u64>(), any::<i64>(), 0..1_000_000_000u32, 0..0o10_000u32);
        let entry = entry.prop_map(|(digest, size, seconds, nanos, mode)| Entry {
            digest,
            size,
            mtime: (seconds, nanos),
            mode,
        });
        prop::collection::vec((name, entry), 0..8)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(files in entries()) {
            let manifest = Manifest { folder: "/srv/ä %b".into(), hash: Hash::Sha256, files };
            prop_assert_eq!(manifest.to_text().parse(), Ok(manifest));
        }

        #[test]
        fn no_damage_is_overlooked(files in entries(), at: prop::sample::Index, to in b' '..b'~') {
            let manifest = Manifest { folder: "/srv".into(), hash: Hash::Blake3, files };
            let text = manifest.to_text();
            let at = at.index(text.len());
            let mut damaged = text.clone().into_bytes();
            damaged[at] = to;
            let damaged = String::from_utf8(damaged).expect("it was ASCII");
            prop_assert_eq!(damaged == text, damaged.parse::<Manifest>().is_ok());
            prop_assert!(text[..at].parse::<Manifest>().is_err());
        }
    }

    #[test]
    fn what_lies_outside_is_no_part() {
        let line = format!("{} 1 2.000000003 644 ", "0".repeat(64));
        assert!(file_of(&format!("{line}a/b c")).is_some());
        for outside in ["../a", "/etc/shadow", "a/../../b", "", "%2e%2e/a", "%zz"] {
            assert!(file_of(&format!("{line}{outside}")).is_none(), "{outside}");
        }
    }
}
