//! A server's public host key (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};

use super::wire::{Reader, bits};

/// What can be told of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKey {
    /// The key's type, which an RSA key's algorithms have in common.
    pub(super) kind: String,
    /// Of the modulus or the curve.
    pub(super) bits: Option<u32>,
    /// As ssh-keygen(1) shows it.
    pub(super) fingerprint: String,
}

/// Reads a key as it goes over the wire.
pub(super) fn read(blob: &[u8]) -> Result<HostKey, String> {
    let mut reader = Reader(blob);
    let cut = "its host key is cut short";
    let kind = String::from_utf8_lossy(reader.string().ok_or(cut)?).into_owned();
    let bits = match kind.as_str() {
        "ssh-ed25519" => Some(256),
        "ssh-rsa" => {
            reader.string().ok_or(cut)?;
            Some(bits(reader.string().ok_or(cut)?))
        }
        "ssh-dss" => Some(bits(reader.string().ok_or(cut)?)),
        other => other.strip_prefix("ecdsa-sha2-nistp").and_then(|size| size.parse().ok()),
    };
    let fingerprint = STANDARD_NO_PAD.encode(digest(&SHA256, blob));
    Ok(HostKey { kind, bits, fingerprint: format!("SHA256:{fingerprint}") })
}

/// The key's type behind an algorithm's name. None for certificates, whose key is the server's own as well.
pub(super) fn kind(algorithm: &str) -> Option<&str> {
    match algorithm {
        "rsa-sha2-256" | "rsa-sha2-512" => Some("ssh-rsa"),
        certificate if certificate.contains("-cert-v0") => None,
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::put_string;
    use super::*;

    fn blob(parts: &[&[u8]]) -> Vec<u8> {
        let mut blob = Vec::new();
        for part in parts {
            put_string(&mut blob, part);
        }
        blob
    }

    #[test]
    fn the_size_is_that_of_the_modulus_or_the_curve() {
        let size = |parts: &[&[u8]]| read(&blob(parts)).unwrap().bits;
        let modulus = [&[0, 0x80][..], &[0; 127]].concat();
        assert_eq!(size(&[b"ssh-rsa", &[1, 0, 1], &modulus]), Some(1024));
        assert_eq!(size(&[b"ssh-dss", &modulus]), Some(1024));
        assert_eq!(size(&[b"ssh-ed25519", &[7; 32]]), Some(256));
        assert_eq!(size(&[b"ecdsa-sha2-nistp521", b"nistp521", &[4]]), Some(521));
        assert_eq!(size(&[b"of-tomorrow"]), None);
        assert!(read(&blob(&[b"ssh-rsa"])).is_err());
    }

    #[test]
    fn a_fingerprint_is_what_ssh_keygen_shows() {
        // The key of `ssh-keygen -lf` below: a public key of 32 octets 7.
        let key = read(&blob(&[b"ssh-ed25519", &[7; 32]])).unwrap();
        assert_eq!(key.fingerprint, "SHA256:gNSIRW+2Iyiuvsdp/bgjy38bvWHw6wQm3tuoXrl3WjQ");
    }

    #[test]
    fn several_algorithms_may_have_one_key() {
        assert_eq!(kind("rsa-sha2-512"), Some("ssh-rsa"));
        assert_eq!(kind("ssh-ed25519"), Some("ssh-ed25519"));
        assert_eq!(kind("ssh-ed25519-cert-v01@openssh.com"), None);
    }
}
