//! Ed25519 keys (RFC 8032) as people keep them: a line of text each.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

const PREFIX: &str = "ed25519:";
const SECRET: &str = "edgeproof-secret-key ";

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key of OpenSSH's.
    #[error("this is a key of SSH's; `edgeproof agent keygen` makes keys for actions")]
    OfSsh,
    /// A secret key where a public one belongs.
    #[error("this is a secret key: keep it to yourself; what belongs here begins with `ed25519:`")]
    Secret,
    /// A public key where a secret one belongs.
    #[error("this is a public key: what signs is the file beside it, without `.pub`")]
    Public,
    /// It does not begin as keys do.
    #[error("no key: expected `ed25519:` and 43 characters")]
    Form,
    /// Its octets are no point of the curve, or one that any signature fits.
    #[error("these octets are no Ed25519 key")]
    Octets,
}

/// A file that gives no secret key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
    /// It is there already.
    #[error("{} is there already: a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// Others may read it.
    #[error("{0} may be read by others (mode {1:03o}): `chmod 600 {0}`")]
    Open(String, u32),
    /// It holds no key.
    #[error("{}: {}", .0.display(), .1)]
    Key(PathBuf, KeyError),
}

/// The key that a signature is checked with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Whether the signature is this key's, strictly: no second form of a signature passes (RFC 8032 §5.1.7).
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
            return Err(KeyError::OfSsh);
        }
        if text.starts_with(SECRET) {
            return Err(KeyError::Secret);
        }
        let octets = octets(text).ok_or(KeyError::Form)?;
        let key = VerifyingKey::from_bytes(&octets).map_err(|_| KeyError::Octets)?;
        if key.is_weak() { Err(KeyError::Octets) } else { Ok(Self(key)) }
    }
}

fn octets(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text.strip_prefix(PREFIX)?).ok()?.try_into().ok()
}

/// The key that signs.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new one.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn new() -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message)
    }

    /// Writes it to a new file for its owner alone, and the public key beside it as `FILE.pub`.
    ///
    /// # Errors
    /// One of the files is there already or cannot be written.
    pub fn create(&self, file: &Path) -> Result<PathBuf, KeyFileError> {
        let mut public = file.as_os_str().to_owned();
        public.push(".pub");
        let public = PathBuf::from(public);
        if public.exists() {
            return Err(KeyFileError::Exists(public));
        }
        let secret = format!("{SECRET}{PREFIX}{}\n", BASE64.encode(self.0.as_bytes()));
        write_new(file, &secret, 0o600)?;
        // One half of a pair is of no use, and would be in the way of the next.
        let written = write_new(&public, &format!("{}\n", self.public()), 0o644);
        written.inspect_err(|_| drop(std::fs::remove_file(file)))?;
        Ok(public)
    }

    /// Reads it from a file that nobody else may read.
    ///
    /// # Errors
    /// The file cannot be read, others may read it, or it holds no secret key.
    pub fn load(file: &Path) -> Result<Self, KeyFileError> {
        let wrong = |error| KeyFileError::Io(file.to_owned(), error);
        let opened = std::fs::File::open(file).map_err(wrong)?;
        let mode = opened.metadata().map_err(wrong)?.mode() & 0o777;
        let mut text = String::new();
        opened.take(4096).read_to_string(&mut text).map_err(wrong)?;
        let key = text.parse().map_err(|error| KeyFileError::Key(file.to_owned(), error))?;
        match mode & 0o077 {
            0 => Ok(key),
            _ => Err(KeyFileError::Open(file.display().to_string(), mode)),
        }
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("-----BEGIN") {
            return Err(KeyError::OfSsh);
        }
        if text.starts_with(PREFIX) {
            return Err(KeyError::Public);
        }
        let octets = text.strip_prefix(SECRET).and_then(octets).ok_or(KeyError::Form)?;
        Ok(Self(SigningKey::from_bytes(&octets)))
    }
}

/// Never shows the key.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

fn write_new(file: &Path, text: &str, mode: u32) -> Result<(), KeyFileError> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| {
        let written = opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all());
        written.inspect_err(|_| drop(std::fs::remove_file(file)))
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(file.to_owned()),
        _ => KeyFileError::Io(file.to_owned(), error),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_of_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("alice.key");
        let key = SecretKey::new().expect("a key");
        let public = key.create(&file).expect("written");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(&file), mode(&public)), (0o600, 0o644));
        let again = SecretKey::load(&file).expect("a key");
        assert_eq!(again.public(), key.public());
        let text = std::fs::read_to_string(&public).expect("a file");
        assert_eq!(text.parse::<PublicKey>(), Ok(key.public()));
        assert!(matches!(key.create(&file), Err(KeyFileError::Exists(_))));
        // Its own file for the other half, and the other way round.
        assert!(matches!(SecretKey::load(&public), Err(KeyFileError::Key(_, KeyError::Public))));
        let secret = std::fs::read_to_string(&file).expect("a file");
        assert_eq!(secret.parse::<PublicKey>(), Err(KeyError::Secret));
        assert_eq!(text.parse::<SecretKey>().expect_err("public"), KeyError::Public);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("a mode");
        assert!(matches!(SecretKey::load(&file), Err(KeyFileError::Open(_, 0o640))));
        assert!(!format!("{key:?}").contains(secret.split(':').nth(1).expect("it").trim()));
    }

    #[test]
    fn no_half_of_a_pair_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("alice.key");
        // A link that leads nowhere is not there, and yet in the way.
        std::os::unix::fs::symlink("nowhere/at/all", folder.path().join("alice.key.pub"))
            .expect("a link");
        let key = SecretKey::new().expect("a key");
        assert!(matches!(key.create(&file), Err(KeyFileError::Exists(_))));
        assert!(!file.exists());
    }

    #[test]
    fn what_is_no_key_is_told() {
        let public = |text: &str| text.parse::<PublicKey>().expect_err(text);
        assert_eq!(public("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI bob"), KeyError::OfSsh);
        assert_eq!(public("ed25519:abc"), KeyError::Form);
        // The neutral element, which some signature of every message fits.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(public(&format!("{PREFIX}{}", BASE64.encode(neutral))), KeyError::Octets);
        let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----";
        assert_eq!(ssh.parse::<SecretKey>().expect_err("SSH's"), KeyError::OfSsh);
    }
}
