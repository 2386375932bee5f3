//! A signed action: what travels from an asker to the agents.
//!
//! ```text
//! edgeproof-action 1 ed25519:KEY SIGNATURE␊     who signed, over the next line
//! {"nonce":…,"issued":…,"body":{"blake3":…},…}␊  the order
//! {"name":…,"operations":[…]}                   the action's text, unless it is kept in the object store
//! ```
//!
//! The signature covers the order's octets as they are sent; the order holds the digest of the text. So the text
//! can travel beside the message, and nothing is parsed before its signature is known to be good.
//!
//! An action's id is the digest of who signed and what. So nobody, not even somebody with another key, can make another
//! action of the same id, whose answers would pass for those of this one; and the same action, however it is written, is
//! the same.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::Signature;
use edgeproof_agent::Module;
use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::key::{PublicKey, SecretKey};
use crate::time::Moment;

const MAGIC: &str = "edgeproof-action 1 ";
/// Keeps a signature over an action from being one over anything else.
const DOMAIN: &[u8] = b"edgeproof action 1\n";

/// What an action asks of whom, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Random, so that no two actions are alike. A text that is stored has this name.
    pub nonce: Id,
    /// Its name, for people.
    pub name: String,
    /// Whom it is for; each agent judges by its own facts.
    pub target: String,
    /// The modules that it uses.
    pub modules: Vec<String>,
    /// When it was signed.
    pub issued: Moment,
    /// When it ends.
    pub expires: Moment,
    /// Its text.
    pub body: Body,
}

/// The action's text: what it must be, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its BLAKE3 in hexadecimal digits.
    pub blake3: String,
    /// Octets.
    pub size: u64,
    /// It lies in the object store, under the order's nonce.
    pub stored: bool,
}

impl Body {
    /// What a text must be.
    pub fn of(text: &[u8], stored: bool) -> Self {
        let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
        Self { blake3: blake3::hash(text).to_hex().to_string(), size, stored }
    }

    /// Whether this is the text.
    pub fn is(&self, text: &[u8]) -> bool {
        u64::try_from(text.len()) == Ok(self.size)
            && blake3::hash(text).to_hex().as_str() == self.blake3
    }
}

impl Order {
    /// How long it is good for.
    pub fn lasts(&self) -> Duration {
        self.expires.since(self.issued)
    }

    /// The action's id, once this key has signed it.
    pub fn id(&self, key: &PublicKey) -> Id {
        id(key, self.header().as_bytes())
    }

    fn header(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The modules, as far as this program has them.
    ///
    /// # Errors
    /// The name of one that it does not have.
    pub fn known_modules(&self) -> Result<Vec<Module>, String> {
        self.modules.iter().map(|name| name.parse().map_err(|()| name.clone())).collect()
    }
}

/// A message that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Another kind of message, or one of another version.
    #[error("it does not begin with `{MAGIC}`")]
    Magic,
    /// The first line is not whole.
    #[error("its first line has no key and signature")]
    Signature,
    /// The second line has no end.
    #[error("its order has no end")]
    Order,
}

/// Why a sealed action tells no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOrder {
    /// The signature is not the key's.
    #[error("the signature is not that of the key it names")]
    Forged,
    /// It is genuine, and not of the form: of a newer program, perhaps.
    #[error("its order cannot be read: {0}")]
    Unreadable(String),
    /// It is genuine, and what came along is something else.
    #[error("the action's text is not the one that was signed")]
    OtherText,
}

/// Signs an order. The text goes along where the order says that it is not stored.
pub fn seal(order: &Order, text: &[u8], key: &SecretKey) -> Vec<u8> {
    let header = order.header();
    let signature = key.sign(&signed(header.as_bytes()));
    let signature = BASE64.encode(signature.to_bytes());
    let mut message = format!("{MAGIC}{} {signature}\n{header}\n", key.public()).into_bytes();
    if !order.body.stored {
        message.extend_from_slice(text);
    }
    message
}

fn id(key: &PublicKey, header: &[u8]) -> Id {
    Id::of(&[key.to_string().as_bytes(), b"\n", header].concat())
}

fn signed(header: &[u8]) -> Vec<u8> {
    [DOMAIN, header].concat()
}

/// A message that has the form of a signed action. Nothing of it is known to be true yet.
#[derive(Debug)]
pub struct Sealed<'m> {
    id: Id,
    key: PublicKey,
    signature: Signature,
    header: &'m [u8],
    text: &'m [u8],
}

impl<'m> Sealed<'m> {
    /// Takes a message apart.
    ///
    /// # Errors
    /// It is no signed action.
    pub fn read(message: &'m [u8]) -> Result<Self, Malformed> {
        let rest = message.strip_prefix(MAGIC.as_bytes()).ok_or(Malformed::Magic)?;
        let (first, rest) = line(rest).ok_or(Malformed::Signature)?;
        let (key, signature) = std::str::from_utf8(first)
            .ok()
            .and_then(|first| first.split_once(' '))
            .ok_or(Malformed::Signature)?;
        let key = key.parse().map_err(|_| Malformed::Signature)?;
        let signature = BASE64.decode(signature).map_err(|_| Malformed::Signature)?;
        let signature = Signature::from_slice(&signature).map_err(|_| Malformed::Signature)?;
        let (header, text) = line(rest).ok_or(Malformed::Order)?;
        Ok(Self { id: id(&key, header), key, signature, header, text })
    }

    /// The action's id: an agent takes it once. Not known to be anybody's before [`Sealed::order`] has answered.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Who says to have signed it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What it asks, where the key has signed that, and the text that came along.
    ///
    /// # Errors
    /// It has not, or it is no order.
    pub fn order(&self) -> Result<Order, NoOrder> {
        if !self.key.verifies(&signed(self.header), &self.signature) {
            return Err(NoOrder::Forged);
        }
        let order: Order = serde_json::from_slice(self.header)
            .map_err(|error| NoOrder::Unreadable(error.to_string()))?;
        let is_its_text = match order.body.stored {
            true => self.text.is_empty(),
            false => order.body.is(self.text),
        };
        if is_its_text { Ok(order) } else { Err(NoOrder::OtherText) }
    }

    /// The action's text, where it came along. Not known to be the one that was signed before [`Sealed::order`] has
    /// answered.
    pub fn text(&self) -> &'m [u8] {
        self.text
    }
}

fn line(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = octets.iter().position(|octet| *octet == b'\n')?;
    Some((&octets[..end], &octets[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn order(text: &[u8]) -> Order {
        Order {
            nonce: "000102030405060708090a0b0c0d0e0f".parse().expect("an id"),
            name: "unknown keys".to_owned(),
            target: "all".to_owned(),
            modules: vec!["file".to_owned()],
            issued: Moment(1_000_000),
            expires: Moment(1_050_000),
            body: Body::of(text, false),
        }
    }

    #[test]
    fn what_is_sealed_is_read() {
        let key = SecretKey::new().expect("a key");
        let text = b"{\"operations\": []}";
        let message = seal(&order(text), text, &key);
        let sealed = Sealed::read(&message).expect("an action");
        let read = sealed.order().expect("it is genuine");
        assert_eq!(
            (sealed.key(), &read, sealed.text(), sealed.id()),
            (&key.public(), &order(text), &text[..], order(text).id(&key.public()))
        );
        assert!(read.body.is(text) && !read.body.is(b"other"));
        let stored = Order { body: Body::of(text, true), ..order(text) };
        let message = seal(&stored, text, &key);
        assert_eq!(Sealed::read(&message).expect("an action").order(), Ok(stored));
        // Nothing comes along that was not signed.
        let more = [&message[..], b"x"].concat();
        let sealed = Sealed::read(&more).expect("an action");
        assert_eq!(sealed.order(), Err(NoOrder::OtherText));
    }

    #[test]
    fn an_action_has_one_id_and_no_other_has_it() {
        let (alice, eve) = (SecretKey::new().expect("a key"), SecretKey::new().expect("a key"));
        let id = |message: &[u8]| Sealed::read(message).expect("an action").id();
        let message = seal(&order(b""), b"", &alice);
        let written = String::from_utf8(message.clone()).expect("text");
        let otherwise = written.replacen(" 1 ed25519", " 1 \ted25519", 1);
        assert_eq!(id(otherwise.as_bytes()), id(&message));
        // The same order of somebody else is another action.
        assert_ne!(id(&seal(&order(b""), b"", &eve)), id(&message));
    }

    #[test]
    fn another_key_in_its_place_is_seen() {
        let (alice, eve) = (SecretKey::new().expect("a key"), SecretKey::new().expect("a key"));
        let message = String::from_utf8(seal(&order(b""), b"", &eve)).expect("text");
        let message = message.replace(&eve.public().to_string(), &alice.public().to_string());
        let sealed = Sealed::read(message.as_bytes()).expect("an action");
        assert_eq!(sealed.order(), Err(NoOrder::Forged));
    }

    #[test]
    fn what_is_signed_and_no_order_is_told() {
        let key = SecretKey::new().expect("a key");
        let header = b"{\"v\":2}";
        let signature = BASE64.encode(key.sign(&signed(header)).to_bytes());
        let message = format!("{MAGIC}{} {signature}\n{{\"v\":2}}\n", key.public());
        let sealed = Sealed::read(message.as_bytes()).expect("an action");
        assert!(matches!(sealed.order(), Err(NoOrder::Unreadable(_))));
    }

    #[test]
    fn what_is_no_action_is_told() {
        let read = |text: &str| Sealed::read(text.as_bytes()).expect_err(text);
        assert_eq!(read(""), Malformed::Magic);
        assert_eq!(read("edgeproof-action 2 x y\n{}\n"), Malformed::Magic);
        assert_eq!(read("edgeproof-action 1 ed25519:x y\n{}\n"), Malformed::Signature);
        let key = SecretKey::new().expect("a key");
        let message = seal(&order(b""), b"", &key);
        let cut = message.strip_suffix(b"\n").expect("its last line is empty");
        assert_eq!(Sealed::read(cut).expect_err("cut off"), Malformed::Order);
    }

    proptest! {
        /// No changed octet passes: of the first two lines by the signature, of the text by its digest.
        #[test]
        fn every_octet_counts(at in 0usize..1000, turn in 1u8..=255) {
            let key = SecretKey::new().expect("a key");
            let text = b"{\"operations\": [1, 2, 3]}";
            let mut message = seal(&order(text), text, &key);
            let at = at % message.len();
            message[at] ^= turn;
            if let Ok(sealed) = Sealed::read(&message) {
                prop_assert!(sealed.order().is_err(), "octet {}", at);
            }
        }
    }
}
