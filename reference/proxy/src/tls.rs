//! TLS listeners: certificates from files, TLS 1.2 and 1.3.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
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
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&listener.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| fail(&listener.certificate, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&listener.key)
        .map_err(|error| fail(&listener.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| fail(&listener.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A version's name as logs have it, such as `TLSv1.3`.
pub(crate) fn version_name(version: Option<rustls::ProtocolVersion>) -> &'static str {
    match version {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    }
}
