//! A Core Rule Set unpacked from its archive, to where [`CoreRuleSet::installed`] finds it.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use super::{CoreRuleSet, CoreRuleSetError};

/// Bytes that an archive may unpack to: the whole of version 4 with its tests has 40 MiB.
const UNPACKED_MAX: u64 = 512 << 20;
/// The file beside the rules with the checksum of their archive, as sha256sum writes it.
const CHECKSUM: &str = "SHA256SUM";

/// A rule set that was unpacked, or had been before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The archive's SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Whether it was there already.
    pub was_there: bool,
}

/// Why an archive is not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is another archive than expected.
    #[error("the archive's SHA-256 is {found}, not {expected}")]
    Checksum {
        /// The archive's.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// It is no archive that can be read.
    #[error("the archive cannot be read: {0} (expected a .tar.gz of the Core Rule Set)")]
    Archive(io::Error),
    /// A path in it leads elsewhere.
    #[error("the archive has a file that would lie outside: {}", .0.display())]
    Outside(PathBuf),
    /// It unpacks to more than anybody needs.
    #[error("the archive unpacks to more than {} MiB", UNPACKED_MAX >> 20)]
    TooLarge,
    /// What it holds is no rule set.
    #[error(transparent)]
    Content(#[from] CoreRuleSetError),
    /// The same version from another archive is there.
    #[error("version {version} is installed from another archive (SHA-256 {sha256}); to replace it, remove {}", .folder.display())]
    Other {
        /// The version.
        version: String,
        /// Its folder.
        folder: PathBuf,
        /// That archive's.
        sha256: String,
    },
    /// The system's word.
    #[error("{}: {cause}", .path.display())]
    System {
        /// What it was about.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

impl CoreRuleSet {
    /// Unpacks an archive (.tar.gz) into a folder of its version below `own`; it appears there whole or not
    /// at all. Tests and the like are left out.
    ///
    /// # Errors
    /// A checksum other than `expected` (SHA-256, hexadecimal), a broken archive, and what the system says.
    pub fn install(
        archive: &[u8],
        expected: Option<&str>,
        own: &Path,
    ) -> Result<Installed, InstallError> {
        let sha256: String =
            Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(expected) = expected.filter(|it| !it.eq_ignore_ascii_case(&sha256)) {
            return Err(InstallError::Checksum { found: sha256, expected: expected.to_owned() });
        }
        let system = |path: &Path| {
            let path = path.to_owned();
            move |cause| InstallError::System { path, cause }
        };
        let growing = own.join(format!(".{sha256}.part"));
        fs::create_dir_all(own).map_err(system(own))?;
        // What an interrupted attempt has left.
        if growing.exists() {
            fs::remove_dir_all(&growing).map_err(system(&growing))?;
        }
        let unpacked = unpack(archive, &growing).and_then(|()| {
            let line = format!("{sha256}  archive.tar.gz\n");
            let file = growing.join(CHECKSUM);
            fs::write(&file, line).map_err(system(&file))?;
            let version = Self::at(&growing)?.version().to_owned();
            let folder = own.join(&version);
            if let Ok(before) = fs::read_to_string(folder.join(CHECKSUM)) {
                let before = before.split(' ').next().unwrap_or_default().to_owned();
                if before != sha256 {
                    return Err(InstallError::Other { version, folder, sha256: before });
                }
                return Ok(Installed { version, folder, sha256: before, was_there: true });
            }
            fs::rename(&growing, &folder).map_err(system(&folder))?;
            Ok(Installed { version, folder, sha256: sha256.clone(), was_there: false })
        });
        // Of no use to anybody; that it stays where it cannot be removed harms nobody.
        let _ = fs::remove_dir_all(&growing);
        unpacked
    }
}

/// Unpacks what a firewall needs.
fn unpack(archive: &[u8], folder: &Path) -> Result<(), InstallError> {
    let reader = GzDecoder::new(archive).take(UNPACKED_MAX + 1);
    let mut archive = tar::Archive::new(reader);
    let mut found = false;
    for entry in archive.entries().map_err(InstallError::Archive)? {
        let mut entry = entry.map_err(InstallError::Archive)?;
        let path = entry.path().map_err(InstallError::Archive)?.into_owned();
        let Some(inner) = inner(&path)? else { continue };
        if !entry.header().entry_type().is_file() || !is_wanted(&inner) {
            continue;
        }
        let to = folder.join(inner);
        let system = |cause| InstallError::System { path: to.clone(), cause };
        fs::create_dir_all(to.parent().unwrap_or(folder)).map_err(system)?;
        let mut text = Vec::new();
        entry.read_to_end(&mut text).map_err(InstallError::Archive)?;
        fs::write(&to, text).map_err(system)?;
        found = true;
    }
    if archive.into_inner().limit() == 0 {
        return Err(InstallError::TooLarge);
    }
    if !found {
        return Err(CoreRuleSetError::NoRules(folder.to_owned()).into());
    }
    Ok(())
}

/// The path without the archive's outermost folder; nothing for that folder itself.
fn inner(path: &Path) -> Result<Option<PathBuf>, InstallError> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let names: Option<Vec<_>> = parts
        .map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let names = names.ok_or_else(|| InstallError::Outside(path.to_owned()))?;
    Ok((names.len() > 1).then(|| names[1..].iter().collect()))
}

fn is_wanted(path: &Path) -> bool {
    let whole = ["crs-setup.conf.example", "LICENSE", "CHANGES.md"];
    path.starts_with("rules")
        || path.starts_with("plugins")
        || whole.iter().any(|it| path == Path::new(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            // Not by set_path, which refuses what the test is about.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            tar.append(&header, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn rules(version: &str) -> Vec<u8> {
        let first = format!("SecAction \"id:1,ver:'OWASP_CRS/{version}'\"");
        archive(&[
            ("crs-1/rules/REQUEST-901-INITIALIZATION.conf", &first),
            ("crs-1/crs-setup.conf.example", ""),
            ("crs-1/tests/much.yaml", "much"),
        ])
    }

    #[test]
    fn an_archive_is_unpacked_once_and_found() {
        let own = tempfile::tempdir().unwrap();
        let archive = rules("4.2.0");
        let one = CoreRuleSet::install(&archive, None, own.path()).unwrap();
        assert_eq!((one.version.as_str(), one.was_there), ("4.2.0", false));
        assert!(!one.folder.join("tests").exists());
        let again = CoreRuleSet::install(&archive, Some(&one.sha256.to_uppercase()), own.path());
        assert!(again.unwrap().was_there);
        CoreRuleSet::install(&rules("4.10.0"), None, own.path()).unwrap();
        assert_eq!(CoreRuleSet::installed(own.path()).unwrap().version(), "4.10.0");
        let left =
            fs::read_dir(own.path()).unwrap().filter_map(Result::ok).map(|it| it.file_name());
        assert_eq!(left.filter(|it| it.to_string_lossy().starts_with('.')).count(), 0);
    }

    #[test]
    fn what_is_wrong_is_told_and_leaves_nothing() {
        let own = tempfile::tempdir().unwrap();
        let refused = |archive: &[u8], expected| {
            let error = CoreRuleSet::install(archive, expected, own.path()).unwrap_err();
            assert_eq!(fs::read_dir(own.path()).unwrap().count(), 0, "{error}");
            error.to_string()
        };
        assert!(refused(b"text", None).contains("expected a .tar.gz"));
        assert!(refused(&archive(&[("crs/readme", "")]), None).contains("is no Core Rule Set"));
        assert!(refused(&archive(&[("../rules/x", "")]), None).contains("outside"));
        assert!(refused(&archive(&[("/rules/x", "")]), None).contains("outside"));
        let cut = &rules("4.2.0")[..60];
        assert!(refused(cut, None).contains("cannot be read"));
        assert!(refused(&rules("4.2.0"), Some("00")).contains("not 00"));
    }

    #[test]
    fn another_archive_of_the_same_version_replaces_nothing() {
        let own = tempfile::tempdir().unwrap();
        CoreRuleSet::install(&rules("4.2.0"), None, own.path()).unwrap();
        let mut other = rules("4.2.0");
        // Another time in the head of the gzip stream (RFC 1952 §2.3.1).
        other[4] ^= 1;
        let error = CoreRuleSet::install(&other, None, own.path()).unwrap_err();
        assert!(matches!(error, InstallError::Other { .. }), "{error}");
    }
}
