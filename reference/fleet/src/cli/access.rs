//! Flags that say how NATS is reached.

use std::path::PathBuf;

use edgeproof_agent::flags::Given;

use super::Failure;
use crate::nats::Access;

/// Their names; all take a value.
pub(super) const FLAGS: [&str; 9] =
    ["nats", "creds", "nkey", "user", "password-file", "ca", "cert", "cert-key", "inbox"];

/// Takes a flag if it is one of these.
pub(super) fn take(access: &mut Access, given: &Given) -> bool {
    let file = || Some(PathBuf::from(&given.value));
    match given.name.as_str() {
        "nats" => access.servers.push(given.value.clone()),
        "creds" => access.creds = file(),
        "nkey" => access.nkey = file(),
        "user" => access.user = Some(given.value.clone()),
        "password-file" => access.password_file = file(),
        "ca" => access.ca = file(),
        "cert" => access.cert = file(),
        "cert-key" => access.cert_key = file(),
        "inbox" => access.inbox = Some(given.value.clone()),
        _ => return false,
    }
    true
}

/// A server must be named.
pub(super) fn checked(access: &Access) -> Result<(), Failure> {
    match access.servers.is_empty() {
        true => {
            Err(Failure::Usage("which NATS server? Expected -nats nats://HOST:PORT".to_owned()))
        }
        false => Ok(()),
    }
}
