//! What a server says once encryption has begun, and before a login: SSH_MSG_EXT_INFO (RFC 8308).
//!
//! The first packet under new keys is all that is read, and whether it is genuine does not matter here, so that
//! little is enough: X25519 (RFC 8731) or P-256 (RFC 5656), and AES-GCM (RFC 5647), AES-CTR (RFC 4344) or OpenSSH's
//! chacha20-poly1305. The arithmetic is that of ring and aes.

use std::net::SocketAddr;

use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ring::aead::chacha20_poly1305_openssh::{KEY_LEN, OpeningKey, TAG_LEN};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519};
use ring::digest::{Context, SHA256};
use ring::rand::SystemRandom;

use super::exchange::{INIT, REPLY, answer};
use super::kexinit::{ENCRYPT_THEN_MAC, KexInit, Wanted};
use super::talk::{OURS, Talk};
use super::wire::{Reader, put_mpint, put_string, unpadded};
use crate::expect::Facts;

const SSH_MSG_EXT_INFO: u8 = 7;
const SSH_MSG_NEWKEYS: u8 = 21;
/// KEXINIT, the reply and NEWKEYS came before: the next packet's number (RFC 4253 §6.4).
const FIRST: u32 = 3;
const TAG: usize = 16;
/// No server has more to say of itself.
const LONGEST: usize = 32 * 1024;

fn curve(kex: &str) -> Option<&'static agreement::Algorithm> {
    match kex {
        "curve25519-sha256" | "curve25519-sha256@libssh.org" => Some(&X25519),
        "ecdh-sha2-nistp256" => Some(&ECDH_P256),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Gcm128,
    Gcm256,
    Chacha,
    /// With so many octets of key.
    Ctr(usize),
}

fn cipher(name: &str) -> Option<Cipher> {
    match name {
        "aes128-gcm@openssh.com" => Some(Cipher::Gcm128),
        "aes256-gcm@openssh.com" => Some(Cipher::Gcm256),
        "chacha20-poly1305@openssh.com" => Some(Cipher::Chacha),
        "aes128-ctr" => Some(Cipher::Ctr(16)),
        "aes192-ctr" => Some(Cipher::Ctr(24)),
        "aes256-ctr" => Some(Cipher::Ctr(32)),
        _ => None,
    }
}

/// Adds `signature_algorithms`: those with which a user's key may sign (server-sig-algs, RFC 8308 §3.1). Nothing of
/// a server that tells none.
pub(super) async fn tell(
    address: SocketAddr,
    theirs: &KexInit,
    facts: &mut Facts,
) -> Result<(), String> {
    let kex = theirs.kex.iter().find_map(|name| Some((name, curve(name)?)));
    let chosen = theirs.ciphers[1].iter().find_map(|name| Some((name, cipher(name)?)));
    let (Some((kex, curve)), Some((name, cipher))) = (kex, chosen) else {
        return Err("it has no key exchange or no cipher that the probe speaks".to_owned());
    };
    let host_key = theirs.host_keys.first().ok_or("it offers no host key")?;
    let mac = theirs.macs[1].first().map(String::as_str);
    let wanted = Wanted { kex, host_key, cipher: Some(name), mac, extensions: true };
    let mut talk = Talk::open(address, None).await?;
    let keys = agree(&mut talk, theirs, wanted, curve).await?;
    let clear_length = mac.is_some_and(|mac| mac.ends_with(ENCRYPT_THEN_MAC));
    let payload = first_packet(&mut talk, cipher, clear_length, &keys).await?;
    talk.end().await;
    if let Some(names) = signature_algorithms(&payload) {
        facts.set_list("signature_algorithms", names);
    }
    Ok(())
}

/// The secret and the hash of an exchange, from which all keys are made (RFC 4253 §7.2).
struct Agreed {
    secret: Vec<u8>,
    hash: Vec<u8>,
}

impl Agreed {
    /// So many octets of the key with that letter.
    fn key(&self, letter: u8, length: usize) -> Vec<u8> {
        let hash = |rest: &[&[u8]]| {
            let mut context = Context::new(&SHA256);
            context.update(&self.secret);
            context.update(&self.hash);
            rest.iter().for_each(|part| context.update(part));
            context.finish().as_ref().to_vec()
        };
        // The first exchange's hash is the session's identifier.
        let mut key = hash(&[&[letter], &self.hash]);
        while key.len() < length {
            let more = hash(&[&key]);
            key.extend(more);
        }
        key.truncate(length);
        key
    }
}

async fn agree(
    talk: &mut Talk,
    theirs: &KexInit,
    wanted: Wanted<'_>,
    curve: &'static agreement::Algorithm,
) -> Result<Agreed, String> {
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(curve, &random)
        .map_err(|_| "no random numbers".to_owned())?;
    let public = private.compute_public_key().map_err(|_| "no public key".to_owned())?;
    let our_kexinit = theirs.answer(wanted);
    talk.say(&our_kexinit).await?;
    let (their_kexinit, _) = talk.kexinit().await?;
    let mut init = vec![INIT];
    put_string(&mut init, public.as_ref());
    talk.say(&init).await?;
    let reply = answer(talk, REPLY).await?;
    let mut reader = Reader(&reply[1..]);
    let cut = "its key exchange is cut short";
    let (host_key, share) = (reader.string().ok_or(cut)?, reader.string().ok_or(cut)?);
    let mut secret = Vec::new();
    agreement::agree_ephemeral(private, &UnparsedPublicKey::new(curve, share), |number| {
        put_mpint(&mut secret, number);
    })
    .map_err(|_| "its share of the key exchange is none".to_owned())?;
    // RFC 5656 §4: what both have said, hashed.
    let mut said = Vec::new();
    for part in [OURS.as_bytes(), &talk.banner, &our_kexinit, &their_kexinit, host_key] {
        put_string(&mut said, part);
    }
    put_string(&mut said, public.as_ref());
    put_string(&mut said, share);
    said.extend(&secret);
    let hash = ring::digest::digest(&SHA256, &said).as_ref().to_vec();
    answer(talk, SSH_MSG_NEWKEYS).await?;
    talk.say(&[SSH_MSG_NEWKEYS]).await?;
    Ok(Agreed { secret, hash })
}

/// The payload of the first packet that the server encrypts. `clear_length`: a code over what is encrypted leaves
/// the length as it is; it matters with AES-CTR only.
async fn first_packet(
    talk: &mut Talk,
    cipher: Cipher,
    clear_length: bool,
    keys: &Agreed,
) -> Result<Vec<u8>, String> {
    let wrong = |_| "its first encrypted packet cannot be read".to_owned();
    let mut length = talk.octets(4).await?;
    let packet = match cipher {
        Cipher::Gcm128 | Cipher::Gcm256 => {
            let algorithm = if cipher == Cipher::Gcm128 { &AES_128_GCM } else { &AES_256_GCM };
            let mut packet = talk.octets(bounded(&length)? + TAG).await?;
            let key = keys.key(b'D', algorithm.key_len());
            let key = LessSafeKey::new(UnboundKey::new(algorithm, &key).map_err(wrong)?);
            let nonce = keys.key(b'B', NONCE_LEN);
            let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(wrong)?;
            key.open_in_place(nonce, Aad::from(length), &mut packet).map_err(wrong)?.to_vec()
        }
        Cipher::Chacha => {
            let key = OpeningKey::new(&array::<KEY_LEN>(keys.key(b'D', KEY_LEN))?);
            let clear = key.decrypt_packet_length(FIRST, array(length.clone())?);
            let packet = talk.octets(bounded(&clear)?).await?;
            let tag = array::<TAG_LEN>(talk.octets(TAG_LEN).await?)?;
            let mut packet = [length, packet].concat();
            key.open_in_place(FIRST, &mut packet, &tag).map_err(wrong)?.to_vec()
        }
        Cipher::Ctr(size) => {
            let (key, counter) = (keys.key(b'D', size), keys.key(b'B', 16));
            let mut stream = counter_mode(&key, &counter)?;
            if !clear_length {
                stream(&mut length);
            }
            let mut packet = talk.octets(bounded(&length)?).await?;
            stream(&mut packet);
            packet
        }
    };
    Ok(unpadded(&packet)?.to_vec())
}

/// Turns octets into clear ones, one after another.
type Stream = Box<dyn FnMut(&mut [u8]) + Send>;

/// AES-CTR with a key of that length.
fn counter_mode(key: &[u8], counter: &[u8]) -> Result<Stream, String> {
    fn stream<C: KeyIvInit + StreamCipher + Send + 'static>(
        key: &[u8],
        counter: &[u8],
    ) -> Result<Stream, String> {
        let mut cipher = C::new_from_slices(key, counter).map_err(|error| error.to_string())?;
        Ok(Box::new(move |octets| cipher.apply_keystream(octets)))
    }
    match key.len() {
        16 => stream::<Ctr128BE<Aes128>>(key, counter),
        24 => stream::<Ctr128BE<Aes192>>(key, counter),
        _ => stream::<Ctr128BE<Aes256>>(key, counter),
    }
}

fn array<const N: usize>(octets: Vec<u8>) -> Result<[u8; N], String> {
    octets.try_into().map_err(|_| "a packet is cut short".to_owned())
}

/// The length of a packet, as it stands before it.
fn bounded(length: &[u8]) -> Result<usize, String> {
    match Reader(length).u32().map(|octets| octets as usize) {
        Some(octets @ 2..=LONGEST) => Ok(octets),
        octets => Err(format!("its first encrypted packet says that it has {octets:?} octets")),
    }
}

/// The names under server-sig-algs, if the message is one of extensions and has it.
fn signature_algorithms(payload: &[u8]) -> Option<Vec<String>> {
    let (&SSH_MSG_EXT_INFO, rest) = payload.split_first()? else { return None };
    let mut reader = Reader(rest);
    for _ in 0..reader.u32()? {
        if reader.string()? == b"server-sig-algs" {
            return reader.name_list();
        }
        reader.string()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::wire::put_u32;
    use super::*;

    #[test]
    fn the_extension_is_found_among_others() {
        let mut message = vec![SSH_MSG_EXT_INFO];
        put_u32(&mut message, 2);
        for text in ["no-flow-control", "p", "server-sig-algs", "ssh-ed25519,rsa-sha2-512"] {
            put_string(&mut message, text.as_bytes());
        }
        let names = signature_algorithms(&message);
        assert_eq!(names, Some(vec!["ssh-ed25519".to_owned(), "rsa-sha2-512".to_owned()]));
        for cut in 0..message.len() {
            assert_eq!(signature_algorithms(&message[..cut]), None);
        }
        assert_eq!(signature_algorithms(&[6, 0]), None);
    }
}
