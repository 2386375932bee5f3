//! The negative control of the SSH checks that no sshd of today can fail: a server that says what it is
//! told to say.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

/// A binary packet without encryption (RFC 4253 §6): length, padding length, payload, padding.
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (payload.len() + 5) % 8 + 8;
    let length = u32::try_from(1 + payload.len() + padding).expect("small");
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).expect("small"));
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// SSH_MSG_KEXINIT (RFC 4253 §7.1) with these lists: key exchange, host keys, then ciphers, MACs and
/// compression for each direction, no languages.
fn kexinit(kex: &str, host_keys: &str, ciphers: &str, macs: &str, compression: &str) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    for list in [kex, host_keys, ciphers, ciphers, macs, macs, compression, compression, "", ""] {
        payload.extend_from_slice(&u32::try_from(list.len()).expect("small").to_be_bytes());
        payload.extend_from_slice(list.as_bytes());
    }
    payload.extend_from_slice(&[0; 5]);
    packet(&payload)
}

/// Serves `banner` and then `packet` to whoever connects, until the test's process ends.
fn serve(banner: &'static str, packet: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.write_all(banner.as_bytes()).and_then(|()| stream.write_all(&packet));
            // Until the client goes, so that closing does not reset what is on its way.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

fn verdict(case: &str, server: SocketAddr) -> String {
    // The filter takes a part of an id; those that begin so may ask for what this server does not do.
    let filter = format!("id:\"{case}\" and not id:\"{case}-\"");
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))
        .args(["run", "scenarios/sshd", "--format", "json", "-k", &filter])
        .args(["--discard", "--target"])
        .arg(format!("ssh://{server}"))
        .output()
        .expect("edgeproof runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let cases = report["cases"].as_array().expect("cases");
    let found = cases.iter().find(|found| found["id"] == case).expect("the case");
    found["verdict"].as_str().expect("a verdict").to_owned()
}

#[test]
fn what_no_sshd_of_today_can_get_wrong_is_seen_on_a_scripted_server() {
    let good = serve(
        "SSH-2.0-scripted\r\n",
        kexinit(
            "sntrup761x25519-sha512@openssh.com,kex-strict-s-v00@openssh.com",
            "ssh-ed25519",
            "aes256-gcm@openssh.com",
            "hmac-sha2-512-etm@openssh.com",
            "none",
        ),
    );
    let bad = serve(
        "SSH-1.99-OpenSSH_6.6.1p1\r\n",
        kexinit(
            "diffie-hellman-group1-sha1",
            "ssh-dss,ssh-rsa",
            "chacha20-poly1305@openssh.com,aes128-cbc",
            "hmac-md5",
            "none,zlib",
        ),
    );
    for case in [
        "sshd/handshake/protocol",
        "sshd/handshake/software",
        "sshd/handshake/terrapin",
        "sshd/handshake/terrapin-reach",
        "sshd/handshake/strict-kex",
        "sshd/handshake/hybrid",
        "sshd/handshake/small-groups",
        "sshd/handshake/dheat",
        "sshd/handshake/authenticated-ciphers",
        "sshd/handshake/encrypt-then-mac",
        "sshd/handshake/compression",
        "sshd/handshake/kex",
        "sshd/handshake/post-quantum",
        "sshd/handshake/ciphers",
        "sshd/handshake/macs",
        "sshd/handshake/host-key",
        "sshd/handshake/no-ssh-rsa",
    ] {
        assert_eq!(verdict(case, good), "pass", "{case} on the good server");
        assert_eq!(verdict(case, bad), "fail", "{case} on the bad server");
    }
}
