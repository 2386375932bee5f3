//! The SSH keys that stand in a regex's text.

/// A blob shorter than this many base64 digits is no key: the shortest, Ed25519's, has 68.
const SHORTEST: usize = 40;

/// The base64 words of keys that stand in a regex, without their padding and without the regex's backslashes.
///
/// A word ends where the regex says anything but a base64 digit, so what stands here is a whole key or, before
/// a `.*`, the beginning of one.
pub(crate) fn key_words(regex: &str) -> Vec<Vec<u8>> {
    let text = regex.as_bytes();
    let mut words = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text[from..], b"AAAA") {
        let start = from + found;
        let (length, end) = word_at(text, start);
        if length >= SHORTEST && !middle_of_word(text, start) {
            words.push(digits(&text[start..end], length));
        }
        from = end.max(start + 4);
    }
    words
}

/// The digits of such a word, escapes taken off.
fn digits(word: &[u8], length: usize) -> Vec<u8> {
    let mut digits = Vec::with_capacity(length);
    let mut rest = word;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        digits.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
    }
    digits.extend_from_slice(rest);
    digits
}

/// How many digits there are from `start` on, and where they end.
fn word_at(text: &[u8], start: usize) -> (usize, usize) {
    let (mut length, mut at) = (0, start);
    loop {
        let plain = text[at..].iter().take_while(|octet| DIGITS[usize::from(**octet)]).count();
        length += plain;
        at += plain;
        match &text[at..] {
            [b'\\', b'+' | b'/', ..] => {
                length += 1;
                at += 2;
            }
            _ => return (length, at),
        }
    }
}

/// Base64 digits that stand for themselves in a regex.
const DIGITS: [bool; 256] = {
    let mut digits = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        digits[octet] = matches!(octet as u8, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'/');
        octet += 1;
    }
    digits
};

fn middle_of_word(text: &[u8], start: usize) -> bool {
    match text[..start].last() {
        Some(b's' | b'S' | b't') if start >= 2 && text[start - 2] == b'\\' => false,
        Some(octet) => octet.is_ascii_alphanumeric() || matches!(octet, b'/' | b'+'),
        None => false,
    }
}
