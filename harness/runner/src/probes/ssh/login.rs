//! What needs a key exchange: host keys, authentication methods, passwords. Through russh.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use russh::client::{AuthResult, Config, Handle, Handler};
use russh::keys::ssh_key::PublicKey;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate};
use russh::{MethodSet, Preferred};

use crate::expect::Facts;
use crate::locking::lock;

/// Takes any host key, and remembers it: what it is worth is for the case to say.
#[derive(Debug, Clone, Default)]
struct AnyKey(Arc<Mutex<Option<PublicKey>>>);

impl Handler for AnyKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        *lock(&self.0) = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => Some(key.clone()),
            PublicKeyOrCertificate::Certificate(certificate) => {
                Some(PublicKey::from(certificate.public_key().clone()))
            }
        };
        Ok(true)
    }
}

/// Everything that russh knows, also what is weak: an old server must be able to show how weak it is.
fn preferred(keys: Option<Vec<Algorithm>>) -> Preferred {
    let mut preferred = Preferred::DEFAULT;
    preferred.kex = russh::kex::ALL_KEX_ALGORITHMS
        .iter()
        .map(|name| **name)
        .filter(|name| *name != russh::kex::NONE)
        .collect();
    preferred.cipher = russh::cipher::ALL_CIPHERS
        .iter()
        .map(|name| **name)
        .filter(|name| *name != russh::cipher::NONE && *name != russh::cipher::CLEAR)
        .collect();
    preferred.mac = russh::mac::ALL_MAC_ALGORITHMS
        .iter()
        .map(|name| **name)
        .filter(|name| *name != russh::mac::NONE)
        .collect();
    if let Some(keys) = keys {
        preferred.key = keys.into();
    }
    preferred
}

async fn open(
    address: SocketAddr,
    keys: Option<Vec<Algorithm>>,
) -> Result<(Handle<AnyKey>, AnyKey), String> {
    let stream = super::connect(address).await?;
    let config = Arc::new(Config { preferred: preferred(keys), ..Config::default() });
    let key = AnyKey::default();
    let session = russh::client::connect_stream(config, stream, key.clone())
        .await
        .map_err(|error| format!("no key exchange: {error}"))?;
    Ok((session, key))
}

/// Adds `host_key_type` (the types that are offered, in the server's order) and `host_key_bits`: of the
/// RSA key where there is one, since only its size is anybody's choice, else of the first.
pub(super) async fn host_keys(address: SocketAddr, facts: &mut Facts) -> Result<(), String> {
    let offered = facts.0.get("host_key_algorithms").cloned().unwrap_or_default();
    let mut types: Vec<(&str, Vec<Algorithm>)> = Vec::new();
    for name in offered {
        let Some(kind) = kind(&String::from_utf8_lossy(&name)) else { continue };
        if !types.iter().any(|known| known.0 == kind.0) {
            types.push(kind);
        }
    }
    let mut bits: Vec<(&str, u32)> = Vec::new();
    for (name, algorithms) in &types {
        let (session, key) = open(address, Some(algorithms.clone())).await?;
        let found = lock(&key.0).as_ref().and_then(size);
        drop(session);
        bits.extend(found.map(|bits| (*name, bits)));
    }
    facts.set_list("host_key_type", types.iter().map(|(name, _)| *name));
    let rsa = bits.iter().find(|(name, _)| *name == "ssh-rsa");
    if let Some((_, bits)) = rsa.or(bits.first()) {
        facts.set("host_key_bits", bits.to_string());
    }
    Ok(())
}

/// The key's type behind an algorithm's name, and the algorithms that ask for it.
fn kind(name: &str) -> Option<(&'static str, Vec<Algorithm>)> {
    let ecdsa = |curve| vec![Algorithm::Ecdsa { curve }];
    Some(match name {
        "ssh-ed25519" => ("ssh-ed25519", vec![Algorithm::Ed25519]),
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => {
            let hashes = [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None];
            ("ssh-rsa", hashes.map(|hash| Algorithm::Rsa { hash }).to_vec())
        }
        "ecdsa-sha2-nistp256" => ("ecdsa-sha2-nistp256", ecdsa(EcdsaCurve::NistP256)),
        "ecdsa-sha2-nistp384" => ("ecdsa-sha2-nistp384", ecdsa(EcdsaCurve::NistP384)),
        "ecdsa-sha2-nistp521" => ("ecdsa-sha2-nistp521", ecdsa(EcdsaCurve::NistP521)),
        _ => return None,
    })
}

fn size(key: &PublicKey) -> Option<u32> {
    match key.algorithm() {
        Algorithm::Ed25519 => Some(256),
        Algorithm::Rsa { .. } => {
            key.key_data().rsa().map(russh::keys::ssh_key::public::RsaPublicKey::key_size)
        }
        Algorithm::Ecdsa { curve } => Some(match curve {
            EcdsaCurve::NistP256 => 256,
            EcdsaCurve::NistP384 => 384,
            EcdsaCurve::NistP521 => 521,
        }),
        _ => None,
    }
}

/// `methods`: what the server offers this user after `none`.
pub(super) async fn methods(address: SocketAddr, user: &str) -> Result<Facts, String> {
    let (mut session, _) = open(address, None).await?;
    let mut facts = Facts::default();
    ask_none(&mut session, user, &mut facts).await?;
    Ok(facts)
}

/// `methods`, and `accepted`: does the password log in?
pub(super) async fn password(
    address: SocketAddr,
    user: &str,
    password: &str,
) -> Result<Facts, String> {
    let (mut session, _) = open(address, None).await?;
    let mut facts = Facts::default();
    if ask_none(&mut session, user, &mut facts).await? {
        return Ok(facts);
    }
    let accepted = match session.authenticate_password(user, password).await {
        Ok(AuthResult::Success) => true,
        Ok(AuthResult::Failure { .. }) => false,
        // A server that hangs up on a password does not accept it.
        Err(russh::Error::Disconnect | russh::Error::HUP | russh::Error::RecvError) => false,
        Err(error) => return Err(error.to_string()),
    };
    facts.set("accepted", accepted.to_string());
    Ok(facts)
}

/// Asks for `none`; was that enough?
async fn ask_none(
    session: &mut Handle<AnyKey>,
    user: &str,
    facts: &mut Facts,
) -> Result<bool, String> {
    let result = session.authenticate_none(user).await.map_err(|error| error.to_string())?;
    let none = matches!(result, AuthResult::Success);
    facts.set("accepted", none.to_string());
    match result {
        AuthResult::Success => facts.set_list("methods", ["none"]),
        AuthResult::Failure { remaining_methods, .. } => {
            facts.set_list("methods", names(&remaining_methods));
        }
    }
    Ok(none)
}

fn names(methods: &MethodSet) -> Vec<&'static str> {
    methods.iter().map(Into::into).collect()
}
