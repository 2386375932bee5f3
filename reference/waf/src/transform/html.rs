//! htmlEntityDecode.

use super::digits::hex_value;

/// Decodes numeric entities, of which the low byte counts, and quot, amp, lt, gt and nbsp (A0) in any case. The
/// semicolon may be missing; a name ends at the first byte that is no letter or digit.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(ampersand) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..ampersand]);
        rest = &rest[ampersand..];
        let (decoded, len) = match &rest[1..] {
            [b'#', b'x' | b'X', digits @ ..] => number(digits, 16, 3),
            [b'#', digits @ ..] => number(digits, 10, 2),
            name => named(name),
        };
        match decoded {
            Some(byte) => {
                out.push(byte);
                rest = &rest[len..];
                rest = rest.strip_prefix(b";").unwrap_or(rest);
            }
            None => {
                out.extend_from_slice(&rest[..len]);
                rest = &rest[len..];
            }
        }
    }
    out.extend_from_slice(rest);
}

/// The byte that the digits stand for, if there are any, and how much of the value is dealt with: `before` and the
/// digits.
fn number(digits: &[u8], base: i64, before: usize) -> (Option<u8>, usize) {
    let values = digits
        .iter()
        .map_while(|digit| hex_value(*digit).map(i64::from).filter(|value| *value < base));
    // Too large a number becomes the largest, as with C's strtol, and so FF.
    let (count, number) = values.fold((0, 0i64), |(count, number), value| {
        (count + 1, number.saturating_mul(base).saturating_add(value))
    });
    ((count > 0).then_some(number as u8), before + count)
}

fn named(name: &[u8]) -> (Option<u8>, usize) {
    let len = name.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let known =
        [(&b"quot"[..], b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)];
    let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name[..len]));
    (found.map(|(_, byte)| *byte), 1 + len)
}
