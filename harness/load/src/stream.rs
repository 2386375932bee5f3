//! A connection's bytes, plain or through TLS, without ever blocking.

use std::io::{self, Read, Write};

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

use crate::endpoint::{Address, Endpoint};

/// A socket of either family.
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(buffer),
            Socket::Unix(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write(bytes),
            Socket::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection.
pub(crate) struct Stream {
    socket: Socket,
    tls: Option<Box<rustls::ClientConnection>>,
}

impl Stream {
    /// Begins to connect; the first `writable` event says that it has come about, or not.
    pub(crate) fn connect(
        endpoint: &Endpoint,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let socket = match &endpoint.address {
            Address::Tcp(address) => {
                let mut socket = TcpStream::connect(*address)?;
                socket.set_nodelay(true)?;
                registry.register(&mut socket, token, interest)?;
                Socket::Tcp(socket)
            }
            Address::Unix(path) => {
                let mut socket = UnixStream::connect(path)?;
                registry.register(&mut socket, token, interest)?;
                Socket::Unix(socket)
            }
        };
        let tls = endpoint.tls.as_ref().map(|tls| tls.session().map(Box::new)).transpose();
        Ok(Self { socket, tls: tls.map_err(io::Error::other)? })
    }

    /// Can it carry requests: connected, and the handshake over?
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// May a read that gave less than was asked for have left something behind? A plain socket has given
    /// all there was (epoll(7)); TLS may hold more records.
    pub(crate) fn may_hold_more(&self) -> bool {
        self.tls.is_some()
    }

    /// Takes bytes to send; how many. With TLS they may still have to be flushed.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.write(bytes),
            Some(tls) => tls.writer().write(bytes),
        }
    }

    /// Is everything on its way that was taken?
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(!tls.is_handshaking())
    }

    /// Reads what is there; zero is the end.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A peer that ends without TLS's own farewell: framing says whether the answer was whole.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    other => other?,
                };
            }
        }
    }
}
