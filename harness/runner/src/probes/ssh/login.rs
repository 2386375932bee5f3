//! What needs a login, or the attempt of one. Through russh.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Config, Handle, Handler};
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{MethodSet, Preferred};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::expect::Facts;

/// Takes any host key: what it is worth is for the case to say.
#[derive(Debug, Clone, Default)]
pub(super) struct AnyKey;

impl Handler for AnyKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Costs both sides least: a hybrid takes ten times as long, and what is exchanged here nobody needs to keep secret.
const CHEAPEST: &str = "curve25519-sha256";

/// Everything that russh knows, also what is weak: an old server must be able to show how weak it is.
fn preferred() -> Preferred {
    let mut preferred = Preferred::DEFAULT;
    let mut kex: Vec<_> = russh::kex::ALL_KEX_ALGORITHMS.iter().map(|name| **name).collect();
    kex.retain(|name| *name != russh::kex::NONE);
    kex.sort_by_key(|name| !name.as_ref().starts_with(CHEAPEST));
    preferred.kex = kex.into();
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
    preferred
}

/// A session before its login, from that address, or one that nothing else uses.
pub(super) async fn open(
    address: SocketAddr,
    from: Option<Ipv4Addr>,
) -> Result<Handle<AnyKey>, String> {
    over(super::connect_from(address, from).await?).await
}

/// A session before its login, over a connection that is there already.
pub(super) async fn over<S>(stream: S) -> Result<Handle<AnyKey>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = Arc::new(Config { preferred: preferred(), ..Config::default() });
    russh::client::connect_stream(config, stream, AnyKey)
        .await
        .map_err(|error| format!("no key exchange: {error}"))
}

/// Logs in with a key; is it accepted?
pub(super) async fn with_key(
    session: &mut Handle<AnyKey>,
    user: &str,
    key: &Path,
) -> Result<bool, String> {
    let key = russh::keys::load_secret_key(key, None)
        .map_err(|error| format!("the key {} cannot be read: {error}", key.display()))?;
    offer(session, user, key).await.map(|answer| answer == Offered::Accepted)
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    Accepted,
    Refused,
    /// The server hung up instead of answering.
    Ended,
}

/// Offers a key of nobody's.
pub(super) async fn guess(session: &mut Handle<AnyKey>, user: &str) -> Result<Offered, String> {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519)
        .map_err(|error| error.to_string())?;
    offer(session, user, key).await
}

async fn offer(
    session: &mut Handle<AnyKey>,
    user: &str,
    key: PrivateKey,
) -> Result<Offered, String> {
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
    match session.authenticate_publickey(user, key).await {
        Ok(AuthResult::Success) => Ok(Offered::Accepted),
        Ok(AuthResult::Failure { .. }) if session.is_closed() => Ok(Offered::Ended),
        Ok(AuthResult::Failure { .. }) => Ok(Offered::Refused),
        Err(error) if is_end(&error) => Ok(Offered::Ended),
        Err(error) => Err(error.to_string()),
    }
}

/// Does the error only say that the server hung up?
fn is_end(error: &russh::Error) -> bool {
    use russh::Error::{Disconnect, HUP, IO, RecvError, SendError};
    matches!(error, Disconnect | HUP | IO(_) | RecvError | SendError)
}

/// `methods`: what the server offers this user after `none`.
pub(super) async fn methods(address: SocketAddr, user: &str) -> Result<Facts, String> {
    let mut session = open(address, None).await?;
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
    let mut session = open(address, None).await?;
    let mut facts = Facts::default();
    if ask_none(&mut session, user, &mut facts).await? {
        return Ok(facts);
    }
    let accepted = match session.authenticate_password(user, password).await {
        Ok(AuthResult::Success) => true,
        Ok(AuthResult::Failure { .. }) => false,
        // A server that hangs up on a password does not accept it.
        Err(error) if is_end(&error) => false,
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
