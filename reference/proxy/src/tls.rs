//! TLS listeners: certificates from files, TLS 1.2 and 1.3.

use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::StartError;
use crate::settings::TlsListener;

/// Makes the acceptor of a listener from its files.
pub(crate) fn acceptor(listener: &TlsListener) -> Result<TlsAcceptor, StartError> {
    let fail = |path: &std::path::Path, message: String| StartError::Tls {
        path: path.to_owned(),
        message,
    };
    let read =
        |path: &std::path::Path| std::fs::read(path).map_err(|error| fail(path, error.to_string()));
    let chain = CertificateDer::pem_slice_iter(&read(&listener.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| fail(&listener.certificate, of_pem(&error)))?;
    if chain.is_empty() {
        let message =
            "it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----";
        return Err(fail(&listener.certificate, message.to_owned()));
    }
    let text = read(&listener.key)?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| fail(&listener.key, of_key(&text, &error)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let key = listener.key.display();
                fail(
                    &listener.certificate,
                    format!("its first certificate is not that of the key {key}"),
                )
            }
            // What it says of a key that it cannot read.
            rustls::Error::General(message) => fail(&listener.key, message),
            rustls::Error::InvalidCertificate(why) => {
                fail(&listener.certificate, format!("its first certificate cannot be read: {why}"))
            }
            error => fail(&listener.certificate, error.to_string()),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Why there is no key in a file.
fn of_key(text: &[u8], error: &pem::Error) -> String {
    // RFC 7468 §11, and RFC 1421 §4.6.1.1 as older keys have it.
    const ENCRYPTED: [&str; 2] =
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];
    let is_encrypted = |mark: &str| memchr::memmem::find(text, mark.as_bytes()).is_some();
    match error {
        _ if ENCRYPTED.into_iter().any(is_encrypted) => {
            "its key is encrypted, and nobody can be asked for the pass phrase; `openssl pkey -in FILE -out PLAIN` writes it without".to_owned()
        }
        pem::Error::NoItemsFound => {
            "it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----".to_owned()
        }
        error => of_pem(error),
    }
}

/// What is wrong with a file of PEM.
fn of_pem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it lacks the line that begins with -----END".to_owned()
        }
        error => error.to_string(),
    }
}

/// A version's name as logs have it, such as `TLSv1.3`.
pub(crate) fn version_name(version: Option<rustls::ProtocolVersion>) -> &'static str {
    match version {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    }
}
