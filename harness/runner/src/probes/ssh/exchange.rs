//! A key exchange as far as the server's host key. A server shows it with its share, before anything is
//! encrypted, so that no secret is needed: any public share of ours will do.

use std::net::SocketAddr;

use futures_util::future::join_all;

use super::kexinit::{KexInit, Wanted};
use super::keys::{self, HostKey};
use super::talk::Talk;
use super::wire::{Reader, put_mpint, put_string, put_u32};
use crate::expect::Facts;

/// SSH_MSG_KEXDH_INIT, SSH_MSG_KEX_ECDH_INIT (RFC 4253 §8, RFC 5656 §4).
pub(super) const INIT: u8 = 30;
/// Their answers.
pub(super) const REPLY: u8 = 31;
/// RFC 4419 §5.
const GEX_REQUEST: u8 = 34;
const GEX_GROUP: u8 = 31;
const GEX_INIT: u8 = 32;
const GEX_REPLY: u8 = 33;

/// The generator of NIST P-256 (FIPS 186-4 D.1.2.3), uncompressed: the share of the private key 1.
const P256: [u8; 65] = *b"\x04\
    \x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
    \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
    \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\
    \x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
/// Public keys of the two post-quantum halves, in octets (FIPS 203 §8; draft-ietf-sshm-ntruprime-ssh).
const MLKEM768: usize = 1184;
const SNTRUP761: usize = 1158;

/// What an exchange asks of the client first.
#[derive(Debug, PartialEq, Eq)]
enum Share {
    /// One message with the share, answered by one with the key.
    Octets(Vec<u8>),
    /// The same as an integer.
    Integer,
    /// A group is asked for before.
    Group,
}

/// An integer below every group's size that looks like a share: not too few bits are set.
const INTEGER: [u8; 64] = [0x55; 64];

fn share(kex: &str) -> Option<Share> {
    // X25519 takes any octets; these are the base point.
    let mut x25519 = vec![9];
    x25519.resize(32, 0);
    let behind = |before: usize| [vec![0; before], x25519.clone()].concat();
    Some(match kex.trim_end_matches("@openssh.com").trim_end_matches("@libssh.org") {
        "curve25519-sha256" => Share::Octets(x25519),
        "sntrup761x25519-sha512" => Share::Octets(behind(SNTRUP761)),
        "mlkem768x25519-sha256" => Share::Octets(behind(MLKEM768)),
        "ecdh-sha2-nistp256" => Share::Octets(P256.to_vec()),
        gex if gex.starts_with("diffie-hellman-group-exchange-") => Share::Group,
        group if group.starts_with("diffie-hellman-group") => Share::Integer,
        _ => return None,
    })
}

/// The exchange that costs the server least, of those that can be done.
fn cheapest(kex: &[String]) -> Option<(&str, Share)> {
    let cost = |share: &Share| match share {
        Share::Octets(octets) => octets.len(),
        Share::Integer => 10_000,
        Share::Group => 20_000,
    };
    kex.iter()
        .filter_map(|name| Some((name.as_str(), share(name)?)))
        .min_by_key(|(_, share)| cost(share))
}

/// The key behind a host key algorithm.
async fn host_key(
    address: SocketAddr,
    theirs: &KexInit,
    algorithm: &str,
) -> Result<HostKey, String> {
    let (kex, share) = cheapest(&theirs.kex)
        .ok_or_else(|| format!("no key exchange that the probe knows: {}", theirs.kex.join(",")))?;
    let mut talk = Talk::open(address, None).await?;
    let wanted = Wanted { kex, host_key: algorithm, cipher: None, mac: None, extensions: false };
    talk.say(&theirs.answer(wanted)).await?;
    talk.kexinit().await?;
    let reply = match share {
        Share::Group => {
            ask_group(&mut talk, [2048, 2048, 8192]).await?;
            talk.say(&integer(GEX_INIT)).await?;
            answer(&mut talk, GEX_REPLY).await?
        }
        Share::Integer => {
            talk.say(&integer(INIT)).await?;
            answer(&mut talk, REPLY).await?
        }
        Share::Octets(octets) => {
            let mut payload = vec![INIT];
            put_string(&mut payload, &octets);
            talk.say(&payload).await?;
            answer(&mut talk, REPLY).await?
        }
    };
    talk.end().await;
    let blob = Reader(&reply[1..]).string().ok_or("its key exchange ends in the host key")?;
    keys::read(blob)
}

fn integer(message: u8) -> Vec<u8> {
    let mut payload = vec![message];
    put_mpint(&mut payload, &INTEGER);
    payload
}

/// The next message, which must be this one.
pub(super) async fn answer(talk: &mut Talk, wanted: u8) -> Result<Vec<u8>, String> {
    let payload = talk.message().await?;
    match payload.first() {
        Some(found) if *found == wanted => Ok(payload),
        Some(found) => Err(format!("message {found} came in place of {wanted}")),
        None => Err("an empty message came".to_owned()),
    }
}

/// Asks for a group of at least, preferably and at most so many bits; the modulus of the one that comes.
async fn ask_group(talk: &mut Talk, bits: [usize; 3]) -> Result<Vec<u8>, String> {
    let mut request = vec![GEX_REQUEST];
    for bits in bits {
        put_u32(&mut request, bits);
    }
    talk.say(&request).await?;
    let group = answer(talk, GEX_GROUP).await?;
    let modulus = Reader(&group[1..]).string().ok_or("its group is cut short")?;
    Ok(modulus.to_vec())
}

/// Adds `host_key_type` (the types that are offered, in the server's order), `host_key_fingerprints` in the
/// same order, `host_key_rsa_bits`, the size of such a key where there is one, and `host_key_bits`: of the RSA or DSA key where there is one, since only its size is anybody's
/// choice, else of the first.
pub(super) async fn host_keys(
    address: SocketAddr,
    theirs: &KexInit,
    facts: &mut Facts,
) -> Result<(), String> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut algorithms: Vec<&str> = Vec::new();
    for algorithm in &theirs.host_keys {
        let Some(kind) = keys::kind(algorithm) else { continue };
        if !kinds.contains(&kind) {
            kinds.push(kind);
            algorithms.push(algorithm);
        }
    }
    let asked = algorithms.iter().map(|algorithm| host_key(address, theirs, algorithm));
    let mut found: Vec<HostKey> = Vec::new();
    for (told, algorithm) in join_all(asked).await.into_iter().zip(algorithms) {
        // A server may bear one connection of ours at a time (PerSourceMaxStartups).
        found.push(match told {
            Ok(key) => key,
            Err(_) => host_key(address, theirs, algorithm).await?,
        });
    }
    facts.set_list("host_key_type", found.iter().map(|key| key.kind.as_str()));
    facts.set_list("host_key_fingerprints", found.iter().map(|key| key.fingerprint.as_str()));
    let chosen = found.iter().find(|key| matches!(key.kind.as_str(), "ssh-rsa" | "ssh-dss"));
    if let Some(bits) = chosen.and_then(|key| key.bits) {
        facts.set("host_key_rsa_bits", bits.to_string());
    }
    if let Some(bits) = chosen.or(found.first()).and_then(|key| key.bits) {
        facts.set("host_key_bits", bits.to_string());
    }
    Ok(())
}

/// Group sizes that clients ask for, each alone.
const SIZES: [usize; 5] = [1024, 1536, 2048, 3072, 4096];

/// Adds `gex_groups`, the sizes of the groups that come for those asks, and `gex_smallest`. Nothing where no
/// group exchange is offered; a server that hangs up on an ask does not have that size.
pub(super) async fn groups(
    address: SocketAddr,
    theirs: &KexInit,
    facts: &mut Facts,
) -> Result<(), String> {
    let is_gex = |name: &&String| share(name) == Some(Share::Group);
    // The one with SHA-1 only where there is no other: it has the same groups.
    let gex = theirs.kex.iter().filter(is_gex).max_by_key(|name| name.ends_with("sha256"));
    let (Some(kex), Some(host_key)) = (gex, theirs.host_keys.first()) else { return Ok(()) };
    let ask = async |bits: usize| {
        let mut talk = Talk::open(address, None).await?;
        let wanted = Wanted { kex, host_key, cipher: None, mac: None, extensions: false };
        talk.say(&theirs.answer(wanted)).await?;
        talk.kexinit().await?;
        let given = ask_group(&mut talk, [bits; 3]).await.ok();
        talk.end().await;
        Ok::<_, String>(given.map(|modulus| super::wire::bits(&modulus)))
    };
    let mut sizes: Vec<u32> = Vec::new();
    for (told, bits) in join_all(SIZES.map(&ask)).await.into_iter().zip(SIZES) {
        sizes.extend(match told {
            Ok(given) => given,
            Err(_) => ask(bits).await?,
        });
    }
    sizes.sort_unstable();
    sizes.dedup();
    facts.set_list("gex_groups", sizes.iter().map(u32::to_string));
    if let Some(smallest) = sizes.first() {
        facts.set("gex_smallest", smallest.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchange_that_costs_least_is_taken() {
        let cheapest = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            cheapest(&names).map(|(name, _)| name.to_owned())
        };
        let sntrup = "sntrup761x25519-sha512@openssh.com";
        assert_eq!(
            cheapest(&[sntrup, "curve25519-sha256@libssh.org", "diffie-hellman-group1-sha1"]),
            Some("curve25519-sha256@libssh.org".into())
        );
        assert_eq!(
            cheapest(&["diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"]),
            Some("diffie-hellman-group14-sha1".into())
        );
        assert_eq!(cheapest(&[sntrup]), Some(sntrup.into()));
        assert_eq!(cheapest(&["of-tomorrow", "kex-strict-s-v00@openssh.com"]), None);
    }
}
