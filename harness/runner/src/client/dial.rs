//! Opening connections to the target.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::connection::{Connection, Stream};

/// Loopback connects at once or not at all; a full backlog retries after a second.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// Where a case's target listens and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    pub(crate) http: Option<SocketAddr>,
    pub(crate) tls: Option<SocketAddr>,
    /// The name that is asked for by SNI and looked for in the certificate.
    pub(crate) host: String,
    pub(crate) trust: Option<Arc<ClientConfig>>,
    /// The client's own address, where the target must tell it from others.
    pub(crate) from: Option<Ipv4Addr>,
}

/// A TLS configuration that trusts one certificate authority and no other.
pub(crate) fn trusting(ca_pem: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Dialer {
    /// Opens a connection; why not, as one line.
    pub(crate) async fn dial(&self, tls: bool) -> Result<Connection, String> {
        let address = if tls { self.tls } else { self.http };
        let service = if tls { "TLS" } else { "http" };
        let address = address.ok_or_else(|| format!("the target has no {service} listener"))?;
        tokio::time::timeout(LONGEST_CONNECT, self.connect(address, tls)).await.unwrap_or_else(
            |_| Err(format!("no connection to {address} within {LONGEST_CONNECT:?}")),
        )
    }

    async fn open(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let Some(from) = self.from else { return TcpStream::connect(address).await };
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(address).await
    }

    async fn connect(&self, address: SocketAddr, tls: bool) -> Result<Connection, String> {
        let stream = self
            .open(address)
            .await
            .map_err(|error| format!("cannot connect to {address}: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        if !tls {
            return Ok(Connection::new(Stream::Plain(stream), false));
        }
        let trust = self.trust.clone().ok_or("the target gave no certificate to trust")?;
        let name = ServerName::try_from(self.host.clone()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(trust)
            .connect(name, stream)
            .await
            .map_err(|error| format!("no TLS with {address}: {error}"))?;
        Ok(Connection::new(Stream::Tls(Box::new(stream)), true))
    }
}
