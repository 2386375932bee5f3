//! Who the client is, and how the origin is told.

use std::net::{IpAddr, SocketAddr};

use edgeproof_http1::{Fields, list_items};
use ipnet::IpNet;

use crate::hop::append;
use edgeproof_mutant::{self as mutant, Mutant};

/// The address of the client: the peer's, or, from a peer that is trusted, the last address in
/// X-Forwarded-For that is not itself a trusted peer's.
pub(crate) fn client_ip(peer: IpAddr, fields: &Fields, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    if !is_trusted(peer) && !mutant::is(Mutant::TrustsEveryForwardedFor) {
        return peer;
    }
    let mut client = peer;
    let claims: Vec<&[u8]> = fields.get_all("x-forwarded-for").flat_map(list_items).collect();
    for claim in claims.into_iter().rev() {
        let Some(ip) = address(claim) else { break };
        client = ip;
        if !is_trusted(ip) && !mutant::is(Mutant::TakesFirstForwardedFor) {
            break;
        }
    }
    client
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(claim: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(claim).ok()?;
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let ip = text.parse().ok().or_else(with_port).or_else(in_brackets);
    ip.map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a field is one by which [`add`] tells the origin who the client is.
pub(crate) fn tells_the_client(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"x-forwarded-for", b"x-real-ip", b"forwarded"];
    NAMES.iter().any(|told| name.eq_ignore_ascii_case(told))
}

/// What the names of those fields begin with that no standard knows.
const X_FORWARDED: &[u8] = b"x-forwarded-";

/// Whether a field, its name in lower case, says where a request came from or what was asked of the first proxy.
pub(crate) fn is_word_of_a_proxy(name: &[u8]) -> bool {
    name.starts_with(X_FORWARDED) || name == b"x-real-ip" || name == b"forwarded"
}

/// Adds the peer to X-Forwarded-For and Forwarded (RFC 7239), and says in X-Real-IP and
/// X-Forwarded-Proto what this proxy knows: a client cannot set those two. X-Forwarded-Host, X-Forwarded-Port and what
/// else begins like them is passed on only from a peer that is trusted.
pub(crate) fn add(
    fields: &mut Fields,
    peer: IpAddr,
    client: IpAddr,
    secure: bool,
    trusted: &[IpNet],
) {
    if !trusted.iter().any(|net| net.contains(&peer)) {
        fields.retain(|name, _| {
            name.eq_ignore_ascii_case(b"x-forwarded-for")
                || !name
                    .get(..X_FORWARDED.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(X_FORWARDED))
        });
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_peer_names_the_client_in_many_ways() {
        let trusted = ["127.0.0.0/8".parse().unwrap()];
        for (claim, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:4242", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4242", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("203.0.113.9, 192.0.2.7, 127.0.0.5", "192.0.2.7"),
            ("192.0.2.7, unknown", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            let mut fields = Fields::new();
            fields.push("X-Forwarded-For", claim);
            let peer = "127.0.0.1".parse().unwrap();
            assert_eq!(client_ip(peer, &fields, &trusted).to_string(), expected, "{claim}");
            assert_eq!(client_ip(peer, &fields, &[]), peer, "{claim}");
        }
    }
}
