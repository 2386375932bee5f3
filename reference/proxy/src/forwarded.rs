//! Who the client is, and how the origin is told.

use std::net::IpAddr;

use edgeproof_http1::{Fields, list_items};
use ipnet::IpNet;

use crate::hop::append;
use edgeproof_mutant::{self as mutant, Mutant};

/// The address of the client: the peer's, or, from a peer that is trusted, the last address in
/// X-Forwarded-For that is not itself a trusted peer's.
pub(crate) fn client_ip(peer: IpAddr, fields: &Fields, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    if !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    let claims: Vec<&[u8]> = fields.get_all("x-forwarded-for").flat_map(list_items).collect();
    for claim in claims.into_iter().rev() {
        let Some(ip) = std::str::from_utf8(claim).ok().and_then(|text| text.parse().ok()) else {
            break;
        };
        client = ip;
        if !is_trusted(ip) {
            break;
        }
    }
    client
}

/// Adds the peer to X-Forwarded-For and Forwarded (RFC 7239), and says in X-Real-IP and
/// X-Forwarded-Proto what this proxy knows: a client cannot set those two.
pub(crate) fn add(fields: &mut Fields, peer: IpAddr, client: IpAddr, secure: bool) {
    let proto = if secure { "https" } else { "http" };
    if !mutant::is(Mutant::NoForwardedFor) {
        append(fields, "X-Forwarded-For", &peer.to_string());
    }
    fields.set("X-Forwarded-Proto", proto);
    fields.set("X-Real-IP", client.to_string());
    let node = match peer {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("\"[{ip}]\""),
    };
    let host = fields.get("host").map(|host| String::from_utf8_lossy(host).into_owned());
    let host = host.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
    append(fields, "Forwarded", &format!("for={node}{host};proto={proto}"));
}
