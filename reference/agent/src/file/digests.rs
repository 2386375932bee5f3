//! Digests of a file, made while it is read.

use std::io::{self, Read};

use md5::Digest as _;

use super::criteria::Algorithm;

/// One digest in the making.
enum Hasher {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Sha3With224(sha3::Sha3_224),
    Sha3With256(sha3::Sha3_256),
    Sha3With384(sha3::Sha3_384),
    Sha3With512(sha3::Sha3_512),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Default::default()),
            Algorithm::Sha1 => Self::Sha1(Default::default()),
            Algorithm::Sha256 => Self::Sha256(Default::default()),
            Algorithm::Sha384 => Self::Sha384(Default::default()),
            Algorithm::Sha512 => Self::Sha512(Default::default()),
            Algorithm::Sha3With224 => Self::Sha3With224(Default::default()),
            Algorithm::Sha3With256 => Self::Sha3With256(Default::default()),
            Algorithm::Sha3With384 => Self::Sha3With384(Default::default()),
            Algorithm::Sha3With512 => Self::Sha3With512(Default::default()),
        }
    }

    fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(octets),
            Self::Sha1(hasher) => hasher.update(octets),
            Self::Sha256(hasher) => hasher.update(octets),
            Self::Sha384(hasher) => hasher.update(octets),
            Self::Sha512(hasher) => hasher.update(octets),
            Self::Sha3With224(hasher) => hasher.update(octets),
            Self::Sha3With256(hasher) => hasher.update(octets),
            Self::Sha3With384(hasher) => hasher.update(octets),
            Self::Sha3With512(hasher) => hasher.update(octets),
        }
    }

    fn hex(self) -> String {
        match self {
            Self::Md5(hasher) => hex(&hasher.finalize()),
            Self::Sha1(hasher) => hex(&hasher.finalize()),
            Self::Sha256(hasher) => hex(&hasher.finalize()),
            Self::Sha384(hasher) => hex(&hasher.finalize()),
            Self::Sha512(hasher) => hex(&hasher.finalize()),
            Self::Sha3With224(hasher) => hex(&hasher.finalize()),
            Self::Sha3With256(hasher) => hex(&hasher.finalize()),
            Self::Sha3With384(hasher) => hex(&hasher.finalize()),
            Self::Sha3With512(hasher) => hex(&hasher.finalize()),
        }
    }
}

/// Octets in lower-case hexadecimal digits.
fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// A reader that makes digests of what passes.
pub(crate) struct Digesting<R> {
    inner: R,
    hashers: Vec<(Algorithm, Hasher)>,
    pub(crate) octets: u64,
}

impl<R: Read> Digesting<R> {
    pub(crate) fn new(inner: R, algorithms: &[Algorithm]) -> Self {
        let hashers = algorithms.iter().map(|one| (*one, Hasher::new(*one))).collect();
        Self { inner, hashers, octets: 0 }
    }

    /// The digests, in hexadecimal digits.
    pub(crate) fn digests(self) -> Vec<(Algorithm, String)> {
        self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.hex())).collect()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.octets += read as u64;
        self.hashers.iter_mut().for_each(|(_, hasher)| hasher.update(&buffer[..read]));
        Ok(read)
    }
}
