//! Where a process listens: chosen before it starts, looked at until it does.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

use crate::port::{FreePort, bind};
use crate::settings::{Listen, Privileges};

/// An address that a process listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Endpoint {
    /// What placeholders and environment say of it.
    pub(crate) fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Tcp(address) => {
                vec![("host", address.ip().to_string()), ("port", address.port().to_string())]
            }
            Self::Unix(path) => vec![("socket", path.to_string_lossy().into_owned())],
        }
    }

    /// Whether somebody accepts connections there.
    pub(crate) async fn answers(&self) -> bool {
        match self {
            Self::Tcp(address) => {
                TcpStream::connect(address).await.is_ok_and(|stream| !meets_itself(&stream))
            }
            Self::Unix(path) => UnixStream::connect(path).await.is_ok(),
        }
    }
}

/// Whether both ends of a connection are one socket: where nobody listens on a port that connections also take
/// their own from, the system may pick it for the near end too, and TCP's simultaneous open (RFC 9293 §3.5)
/// then succeeds with nobody there.
fn meets_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(near), Ok(far)) if near == far)
}

/// An endpoint that nobody else had a moment ago.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) endpoint: Endpoint,
    /// Given back, or removed, with the last of its holders.
    _held: Held,
}

/// What a place takes beside itself.
#[derive(Debug, Clone)]
enum Held {
    Nothing,
    Port { _port: Arc<FreePort> },
    Directory { _directory: Arc<TempDir> },
}

/// Chooses where the next process is to listen.
///
/// # Errors
/// Why it could not listen there: somebody else does, or the system says so.
pub(crate) fn choose(listen: &Listen, user: Option<&Privileges>) -> Result<Chosen, String> {
    let bare = |endpoint| Chosen { endpoint, _held: Held::Nothing };
    match listen {
        Listen::FreePort => {
            let port =
                FreePort::choose().map_err(|error| format!("there is no free port: {error}"))?;
            let endpoint = Endpoint::Tcp(port.address());
            Ok(Chosen { endpoint, _held: Held::Port { _port: Arc::new(port) } })
        }
        Listen::Tcp(address) => match bind(*address) {
            Ok(_) => Ok(bare(Endpoint::Tcp(*address))),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(taken(address)),
            // The process may be allowed what the proxy is not.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(bare(Endpoint::Tcp(*address)))
            }
            Err(error) => Err(format!("{address} cannot be listened on: {error}")),
        },
        Listen::FreeSocket => {
            let directory = private_directory(user)
                .map_err(|error| format!("there is no place for a socket: {error}"))?;
            let endpoint = Endpoint::Unix(directory.path().join("socket"));
            Ok(Chosen { endpoint, _held: Held::Directory { _directory: Arc::new(directory) } })
        }
        Listen::Unix(path) => {
            clear(path)?;
            Ok(bare(Endpoint::Unix(path.clone())))
        }
    }
}

pub(crate) fn taken(place: impl fmt::Display) -> String {
    format!("{place} is taken by another process")
}

fn private_directory(user: Option<&Privileges>) -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("edgeproof-upstream-").tempdir()?;
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700))?;
    if let Some(user) = user {
        chown(directory.path(), Some(user.uid), Some(user.gid))?;
    }
    Ok(directory)
}

/// Removes a socket that nobody listens on any more.
fn clear(path: &Path) -> Result<(), String> {
    let place = path.display();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{place} cannot be listened on: {error}")),
        Ok(found) if !found.file_type().is_socket() => {
            Err(format!("{place} is there and no socket"))
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => Err(taken(place)),
        Ok(_) => std::fs::remove_file(path)
            .map_err(|error| format!("{place} cannot be listened on: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_had_and_a_taken_one_cannot() {
        let Endpoint::Tcp(free) = choose(&Listen::FreePort, None).unwrap().endpoint else {
            panic!("expected a port");
        };
        let listener = std::net::TcpListener::bind(free).unwrap();
        let refused = choose(&Listen::Tcp(free), None).unwrap_err();
        assert_eq!(refused, format!("{free} is taken by another process"));
        drop(listener);
        assert!(choose(&Listen::Tcp(free), None).is_ok());
    }

    #[tokio::test]
    async fn a_connection_to_itself_is_nobody() {
        let free = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = free.local_addr().unwrap().as_socket().unwrap();
        free.connect(&address.into()).unwrap();
        free.set_nonblocking(true).unwrap();
        assert!(meets_itself(&TcpStream::from_std(free.into()).unwrap()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(!meets_itself(&there));
    }

    #[test]
    fn a_free_socket_lies_where_nobody_else_may_look_and_goes_with_its_place() {
        let chosen = choose(&Listen::FreeSocket, None).unwrap();
        let Endpoint::Unix(path) = chosen.endpoint.clone() else { panic!("expected a socket") };
        let directory = path.parent().unwrap().to_owned();
        assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        drop(chosen);
        assert!(!directory.exists());
    }

    #[test]
    fn a_socket_is_replaced_only_if_it_is_dead() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sock");
        let listen = Listen::Unix(path.clone());
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(choose(&listen, None).unwrap_err().contains("is taken by another process"));
        drop(listener);
        assert!(choose(&listen, None).is_ok() && !path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(choose(&listen, None).unwrap_err().ends_with("is there and no socket"));
    }
}
