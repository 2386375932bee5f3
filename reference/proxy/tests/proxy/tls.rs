//! The TLS listener.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use edgeproof_proxy::{Server, Settings};

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

#[test]
fn files_that_hold_no_certificate_or_no_key_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let make = || rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
    let (one, two) = (make(), make());
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFLTBX\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (name, text) in [
        ("c.pem", &*one.cert.pem()),
        ("k.pem", &one.signing_key.serialize_pem()),
        ("other.pem", &two.signing_key.serialize_pem()),
        ("empty.pem", ""),
        ("text.pem", "hello"),
        ("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
        ("wrong.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("wrong-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("encrypted.pem", encrypted),
        ("older.pem", older),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    let start = |certificate: &str, key: &str| {
        let text = format!(
            "tls: [{{ listen: \"127.0.0.1:0\", certificate: {}, key: {} }}]\nsites: []\n",
            path(certificate).display(),
            path(key).display()
        );
        let settings = Settings::from_yaml("test.yaml", &text).unwrap();
        let Err(error) = Server::start(&settings) else {
            panic!("{certificate} and {key} are taken")
        };
        error.to_string().replace(directory.path().to_str().unwrap(), "/tls")
    };
    let said: Vec<String> = [
        ("missing.pem", "k.pem"),
        ("empty.pem", "k.pem"),
        ("text.pem", "k.pem"),
        ("cut.pem", "k.pem"),
        ("wrong.pem", "k.pem"),
        ("c.pem", "missing.pem"),
        ("c.pem", "empty.pem"),
        ("c.pem", "c.pem"),
        ("c.pem", "wrong-key.pem"),
        ("c.pem", "encrypted.pem"),
        ("c.pem", "older.pem"),
        ("c.pem", "other.pem"),
    ]
    .map(|(certificate, key)| start(certificate, key))
    .into();
    insta::assert_snapshot!(said.join("\n"), @r"
    cannot use /tls/missing.pem: No such file or directory (os error 2)
    cannot use /tls/empty.pem: it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----
    cannot use /tls/text.pem: it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----
    cannot use /tls/cut.pem: it lacks the line that begins with -----END
    cannot use /tls/wrong.pem: its first certificate cannot be read: BadEncoding
    cannot use /tls/missing.pem: No such file or directory (os error 2)
    cannot use /tls/empty.pem: it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----
    cannot use /tls/c.pem: it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----
    cannot use /tls/wrong-key.pem: failed to parse private key as RSA, ECDSA, or EdDSA
    cannot use /tls/encrypted.pem: its key is encrypted, and nobody can be asked for the pass phrase; `openssl pkey -in FILE -out PLAIN` writes it without
    cannot use /tls/older.pem: its key is encrypted, and nobody can be asked for the pass phrase; `openssl pkey -in FILE -out PLAIN` writes it without
    cannot use /tls/c.pem: its first certificate is not that of the key /tls/other.pem
    ");
}
