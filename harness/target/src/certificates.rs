//! A certification authority made for one start, and one certificate of it for every host.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde::Serialize;

use crate::work_folder::write_private;

/// The PEM files of a start.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Certificates {
    /// The certificate, followed by nothing: the authority signs it directly.
    pub(crate) certificate: PathBuf,
    /// Its private key (PKCS #8).
    pub(crate) key: PathBuf,
    /// The authority's certificate, which clients trust.
    pub(crate) ca: PathBuf,
}

/// Every generated host name of a case ends so (RFC 6761 §6.2 keeps `.test` out of the real DNS).
const GENERATED_HOSTS: &str = "*.edgeproof.test";

impl Certificates {
    /// Makes an authority and one certificate for all generated host names and for `hosts`, and writes
    /// them to `folder`. Valid from 1975 to 4096, so that a target's clock may stand anywhere.
    pub(crate) fn make<'a>(
        folder: &Path,
        hosts: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<Self> {
        let made = Self {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            ca: folder.join("ca.pem"),
        };
        let pem = pem(hosts).map_err(io::Error::other)?;
        write_private(&made.certificate, pem.certificate.as_bytes())?;
        write_private(&made.key, pem.key.as_bytes())?;
        write_private(&made.ca, pem.ca.as_bytes())?;
        Ok(made)
    }
}

struct Pem {
    certificate: String,
    key: String,
    ca: String,
}

fn pem<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Pem, rcgen::Error> {
    let mut names: Vec<String> =
        ["localhost", "127.0.0.1", "::1", "edgeproof.test", GENERATED_HOSTS].map(Into::into).into();
    names.extend(
        hosts.into_iter().filter(|host| !host.ends_with(".edgeproof.test")).map(Into::into),
    );
    names.dedup();

    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "Edgeproof test authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let ca = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name.push(DnType::CommonName, "edgeproof.test");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?.pem();
    Ok(Pem { certificate, key: key.serialize_pem(), ca })
}
