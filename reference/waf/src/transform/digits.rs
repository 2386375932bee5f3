//! Digits in values, and what ModSecurity makes of them.

/// The value of a hexadecimal digit.
pub(super) fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hexadecimal digits at the start of `text` make.
pub(crate) fn hex_pair(text: &[u8]) -> Option<u8> {
    let [high, low, ..] = text else { return None };
    Some(hex_value(*high)? << 4 | hex_value(*low)?)
}

/// The number that four hexadecimal digits at the start of `text` make.
pub(crate) fn hex_quad(text: &[u8]) -> Option<u16> {
    let [high, low] = [hex_pair(text)?, hex_pair(&text[2..])?];
    Some(u16::from_be_bytes([high, low]))
}

/// A code point cut to a byte: the low byte, except that full-width ASCII (FF01 to FF5E) becomes plain ASCII.
pub(super) fn narrow(code: u16) -> u8 {
    match code.to_be_bytes() {
        [0xff, low @ 0x01..=0x5e] => low + 0x20,
        [_, low] => low,
    }
}

/// The number of octal digits at the start of `text`, three at most, and the number they make.
pub(super) fn octal(text: &[u8]) -> (usize, u16) {
    let digits = text.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7'));
    digits.fold((0, 0), |(len, number), digit| (len + 1, number << 3 | u16::from(digit - b'0')))
}

/// What C's escapes of one letter stand for: `\a`, `\b`, `\f`, `\n`, `\r`, `\t`, `\v`.
pub(super) fn c_escape(letter: u8) -> Option<u8> {
    match letter {
        b'a' => Some(0x07),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(0x0b),
        _ => None,
    }
}
