//! The SSH keys that stand in a regex's text.

/// A blob shorter than this many base64 digits is no key: the shortest, Ed25519's, has 68.
const SHORTEST: usize = 40;

/// The base64 words of keys in a regex, without their padding, escapes taken off.
///
/// A word ends where the regex says anything but a base64 digit, so what stands here is a whole key or, before
/// a `.*`, the beginning of one.
pub(crate) fn key_words(regex: &str) -> Vec<Box<[u8]>> {
    let text = regex.as_bytes();
    let mut words = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text[from..], b"AAAA") {
        let start = from + found;
        let (word, end) = word_at(text, start);
        if word.len() >= SHORTEST && !middle_of_word(text, start) {
            words.push(word.into_boxed_slice());
        }
        from = end.max(start + 4);
    }
    words
}

/// The digits from `start` on, and where they end.
fn word_at(text: &[u8], start: usize) -> (Vec<u8>, usize) {
    let mut word = Vec::new();
    let mut at = start;
    loop {
        match &text[at..] {
            [b'\\', octet @ (b'+' | b'/'), ..] => {
                word.push(*octet);
                at += 2;
            }
            [octet, ..] if octet.is_ascii_alphanumeric() || *octet == b'/' => {
                word.push(*octet);
                at += 1;
            }
            _ => return (word, at),
        }
    }
}

fn middle_of_word(text: &[u8], start: usize) -> bool {
    match text[..start].last() {
        Some(b's' | b'S' | b't') if start >= 2 && text[start - 2] == b'\\' => false,
        Some(octet) => octet.is_ascii_alphanumeric() || matches!(octet, b'/' | b'+'),
        None => false,
    }
}
