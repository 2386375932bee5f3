//! The identification string and SSH_MSG_KEXINIT (RFC 4253 §4.2, §6, §7.1).

use crate::expect::Facts;

const SSH_MSG_KEXINIT: u8 = 20;
/// RFC 4253 §6.1 asks for 35000 octets; nobody's lists are nearly as long.
const LONGEST_PACKET: usize = 256 * 1024;
const STRICT_KEX: &str = "kex-strict-s-v00@openssh.com";
/// Names in the kex list that are marks, not key exchanges (RFC 8308 §2.1 and OpenSSH's).
const MARKS: [&str; 2] = ["ext-info-s", STRICT_KEX];

/// The lists that a server sends, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KexInit {
    kex: Vec<String>,
    host_keys: Vec<String>,
    ciphers: [Vec<String>; 2],
    macs: [Vec<String>; 2],
    compression: [Vec<String>; 2],
}

/// The identification string without its line end, and how many octets it took with all that stood
/// before it (other lines may: RFC 4253 §4.2).
pub(super) fn banner(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut at = 0;
    for line in input.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if line.starts_with(b"SSH-") && line.ends_with(b"\n") {
            let end = line.iter().rposition(|b| !matches!(b, b'\r' | b'\n'));
            return Some((line[..end.map_or(0, |end| end + 1)].to_vec(), at));
        }
    }
    None
}

/// The first packet as KEXINIT; `None` asks for more octets.
pub(super) fn parse(input: &[u8]) -> Result<Option<KexInit>, String> {
    let Some((length, rest)) = input.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if !(2..=LONGEST_PACKET).contains(&length) {
        return Err(format!("its first packet says it has {length} octets"));
    }
    let Some(packet) = rest.get(..length) else { return Ok(None) };
    let padding = usize::from(packet[0]);
    let payload = packet.get(1..length.saturating_sub(padding)).unwrap_or_default();
    match payload {
        [SSH_MSG_KEXINIT, rest @ ..] => lists(rest).map(Some),
        [other, ..] => Err(format!("its first packet is message {other} instead of KEXINIT")),
        [] => Err("its first packet is empty".to_owned()),
    }
}

fn lists(payload: &[u8]) -> Result<KexInit, String> {
    let mut rest = payload.get(16..).ok_or("its KEXINIT ends in the cookie")?;
    let mut next = || name_list(&mut rest).ok_or("its KEXINIT ends inside a name-list");
    let (kex, host_keys) = (next()?, next()?);
    // RFC 4253 §7.1: client to server first, each time.
    let ciphers = [next()?, next()?];
    let macs = [next()?, next()?];
    let compression = [next()?, next()?];
    Ok(KexInit { kex, host_keys, ciphers, macs, compression })
}

fn name_list(rest: &mut &[u8]) -> Option<Vec<String>> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (names, after) = (after.get(..length)?, after.get(length..)?);
    *rest = after;
    let names = String::from_utf8_lossy(names);
    Some(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

impl KexInit {
    /// The facts that a case can assert on.
    pub(super) fn tell(self, facts: &mut Facts) {
        let strict = self.kex.iter().any(|name| name == STRICT_KEX);
        facts.set("strict_kex", strict.to_string());
        facts.set_list("kex", self.kex.into_iter().filter(|name| !MARKS.contains(&name.as_str())));
        facts.set_list("host_key_algorithms", self.host_keys);
        let [to_server, to_client] = self.ciphers;
        facts.set_list("ciphers_to_server", to_server);
        facts.set_list("ciphers_to_client", to_client);
        let [to_server, to_client] = self.macs;
        facts.set_list("macs_to_server", to_server);
        facts.set_list("macs_to_client", to_client);
        let [mut both, to_client] = self.compression;
        both.extend(to_client.into_iter().filter(|name| !both.contains(name)).collect::<Vec<_>>());
        facts.set_list("compression", both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A KEXINIT packet with these ten lists.
    fn packet(lists: [&str; 10]) -> Vec<u8> {
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend([7; 16]);
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        let length = u32::try_from(payload.len() + 1 + 4).unwrap();
        [&length.to_be_bytes()[..], &[4], &payload, &[0; 4]].concat()
    }

    #[test]
    fn the_lists_are_read_in_their_order_and_marks_are_no_key_exchanges() {
        let kex = "curve25519-sha256,ext-info-s,kex-strict-s-v00@openssh.com";
        let lists = [kex, "ssh-ed25519", "a,b", "c", "m", "n", "none", "none,zlib", "", ""];
        let wire = packet(lists);
        for cut in 0..wire.len() {
            assert_eq!(parse(&wire[..cut]), Ok(None));
        }
        let mut facts = Facts::default();
        parse(&wire).unwrap().unwrap().tell(&mut facts);
        let told = |key: &str| String::from_utf8(facts.0[key].join(&b","[..])).unwrap();
        assert_eq!(
            (told("kex").as_str(), told("strict_kex").as_str()),
            ("curve25519-sha256", "true")
        );
        assert_eq!(
            (told("ciphers_to_server"), told("ciphers_to_client")),
            ("a,b".into(), "c".into())
        );
        assert_eq!((told("macs_to_client"), told("compression")), ("n".into(), "none,zlib".into()));
    }

    #[test]
    fn a_banner_may_stand_behind_other_lines() {
        assert_eq!(banner(b"hello\r\nSSH-2.0-x y\r\nrest"), Some((b"SSH-2.0-x y".to_vec(), 20)));
        assert_eq!(banner(b"SSH-2.0-x"), None);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = banner(&bytes);
        }
    }
}
