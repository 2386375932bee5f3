//! A client's TCP connection, known to the runtime only once it has to wait.
//!
//! Where a client opens a connection for each request, as ApacheBench does, the request is there when the connection
//! is accepted and the response fits what the kernel takes at once: nothing ever waits, and the two calls that would
//! put the socket into epoll and take it out again are saved.

use std::cell::RefCell;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::libc::{self, SOCK_CLOEXEC, SOCK_NONBLOCK};
use nix::sys::socket::setsockopt;
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{SockFilter, SockRef};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::peer::Breakable;

/// One of the handles of a connection, which is closed with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Stream(Rc<RefCell<State>>);

#[derive(Debug)]
enum State {
    /// It has not waited yet.
    Fresh(std::net::TcpStream),
    Registered(TcpStream),
    /// The runtime refused it.
    Refused,
}

/// Bytes that a fresh connection is asked for at once: a request's head as most are.
const FIRST: usize = 4 << 10;

/// Seconds that a connection may be open and silent before it is accepted.
const SILENT: u32 = 1;

sockopt_impl!(
    /// TCP_DEFER_ACCEPT of tcp(7): how many seconds to wait for a connection's first bytes before it is handed over.
    DeferAccept,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    u32
);

/// Makes a listener hand connections over once the client has said something, or after a second: with an HTTP
/// client, which speaks first, the worker is woken once instead of twice.
pub(crate) fn accept_when_asked(listener: &impl AsFd) {
    // Where the kernel does not know it, connections come at once, which is as well.
    let _ = setsockopt(listener, DeferAccept, &SILENT);
}

/// Has a listener ignore whoever asks for a connection from now on, but take those whose connection is on its way:
/// such a client has been answered by the kernel, and to close the listener would reset it. One that is ignored asks
/// again after a second (RFC 6298 §2), when the listener is closed or somebody else's.
pub(crate) fn take_no_new(listener: &impl AsFd) {
    // bpf(4) as socket(7) has it with SO_ATTACH_FILTER; what it sees begins with the TCP header (RFC 9293 §3.1).
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    const ALL: u32 = u32::MAX;
    let first_packets = [
        SockFilter::new((libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16, 0, 0, FLAGS),
        SockFilter::new((libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16, 0, 0, SYN | ACK),
        SockFilter::new((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, SYN),
        SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
        SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, ALL),
    ];
    // Where it fails, who comes in the very last moment is reset.
    let _ = SockRef::from(listener).attach_filter(&first_packets);
}

impl Stream {
    /// Accepts a connection, which never blocks: an error of kind `WouldBlock` where none waits.
    pub(crate) fn accept(listener: &impl AsFd) -> io::Result<(Self, SocketAddr)> {
        let accepted = SockRef::from(listener).accept4(SOCK_NONBLOCK | SOCK_CLOEXEC);
        let (stream, from) = accepted?;
        let from = from.as_socket().ok_or(io::ErrorKind::ConnectionAborted)?;
        Ok((Self(Rc::new(RefCell::new(State::Fresh(stream.into())))), from))
    }

    /// The proxy's end of the connection.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        let local = self.with_socket(|socket| socket.local_addr())?;
        local.as_socket().ok_or(io::ErrorKind::NotConnected.into())
    }

    /// Does something to the socket itself.
    fn with_socket<T>(&self, act: impl FnOnce(SockRef<'_>) -> io::Result<T>) -> io::Result<T> {
        match &*self.0.borrow() {
            State::Fresh(stream) => act(SockRef::from(stream)),
            State::Registered(stream) => act(SockRef::from(stream)),
            State::Refused => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl State {
    /// Does `fresh` where it has not waited yet; where it has to wait for that, and ever after, `registered`.
    fn poll<B, T>(
        &mut self,
        mut with: B,
        fresh: impl FnOnce(&mut std::net::TcpStream, &mut B) -> io::Result<T>,
        registered: impl FnOnce(Pin<&mut TcpStream>, B) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Self::Fresh(stream) = self {
            match fresh(stream, &mut with) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.register()?,
                done => return Poll::Ready(done),
            }
        }
        match self {
            Self::Registered(stream) => registered(Pin::new(stream), with),
            Self::Fresh(_) | Self::Refused => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Makes it known to the runtime.
    fn register(&mut self) -> io::Result<()> {
        if let Self::Fresh(stream) = std::mem::replace(self, Self::Refused) {
            *self = Self::Registered(TcpStream::from_std(stream)?);
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll(
            buf,
            |stream, buf| {
                let room = buf.remaining().min(FIRST);
                let read = stream.read(buf.initialize_unfilled_to(room))?;
                buf.advance(read);
                Ok(())
            },
            |stream, buf| stream.poll_read(cx, buf),
        )
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll(
            bufs,
            |stream, bufs| stream.write_vectored(bufs),
            |stream, bufs| stream.poll_write_vectored(cx, bufs),
        )
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().with_socket(|socket| socket.shutdown(Shutdown::Write)))
    }
}

impl Breakable for Stream {
    fn break_off(self) {
        // With a linger time of 0 the close becomes a reset. It cannot fail on an open socket, and
        // on a closed one there is nothing to break.
        let _ = self.with_socket(|socket| socket.set_linger(Some(Duration::ZERO)));
    }

    async fn leave(self) {
        // To close it ends both directions; to shut one down before would only be one call more.
    }

    fn wait_for_end(&self) {
        // TCP_CORK (tcp(7)). Where it fails the end goes by itself.
        let _ = self.with_socket(|socket| socket.set_tcp_cork(true));
    }
}
