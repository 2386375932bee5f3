//! What escapes behind a backslash have in common.

/// Decodes what stands behind each backslash: `escape` gets the letter there and the text from it on, and gives the
/// byte that it stands for and how long it is. A backslash at the end stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>, escape: impl Fn(u8, &[u8]) -> (u8, usize)) {
    let mut rest = input;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let Some(letter) = rest.first() else { return out.push(b'\\') };
        let (byte, len) = escape(*letter, rest);
        out.push(byte);
        rest = &rest[len..];
    }
    out.extend_from_slice(rest);
}
