//! SSH keys, made by ssh-keygen(1) when a template first uses them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, Value};

use crate::programs;
use crate::work_folder::write_private;

/// The kinds of host key, as a template names them below `ssh.host_key`, with ssh-keygen's type and
/// bits. The short RSA keys are for targets that are weak on purpose.
const HOST_KEYS: [(&str, &str, Option<&str>); 5] = [
    ("ed25519", "ed25519", None),
    ("ecdsa", "ecdsa", Some("256")),
    ("rsa", "rsa", Some("3072")),
    ("rsa_2048", "rsa", Some("2048")),
    ("rsa_1024", "rsa", Some("1024")),
];
const CLIENT_KEY: &str = "client_ed25519";

/// The variable `ssh` of a template: `user`, `private_key`, `authorized_keys`, `host_key.KIND`.
#[derive(Debug)]
pub(crate) struct SshKeys {
    folder: PathBuf,
    user: String,
    made: Mutex<BTreeMap<String, PathBuf>>,
    /// A template cannot be told more than "undefined"; the reason waits here.
    failure: Mutex<Option<String>>,
}

impl SshKeys {
    /// Keys in that folder, for that user. Nothing is made yet.
    pub(crate) fn new(folder: PathBuf, user: String) -> Self {
        Self { folder, user, made: Mutex::default(), failure: Mutex::default() }
    }

    /// Who may log in: the user who runs the harness.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The client's private key; its public half lies beside it with the ending `.pub`.
    pub(crate) fn private_key(&self) -> io::Result<PathBuf> {
        self.key(CLIENT_KEY, "ed25519", None)
    }

    /// Why a key could not be made.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An authorized_keys file with the client's public key only.
    fn authorized_keys(&self) -> io::Result<PathBuf> {
        let public = self.private_key()?.with_extension("pub");
        let path = self.folder.join("authorized_keys");
        if !path.exists() {
            write_private(&path, &fs::read(public)?)?;
        }
        Ok(path)
    }

    fn key(&self, name: &str, kind: &str, bits: Option<&str>) -> io::Result<PathBuf> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = made.get(name) {
            return Ok(path.clone());
        }
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(name);
        keygen(&path, kind, bits)?;
        made.insert(name.to_owned(), path.clone());
        Ok(path)
    }

    fn told(&self, path: io::Result<PathBuf>) -> Option<Value> {
        match path {
            Ok(path) => Some(path.display().to_string().into()),
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error.to_string());
                None
            }
        }
    }
}

impl Object for SshKeys {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "user" => Some(self.user.clone().into()),
            "private_key" => self.told(self.private_key()),
            "authorized_keys" => self.told(self.authorized_keys()),
            "host_key" => Some(Value::from_object(HostKeys(Arc::clone(self)))),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

#[derive(Debug)]
struct HostKeys(Arc<SshKeys>);

impl Object for HostKeys {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (name, kind, bits) =
            HOST_KEYS.into_iter().find(|(name, ..)| key.as_str() == Some(name))?;
        self.0.told(self.0.key(&format!("host_{name}"), kind, bits))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

fn keygen(path: &Path, kind: &str, bits: Option<&str>) -> io::Result<()> {
    let program = programs::find("ssh-keygen")
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "ssh-keygen is not installed"))?;
    let mut command = Command::new(program);
    command.args(["-q", "-t", kind, "-N", "", "-C", "edgeproof", "-f"]).arg(path);
    if let Some(bits) = bits {
        command.args(["-b", bits]);
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ssh-keygen -t {kind}: {}", said.trim())))
}
