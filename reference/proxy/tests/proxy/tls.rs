//! The TLS listener.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::{Conn, OK, Origin, Proxy, field};

/// A proxy with a certificate for `a.test`, and the certificate.
fn proxy(origin: &Origin) -> (Proxy, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("c.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let proxy = Proxy::from_yaml(&format!(
        "tls: [{{ listen: \"127.0.0.1:0\", certificate: {}, key: {} }}]\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n    access_log: {{ file: DIR/a.log, format: '{{protocol}} {{ssl_version}}' }}\n",
        path("c.pem").display(),
        path("k.pem").display(),
        origin.address
    ));
    (proxy, made.cert.der().clone())
}

fn connect(
    proxy: &Proxy,
    certificate: CertificateDer<'static>,
) -> Conn<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from("a.test").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Conn::new(StreamOwned::new(connection, TcpStream::connect(proxy.address).unwrap()))
}

#[test]
fn requests_over_tls_are_told_apart() {
    let origin = Origin::answering(OK);
    let (mut proxy, certificate) = proxy(&origin);
    let mut client = connect(&proxy, certificate);
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(client.response().1, "ok");
    }
    assert_eq!(field(&origin.last(), "x-forwarded-proto"), Some("https"));
    drop(client);
    assert_eq!(proxy.stop_and_read("a.log"), "https TLSv1.3\nhttps TLSv1.3\n");
}

#[test]
fn plain_http_on_a_tls_listener_gets_no_answer() {
    let origin = Origin::answering(OK);
    let (proxy, _) = proxy(&origin);
    let text = proxy.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(!text.contains("HTTP/1.1"), "{text}");
    assert!(origin.seen().is_empty());
}
