//! The identification string and SSH_MSG_KEXINIT (RFC 4253 §4.2, §7.1).

use super::wire::{Reader, put_string};
use crate::expect::Facts;

const SSH_MSG_KEXINIT: u8 = 20;
const STRICT_KEX: &str = "kex-strict-s-v00@openssh.com";
/// Names in the kex list that are marks, not key exchanges (RFC 8308 §2.1 and OpenSSH's).
const MARKS: [&str; 2] = ["ext-info-s", STRICT_KEX];
/// Key exchanges of which one half withstands a quantum computer, as far as anybody knows.
const POST_QUANTUM: [&str; 5] = [
    "mlkem768x25519-sha256",
    "mlkem768nistp256-sha256",
    "mlkem1024nistp384-sha384",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
];
const CHACHA: &str = "chacha20-poly1305@openssh.com";
pub(super) const ENCRYPT_THEN_MAC: &str = "-etm@openssh.com";

/// The lists that a server sends, in their order. Of two, the first is from the client to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KexInit {
    pub(super) kex: Vec<String>,
    pub(super) host_keys: Vec<String>,
    pub(super) ciphers: [Vec<String>; 2],
    pub(super) macs: [Vec<String>; 2],
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

/// The software version in an identification string: what stands between the protocol's and the comment.
pub(super) fn software(banner: &[u8]) -> Option<&[u8]> {
    let version = banner.splitn(3, |octet| *octet == b'-').nth(2)?;
    version.split(|octet| *octet == b' ').next()
}

/// A KEXINIT's payload.
pub(super) fn parse(payload: &[u8]) -> Result<KexInit, String> {
    let rest = payload.get(17..).ok_or("its KEXINIT ends in the cookie")?;
    let mut reader = Reader(rest);
    let mut next = || reader.name_list().ok_or("its KEXINIT ends inside a name-list");
    let (kex, host_keys) = (next()?, next()?);
    let ciphers = [next()?, next()?];
    let macs = [next()?, next()?];
    let compression = [next()?, next()?];
    Ok(KexInit { kex, host_keys, ciphers, macs, compression })
}

/// What a client wants of what the server offers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) kex: &'w str,
    pub(super) host_key: &'w str,
    /// From the server; whatever it likes if not said.
    pub(super) cipher: Option<&'w str>,
    pub(super) mac: Option<&'w str>,
    /// Are extensions to be told (RFC 8308)?
    pub(super) extensions: bool,
}

impl KexInit {
    /// The client's KEXINIT that leads to this.
    pub(super) fn answer(&self, wanted: Wanted<'_>) -> Vec<u8> {
        let kex = match wanted.extensions {
            true => format!("{},ext-info-c", wanted.kex),
            false => wanted.kex.to_owned(),
        };
        let [cipher_out, cipher_in] = self.ciphers.each_ref().map(|list| list.join(","));
        let [mac_out, mac_in] = self.macs.each_ref().map(|list| list.join(","));
        let [zip_out, zip_in] = self.compression.each_ref().map(|list| list.join(","));
        let cipher_in = wanted.cipher.map_or(cipher_in, str::to_owned);
        let mac_in = wanted.mac.map_or(mac_in, str::to_owned);
        // The cookie makes keys unlike each other; nothing secret is ever said here.
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend([0x5a; 16]);
        let host_key = wanted.host_key.to_owned();
        for list in &[kex, host_key, cipher_out, cipher_in, mac_out, mac_in, zip_out, zip_in] {
            put_string(&mut payload, list.as_bytes());
        }
        put_string(&mut payload, b"");
        put_string(&mut payload, b"");
        // No packet is guessed ahead, and four reserved octets.
        payload.extend([0; 5]);
        payload
    }

    /// What the prefix truncation attack (CVE-2023-48795) can do: it needs one of two kinds of encryption, and a
    /// server that does not insist on strict sequence numbers.
    fn terrapin(&self) -> &'static str {
        let any = |lists: &[Vec<String>; 2], test: &dyn Fn(&str) -> bool| {
            lists.iter().flatten().any(|name| test(name))
        };
        let chacha = any(&self.ciphers, &|name| name == CHACHA);
        let cbc = any(&self.ciphers, &|name| name.ends_with("-cbc"));
        let etm = any(&self.macs, &|name| name.ends_with(ENCRYPT_THEN_MAC));
        match (chacha || (cbc && etm), self.is_strict()) {
            (false, _) => "out-of-reach",
            (true, true) => "countered",
            (true, false) => "vulnerable",
        }
    }

    fn is_strict(&self) -> bool {
        self.kex.iter().any(|name| name == STRICT_KEX)
    }

    /// The facts that a case can assert on.
    pub(super) fn tell(&self, facts: &mut Facts) {
        let list = |names: &[String]| names.to_vec();
        facts.set("strict_kex", self.is_strict().to_string());
        facts.set("terrapin", self.terrapin());
        let hybrids = self.kex.iter().filter(|name| POST_QUANTUM.contains(&name.as_str()));
        facts.set_list("post_quantum", hybrids.cloned());
        let exchanges = self.kex.iter().filter(|name| !MARKS.contains(&name.as_str()));
        facts.set_list("kex", exchanges.cloned());
        facts.set_list("host_key_algorithms", list(&self.host_keys));
        let [to_server, to_client] = &self.ciphers;
        facts.set_list("ciphers_to_server", list(to_server));
        facts.set_list("ciphers_to_client", list(to_client));
        let [to_server, to_client] = &self.macs;
        facts.set_list("macs_to_server", list(to_server));
        facts.set_list("macs_to_client", list(to_client));
        let [to_server, to_client] = &self.compression;
        let others = to_client.iter().filter(|name| !to_server.contains(name));
        facts.set_list("compression", to_server.iter().chain(others).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A KEXINIT with these ten lists.
    fn payload(lists: [&str; 10]) -> Vec<u8> {
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend([7; 16]);
        for list in lists {
            put_string(&mut payload, list.as_bytes());
        }
        payload.extend([0; 5]);
        payload
    }

    fn told(payload: &[u8]) -> impl Fn(&str) -> String {
        let mut facts = Facts::default();
        parse(payload).unwrap().tell(&mut facts);
        move |key| String::from_utf8(facts.0[key].join(&b","[..])).unwrap()
    }

    #[test]
    fn the_lists_are_read_in_their_order_and_marks_are_no_key_exchanges() {
        let kex =
            "sntrup761x25519-sha512,curve25519-sha256,ext-info-s,kex-strict-s-v00@openssh.com";
        let lists = [kex, "ssh-ed25519", "a,b", "c", "m", "n", "none", "none,zlib", "", ""];
        let wire = payload(lists);
        for cut in 0..wire.len() - 5 - 8 {
            assert!(parse(&wire[..cut]).is_err());
        }
        let told = told(&wire);
        assert_eq!(told("kex"), "sntrup761x25519-sha512,curve25519-sha256");
        assert_eq!(told("post_quantum"), "sntrup761x25519-sha512");
        assert_eq!(told("strict_kex"), "true");
        assert_eq!(
            (told("ciphers_to_server"), told("ciphers_to_client")),
            ("a,b".into(), "c".into())
        );
        assert_eq!((told("macs_to_client"), told("compression")), ("n".into(), "none,zlib".into()));
    }

    #[test]
    fn terrapin_needs_a_cipher_that_it_reaches_and_no_strict_exchange() {
        let strict = "x,kex-strict-s-v00@openssh.com";
        let chacha = "aes256-ctr,chacha20-poly1305@openssh.com";
        let etm = "hmac-sha2-256-etm@openssh.com";
        for (kex, cipher, mac, wanted) in [
            ("x", "aes256-gcm@openssh.com", etm, "out-of-reach"),
            ("x", "aes128-cbc", "hmac-sha2-256", "out-of-reach"),
            ("x", "aes128-cbc", etm, "vulnerable"),
            ("x", chacha, "hmac-sha2-256", "vulnerable"),
            (strict, chacha, etm, "countered"),
            (strict, "aes256-ctr", etm, "out-of-reach"),
        ] {
            let lists = [kex, "k", cipher, cipher, mac, mac, "none", "none", "", ""];
            assert_eq!(told(&payload(lists))("terrapin"), wanted, "{kex} {cipher} {mac}");
        }
    }

    #[test]
    fn an_answer_names_one_of_each_where_it_matters() {
        let lists = ["a,b", "k,l", "c,d", "c,d", "m", "m", "none", "none", "", ""];
        let theirs = parse(&payload(lists)).unwrap();
        let wanted =
            Wanted { kex: "b", host_key: "l", cipher: Some("d"), mac: None, extensions: true };
        let ours = parse(&theirs.answer(wanted)).unwrap();
        assert_eq!(ours.kex, ["b", "ext-info-c"]);
        assert_eq!(ours.host_keys, ["l"]);
        assert_eq!(ours.ciphers, [vec!["c".to_owned(), "d".to_owned()], vec!["d".to_owned()]]);
    }

    #[test]
    fn a_banner_may_stand_behind_other_lines() {
        assert_eq!(banner(b"hello\r\nSSH-2.0-x y\r\nrest"), Some((b"SSH-2.0-x y".to_vec(), 20)));
        assert_eq!(banner(b"SSH-2.0-x"), None);
        assert_eq!(software(b"SSH-2.0-OpenSSH_9.2p1 Debian-2"), Some(&b"OpenSSH_9.2p1"[..]));
        assert_eq!(software(b"SSH-2.0-a-b"), Some(&b"a-b"[..]));
        assert_eq!(software(b"SSH-2.0"), None);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = banner(&bytes);
            let _ = software(&bytes);
        }
    }
}
