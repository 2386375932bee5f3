//! What an upstream's owner says about it, as values that cannot be wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::{User, geteuid};

use crate::CommandLine;

/// A command and how it is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What is started.
    pub command: CommandLine,
    /// Where it is to listen.
    pub listen: Listen,
    /// How long nobody may ask for it before it is stopped; zero: never. By the site's clock.
    pub idle: Duration,
    /// How long it may take until it accepts connections. Real time.
    pub start_limit: Duration,
    /// Between SIGTERM and SIGKILL. Real time.
    pub stop_grace: Duration,
    /// Where it starts; the proxy's own directory if absent.
    pub directory: Option<PathBuf>,
    /// What its environment has besides PATH, HOME, LANG and where to listen.
    pub environment: BTreeMap<String, String>,
    /// Whom it runs as; the proxy's own user if absent.
    pub user: Option<Privileges>,
    /// What it may use up.
    pub resources: Resources,
    /// Its log; standard error if absent. Upstreams of one account share theirs.
    pub log: Option<PathBuf>,
}

impl Settings {
    /// A command with everything else as usual: a free port or a socket as the command asks for it,
    /// stopped after ten idle minutes, 30 s to start, 5 s to end.
    #[must_use]
    pub fn new(command: CommandLine) -> Self {
        let listen = if command.wants_socket() { Listen::FreeSocket } else { Listen::FreePort };
        Self {
            command,
            listen,
            idle: Duration::from_secs(600),
            start_limit: Duration::from_secs(30),
            stop_grace: Duration::from_secs(5),
            directory: None,
            environment: BTreeMap::new(),
            user: None,
            resources: Resources::default(),
            log: None,
        }
    }
}

/// Where a process is to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On a port of 127.0.0.1 that is free when it starts.
    FreePort,
    /// On a unix socket in a directory that only its user may enter.
    FreeSocket,
    /// On this address.
    Tcp(SocketAddr),
    /// On this unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// Whether it is the same place each time.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }
}

/// Limits of one process and its children (setrlimit(2)); none where absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Bytes of address space, of each process.
    pub memory: Option<u64>,
    /// Open files, of each process.
    pub files: Option<u64>,
    /// Processes of its user. The system does not hold root to it.
    pub processes: Option<u64>,
}

/// A user that a process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileges {
    /// The login name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its first group's number.
    pub gid: u32,
    /// Its home, for HOME.
    pub home: PathBuf,
}

/// Why a process cannot run as a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivilegesError {
    /// The system has no such user.
    #[error("there is no user `{0}`")]
    Unknown(String),
    /// Only root may become somebody else.
    #[error("only root can start a process as another user")]
    NotRoot,
}

impl Privileges {
    /// Looks up a user whom this process may become.
    ///
    /// # Errors
    /// An unknown name, or a proxy that is not root and not that user already.
    pub fn of(name: &str) -> Result<Self, PrivilegesError> {
        let unknown = || PrivilegesError::Unknown(name.to_owned());
        let user = User::from_name(name).ok().flatten().ok_or_else(unknown)?;
        if !geteuid().is_root() && geteuid() != user.uid {
            return Err(PrivilegesError::NotRoot);
        }
        Ok(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), home: user.dir })
    }
}
