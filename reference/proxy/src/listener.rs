//! Listening sockets: bound once per thread with SO_REUSEPORT, so that the kernel spreads
//! connections and no thread has to hand any over.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::connection;
use crate::peer::{Client, Peer};
use crate::stream::{Stream, accept_when_asked, take_no_new};
use crate::tls;
use crate::worker::Worker;

/// A listener of the configuration: its address as configured, and whether it speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

/// A listening socket, as a worker waits at it. The runtime's own would make each connection known
/// to the runtime at once; to wait for one, any kind of socket does.
pub(crate) struct Listener(TcpStream);

impl Listener {
    pub(crate) fn new(socket: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self(TcpStream::from_std(OwnedFd::from(socket).into())?))
    }

    async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        self.0.async_io(Interest::READABLE, || self.accept_at_once()).await
    }

    /// A connection that has arrived.
    fn accept_at_once(&self) -> io::Result<(Stream, SocketAddr)> {
        Stream::accept(&self.0)
    }
}

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds `count` sockets to one address; port 0 becomes the same free port for all of them.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<std::net::TcpListener>> {
    // With SO_REUSEPORT alone, a second proxy of the same user could take half the connections
    // without a word: the first bind, without it, finds that out.
    let probe = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    probe.set_reuse_address(true)?;
    probe.bind(&address.into())?;
    probe.listen(1)?;
    drop(probe);
    let mut sockets: Vec<std::net::TcpListener> = Vec::with_capacity(count);
    let mut address = address;
    for _ in 0..count {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        // Without it answers would wait for acknowledgements. Connections take it over from here.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        accept_when_asked(&socket);
        let listener = std::net::TcpListener::from(socket);
        address = listener.local_addr()?;
        sockets.push(listener);
    }
    Ok(sockets)
}

/// How long a stop waits for the first request of a connection that has just been made: its client sends it as soon as
/// it knows of the connection, so that it is here a round trip later.
pub(crate) const LAST_WORD: Duration = Duration::from_millis(250);

/// Accepts until told to close, and then those whose connection is on its way.
pub(crate) async fn accept(worker: &Rc<Worker>, socket: &Listener, key: Key, close: &Notify) {
    const EXHAUSTED: Duration = Duration::from_millis(50);
    // As configured it may have any port, which has become one.
    let bound = socket.0.local_addr().unwrap_or(key.address);
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = socket.accept() => accepted,
            () = close.notified() => break,
        };
        match accepted {
            Ok((stream, from)) => begin(worker, stream, (from, bound), key),
            // No descriptor left, for one: to try again at once would only burn the processor.
            Err(_) => sleep(EXHAUSTED).await,
        }
    }
    take_no_new(&socket.0);
    // Ends by the time limit alone: a listener does not fail for good.
    let _ = timeout(LAST_WORD, async {
        loop {
            match socket.accept().await {
                Ok((stream, from)) => begin(worker, stream, (from, bound), key),
                Err(_) => sleep(EXHAUSTED).await,
            }
        }
    })
    .await;
}

fn begin(worker: &Rc<Worker>, stream: Stream, (from, bound): (SocketAddr, SocketAddr), key: Key) {
    // Only where the listener has many addresses has the connection to be asked for its own.
    let local = match key.address.ip().is_unspecified() {
        true => stream.local_addr().unwrap_or(bound),
        false => bound,
    };
    let serving = Rc::clone(worker);
    worker.spawn(async move {
        if key.tls {
            Box::pin(serve_tls(&serving, stream, (from, local), key)).await;
        } else {
            let peer = Peer::new(from, local, None);
            connection::serve(Client::new(stream.clone(), stream, peer), &serving).await;
        }
    });
}

async fn serve_tls(
    worker: &Rc<Worker>,
    stream: Stream,
    (from, local): (SocketAddr, SocketAddr),
    key: Key,
) {
    let live = worker.live();
    let Some(acceptor) = live.tls.get(&key.address) else { return };
    let handshake = timeout(live.limits.header_timeout, acceptor.accept(stream));
    // A failed handshake was answered with an alert; there is no request to log.
    let Ok(Ok(stream)) = handshake.await else { return };
    let version = tls::version_name(stream.get_ref().1.protocol_version());
    let (read, write) = tokio::io::split(stream);
    connection::serve(Client::new(read, write, Peer::new(from, local, Some(version))), worker)
        .await;
}
