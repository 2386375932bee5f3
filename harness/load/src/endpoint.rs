//! Where requests go: a TCP or unix socket, with or without TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;

/// The place that a load is fired at.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The socket.
    pub address: Address,
    /// How its TLS is spoken, where it is.
    pub tls: Option<Tls>,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { address: Address::Tcp(address), tls: None }
    }
}

impl Endpoint {
    /// Is it on this machine?
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) => true,
        }
    }
}

/// A socket's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A unix socket's path.
    Unix(PathBuf),
}

/// How TLS is spoken.
#[derive(Clone)]
pub struct Tls {
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS to a server of this name, as this configuration says.
    pub fn new(config: Arc<rustls::ClientConfig>, name: ServerName<'static>) -> Self {
        Self { config, name }
    }

    /// A handshake that must end in HTTP/2 (ALPN, RFC 7301).
    pub(crate) async fn over_http2(
        &self,
        wire: Box<dyn crate::http2::Wire>,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<Box<dyn crate::http2::Wire>>> {
        let mut config = (*self.config).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect(self.name.clone(), wire).await?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(stream),
            _ => Err(std::io::Error::other("the server did not choose h2 by ALPN")),
        }
    }

    pub(crate) fn session(&self) -> Result<rustls::ClientConnection, rustls::Error> {
        rustls::ClientConnection::new(Arc::clone(&self.config), self.name.clone())
    }
}
