//! Ports of their own, for cases about the connection itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_scenario::model::Origin;
use socket2::{Domain, Socket, Type};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::case::CaseOrigin;
use super::server::next_connection;
use crate::wire::{Received, RequestReader};

/// A port that refuses, resets or stalls until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    address: SocketAddr,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// Bound but not listening: the kernel refuses, and nobody else can take the port.
    Bound(Socket),
    Serving(JoinHandle<()>),
}

impl Lease {
    /// Does this script need a port of its own?
    pub(crate) fn is_needed(script: &Origin) -> bool {
        !matches!(script, Origin::Rules(_) | Origin::Reflect(_))
    }

    /// Takes a port on `host` and holds it for the case to be named with [`Lease::serve`].
    pub(crate) fn take(host: std::net::IpAddr) -> std::io::Result<Self> {
        let socket = Socket::new(Domain::for_address((host, 0).into()), Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((host, 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        let address = address.ok_or_else(|| std::io::Error::other("no socket address"))?;
        Ok(Self { address, held: Held::Bound(socket) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to behave as the case's script says.
    pub(crate) fn serve(&mut self, script: &Origin, case: &Arc<CaseOrigin>) -> std::io::Result<()> {
        let serve = match script {
            Origin::Rules(_) | Origin::Reflect(_) | Origin::Refuse => return Ok(()),
            Origin::Reset => reset,
            Origin::Stall => stall,
        };
        let Held::Bound(socket) = &self.held else { return Ok(()) };
        socket.listen(128)?;
        socket.set_nonblocking(true)?;
        let listener = TcpListener::from_std(socket.try_clone()?.into())?;
        let case = Arc::clone(case);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&case)));
            }
        });
        self.held = Held::Serving(task);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Held::Serving(task) = &self.held {
            task.abort();
        }
    }
}

type Serving = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn reset(stream: TcpStream, case: Arc<CaseOrigin>) -> Serving {
    Box::pin(async move {
        case.connected(next_connection());
        // Closing with a linger of zero sends RST instead of FIN.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    })
}

fn stall(mut stream: TcpStream, case: Arc<CaseOrigin>) -> Serving {
    Box::pin(async move {
        let number = next_connection();
        case.connected(number);
        let mut unread = Vec::new();
        let mut recorded = false;
        // Reads until the target gives up, and never answers.
        while let Ok(1..) = stream.read_buf(&mut unread).await {
            if let (false, Received::Head(_, request)) = (recorded, RequestReader::head(&unread)) {
                let path = super::matching::path_of(&request.target).to_owned();
                case.arrived(number, &request, &path);
                recorded = true;
            }
        }
    })
}
