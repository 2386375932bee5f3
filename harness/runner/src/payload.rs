//! Octets of the wire as events carry them: bounded, masked, base64 where they are not text.

use base64::Engine as _;

use crate::event::{Payload, PayloadEncoding};

/// Field lines whose values are secrets.
const SECRET: [&[u8]; 4] = [b"authorization", b"cookie", b"set-cookie", b"proxy-authorization"];

/// How much is carried, and whether secrets are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carry {
    pub(crate) most_octets: usize,
    pub(crate) secrets: bool,
}

impl Carry {
    /// `bytes` is the beginning of a message of `size` octets.
    pub(crate) fn payload(self, bytes: &[u8], size: u64) -> Payload {
        let kept = cut(bytes, self.most_octets);
        let masked = if self.secrets { kept.to_vec() } else { mask(kept) };
        let truncated_from = (size > kept.len() as u64).then_some(size);
        match String::from_utf8(masked) {
            Ok(data) if data.chars().all(is_plain) => {
                Payload { encoding: PayloadEncoding::Text, data, truncated_from }
            }
            other => {
                let bytes =
                    other.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                let data = base64::engine::general_purpose::STANDARD.encode(bytes);
                Payload { encoding: PayloadEncoding::Base64, data, truncated_from }
            }
        }
    }
}

/// At most so many octets, and no character cut in two: that alone must not make text base64.
fn cut(bytes: &[u8], most: usize) -> &[u8] {
    let kept = &bytes[..bytes.len().min(most)];
    match std::str::from_utf8(kept) {
        Err(error) if error.error_len().is_none() && kept.len() < bytes.len() => {
            &kept[..error.valid_up_to()]
        }
        _ => kept,
    }
}

fn is_plain(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\t') || !c.is_control()
}

/// Is that the name of a field whose value is a secret?
pub(crate) fn is_secret(name: &[u8]) -> bool {
    SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Replaces the values of secret field lines by `***`, keeping an authentication scheme's name.
/// Continuation lines of such a field go too.
pub(crate) fn mask(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut hiding = false;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let folded = hiding && line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        let colon = line.iter().position(|b| *b == b':');
        hiding = folded || colon.is_some_and(|at| is_secret(line[..at].trim_ascii()));
        match colon {
            _ if !hiding => out.extend_from_slice(line),
            Some(at) if !folded => {
                out.extend_from_slice(&line[..=at]);
                out.extend_from_slice(&masked_value(&line[at + 1..]));
            }
            _ => out.extend_from_slice(&masked_value(line)),
        }
    }
    out
}

fn masked_value(value: &[u8]) -> Vec<u8> {
    let end = value.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
    let scheme = [&b"Basic"[..], b"Bearer", b"Digest"].into_iter().find(|scheme| {
        value.trim_ascii_start().to_ascii_lowercase().starts_with(&scheme.to_ascii_lowercase())
    });
    let shown = match scheme {
        Some(scheme) => [b" ", scheme, b" ***"].concat(),
        None => b" ***".to_vec(),
    };
    [&shown[..], &value[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(bytes: &[u8]) -> Payload {
        Carry { most_octets: 100, secrets: false }.payload(bytes, bytes.len() as u64)
    }

    #[test]
    fn secrets_are_masked_and_their_lines_stay() {
        let head = b"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nCookie: a=b\r\n c=d\r\nX: cookie: y\r\n\r\n";
        assert_eq!(
            carried(head).data,
            "GET / HTTP/1.1\r\nAuthorization: Basic ***\r\nCookie: ***\r\n ***\r\nX: cookie: y\r\n\r\n"
        );
        let open = Carry { most_octets: 100, secrets: true };
        assert!(open.payload(head, 9).data.contains("YTpi"));
    }

    #[test]
    fn what_is_no_text_is_base64_and_what_is_long_is_cut() {
        assert_eq!(carried(b"\x00\xff").data, "AP8=");
        assert_eq!(carried("é\t".as_bytes()).encoding, PayloadEncoding::Text);
        let long = carried(&[b'a'; 300]);
        assert_eq!((long.data.len(), long.truncated_from), (100, Some(300)));
        let text = carried(format!("a{}", "é".repeat(100)).as_bytes());
        assert_eq!((text.encoding, text.data.len()), (PayloadEncoding::Text, 99));
    }
}
