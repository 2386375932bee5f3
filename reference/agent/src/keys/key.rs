//! A public key as octets, and its name.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::authorized::KeyOnLine;

/// Reads what sshd's own decoder reads, and more: in doubt it is a key.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A public key, in the form of RFC 4253 §6.6.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

impl Key {
    /// The key of a line; `None` where its base64 holds none, and sshd refuses it.
    pub fn of(line: &KeyOnLine<'_>) -> Option<Self> {
        let blob = LENIENT.decode(line.digits()).ok()?;
        let key = Self(blob.into_boxed_slice());
        key.kind().map(str::len)?;
        Some(key)
    }

    /// The type's name, as the key itself has it: `ssh-ed25519`.
    fn kind(&self) -> Option<&str> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let name = rest.get(..u32::from_be_bytes(*length) as usize)?;
        let name = std::str::from_utf8(name).ok()?;
        (!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic())).then_some(name)
    }
}

/// The fingerprint and the type: `SHA256:… (ssh-ed25519)`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fingerprint(), self.kind().unwrap_or_default())
    }
}

impl Key {
    /// `SHA256:` and base64, as ssh-keygen prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.0)))
    }

    /// The type's name: `ssh-ed25519`.
    pub fn type_name(&self) -> &str {
        self.kind().unwrap_or_default()
    }

    /// The size of an RSA key's modulus in bits (RFC 4253 §6.6: the exponent, then the modulus).
    pub fn rsa_bits(&self) -> Option<usize> {
        (self.kind()? == "ssh-rsa").then_some(())?;
        let mut rest = &self.0[..];
        let mut field = &rest[..0];
        for _ in 0..3 {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            (field, rest) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        }
        let zeros = field.iter().take_while(|octet| **octet == 0).count();
        let first = field.get(zeros)?;
        Some((field.len() - zeros) * 8 - first.leading_zeros() as usize)
    }
}
