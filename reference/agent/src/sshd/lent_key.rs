//! A host key for an sshd that says what is in effect only where it has one: nobody ever connects to it.

use std::fs::File;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

/// A string as SSH writes it (RFC 4251 section 5).
fn string(octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], octets].concat()
}

/// An Ed25519 key of zeros in OpenSSH's format (PROTOCOL.key): it signs nothing, and sshd does not try it.
fn text() -> String {
    let public = [string(b"ssh-ed25519"), string(&[0; 32])].concat();
    let no_check = [0; 8];
    let mut private = [&no_check[..], &public, &string(&[0; 64]), &string(b"")].concat();
    private.extend((1_u8..8).take((8 - private.len() % 8) % 8));
    let (none, one) = (string(b"none"), 1_u32.to_be_bytes());
    let parts = [&none[..], &none, &string(b""), &one, &string(&public), &string(&private)];
    let blob = [b"openssh-key-v1\0", &parts.concat()[..]].concat();
    let name = "OPENSSH PRIVATE KEY";
    let mut text = format!("-----BEGIN {name}-----\n");
    for line in STANDARD.encode(blob).as_bytes().chunks(70) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + &format!("-----END {name}-----\n")
}

/// The key as a file without a name, which nobody else may read: else sshd does not take it.
pub(super) fn file() -> io::Result<File> {
    let memory = memfd_create("host key", MemfdFlags::CLOEXEC)?;
    fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(memory);
    file.write_all(text().as_bytes())?;
    Ok(file)
}
