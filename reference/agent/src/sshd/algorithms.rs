//! Names of algorithms (RFC 4250 §4.11), and what they are worth: RFC 9142, RFC 8758, RFC 8332, Mozilla's guideline.

/// A signature with SHA-1, or by DSA.
pub(super) fn signature(name: &str) -> bool {
    matches!(name, "ssh-rsa" | "ssh-dss")
}

/// The same, also of certificates.
pub(super) fn signature_with_certificate(name: &str) -> bool {
    signature(name.strip_suffix("-cert-v01@openssh.com").unwrap_or(name))
}

/// A key exchange with SHA-1.
pub(super) fn exchange(name: &str) -> bool {
    name.ends_with("-sha1") || name.starts_with("rsa1024-")
}

/// A key exchange that a quantum computer does not break.
pub(super) fn hybrid(name: &str) -> bool {
    name.starts_with("sntrup761x25519-") || name.starts_with("mlkem768")
}

/// A key exchange that costs the server much, or on a curve with unexplained constants.
pub(super) fn finite_field_or_nist(name: &str) -> bool {
    name.starts_with("diffie-hellman-") || name.starts_with("ecdh-sha2-nistp")
}

/// A cipher that is broken, or whose mode is.
pub(super) fn cipher(name: &str) -> bool {
    let of = ["-cbc", "arcfour", "3des", "blowfish", "cast128"];
    of.iter().any(|part| name.contains(part)) || name == "none"
}

/// A cipher that brings its own authentication.
pub(super) fn authenticated(name: &str) -> bool {
    name.contains("-gcm@") || name.starts_with("chacha20-poly1305")
}

/// A MAC that is too short, or of a broken hash.
pub(super) fn mac(name: &str) -> bool {
    let of = ["md5", "sha1", "ripemd", "umac-64", "-96"];
    of.iter().any(|part| name.contains(part)) || name == "none"
}

/// `session:*=1800`: what, and after how many seconds.
pub(super) fn timeout(value: &str) -> bool {
    let time = value.split_once('=').filter(|(what, _)| !what.is_empty()).map(|(_, time)| time);
    time.is_some_and(|time| time.starts_with(|first: char| first.is_ascii_digit()))
}
