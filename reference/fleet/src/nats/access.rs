//! How a NATS server is reached: addresses, TLS, who one is.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr};

use crate::agent::Log;

/// Time for a server to be reached and to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a server cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// An address that is none.
    #[error("`{0}` is no NATS server: expected nats://HOST:PORT or tls://HOST:PORT")]
    Address(String),
    /// A password in an address is seen by everybody who lists processes.
    #[error(
        "a password in an address is seen by everyone on this host: use --user NAME --password-file FILE"
    )]
    Password,
    /// A file that says who one is.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// Flags that do not go together.
    #[error("{0}")]
    Flags(&'static str),
    /// Nobody answers there.
    #[error("no NATS server answers at {0}: {1}")]
    NotThere(String, String),
    /// The server does not let one in.
    #[error("the NATS server at {0} does not let you in: {1}")]
    NotAllowed(String, String),
    /// TLS fails.
    #[error("TLS with the NATS server at {0} fails: {1}")]
    Tls(String, String),
}

/// How to reach a server, and who to be.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Addresses; one of them is enough.
    pub servers: Vec<String>,
    /// A credentials file: a JWT and the seed of its key.
    pub creds: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub nkey: Option<PathBuf>,
    /// A user's name.
    pub user: Option<String>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// A certificate that the server's is signed by, beside the system's.
    pub ca: Option<PathBuf>,
    /// One's own certificate.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub cert_key: Option<PathBuf>,
    /// What the subjects begin with under which one hears answers, where the server gives each user one of their own.
    pub inbox: Option<String>,
}

impl Access {
    /// One server, without credentials.
    pub fn to(server: impl Into<String>) -> Self {
        Self { servers: vec![server.into()], ..Self::default() }
    }

    /// Connects. The connection comes back by itself when it breaks later; that, and what the server does not allow,
    /// is told.
    ///
    /// # Errors
    /// The server is not there, does not let one in, or what says who one is cannot be read.
    pub async fn connect(&self, name: &str, log: Log) -> Result<Client, AccessError> {
        let mut servers = Vec::new();
        for text in self.servers.iter().flat_map(|text| text.split(',')) {
            servers.push(address(text)?);
        }
        if servers.is_empty() {
            return Err(AccessError::Address(String::new()));
        }
        let shown = self.servers.join(",");
        let options = self.options(name, log).await?;
        // A server that asks for more than it got only ends the connection: without a limit the wait would be long.
        let connected = tokio::time::timeout(PATIENCE * 2, options.connect(servers)).await;
        match connected {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(wrong(shown, &error)),
            Err(_) => Err(AccessError::NotThere(shown, "it does not answer in time".to_owned())),
        }
    }

    async fn options(&self, name: &str, log: Log) -> Result<ConnectOptions, AccessError> {
        let mut options = ConnectOptions::new()
            .name(name)
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .event_callback(move |event| {
                if matters(&event) {
                    log(&format!("NATS: {event}"));
                }
                std::future::ready(())
            })
            // Of thousands of agents in a process each has a buffer of its own.
            .read_buffer_capacity(16 << 10);
        if self.servers.iter().any(|server| server.contains("tls://")) {
            options = options.require_tls(true);
        }
        if let Some(ca) = &self.ca {
            readable(ca)?;
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        if let Some(inbox) = &self.inbox {
            options = options.custom_inbox_prefix(inbox);
        }
        match (&self.cert, &self.cert_key) {
            (Some(cert), Some(key)) => {
                readable(cert)?;
                readable(key)?;
                options =
                    options.add_client_certificate(cert.clone(), key.clone()).require_tls(true);
            }
            (None, None) => {}
            _ => return Err(AccessError::Flags("--cert and --cert-key belong together")),
        }
        match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => {
                options = options.user_and_password(user.clone(), line(file)?);
            }
            (None, None) => {}
            _ => return Err(AccessError::Flags("--user and --password-file belong together")),
        }
        if let Some(file) = &self.nkey {
            options = options.nkey(line(file)?);
        }
        if let Some(file) = &self.creds {
            let text = read(file)?;
            options = options
                .credentials(&text)
                .map_err(|error| AccessError::File(file.clone(), error))?;
        }
        Ok(options)
    }
}

/// What an operator should know: a connection that broke, and what the server does not allow.
fn matters(event: &Event) -> bool {
    matches!(event, Event::Disconnected | Event::ServerError(_) | Event::SlowConsumer(_))
}

fn address(text: &str) -> Result<ServerAddr, AccessError> {
    let wrong = || AccessError::Address(text.to_owned());
    if !text.starts_with("nats://") && !text.starts_with("tls://") {
        return Err(wrong());
    }
    let address: ServerAddr = text.parse().map_err(|_| wrong())?;
    if address.password().is_some() {
        return Err(AccessError::Password);
    }
    Ok(address)
}

fn read(file: &Path) -> Result<String, AccessError> {
    std::fs::read_to_string(file).map_err(|error| AccessError::File(file.to_owned(), error))
}

fn readable(file: &Path) -> Result<(), AccessError> {
    read(file).map(drop)
}

/// A file's first line.
fn line(file: &Path) -> Result<String, AccessError> {
    let text = read(file)?;
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => {
            Err(AccessError::File(file.to_owned(), io::Error::other("its first line is empty")))
        }
    }
}

fn wrong(server: String, error: &async_nats::ConnectError) -> AccessError {
    let reason = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            AccessError::NotAllowed(server, reason)
        }
        ConnectErrorKind::Tls => AccessError::Tls(server, reason),
        _ if is_tls(error) => AccessError::Tls(server, reason),
        _ => AccessError::NotThere(server, reason),
    }
}

/// A certificate that is not believed, or octets that are not TLS, come as an input of invalid data.
fn is_tls(error: &async_nats::ConnectError) -> bool {
    let source = std::error::Error::source(error);
    let input = source.and_then(|source| source.downcast_ref::<io::Error>());
    input.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}
