//! Integers as rules write them.

/// The integer at the beginning of a text, as C's `atoi` reads it: white space, a sign, digits;
/// 0 where there is none. What is too large stays at the limit.
pub(crate) fn leading(text: &[u8]) -> i64 {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b'\x0b');
    let text = &text[start.unwrap_or(text.len())..];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    if negative { -value } else { value }
}

/// The decimal text of an integer.
pub(crate) fn text(value: i64) -> Vec<u8> {
    let mut text = Vec::new();
    write(value, &mut text);
    text
}

/// Appends the decimal text of an integer.
pub(crate) fn write(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_up_to_what_is_no_digit() {
        let cases = [
            ("", 0),
            ("12", 12),
            (" \t\x0b-7x", -7),
            ("+5", 5),
            ("5.9", 5),
            ("x5", 0),
            ("--5", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", -i64::MAX),
        ];
        for (text, wanted) in cases {
            assert_eq!(leading(text.as_bytes()), wanted, "{text:?}");
        }
        for value in [0, 9, 10, -12, i64::MAX, i64::MIN] {
            assert_eq!(text(value), value.to_string().into_bytes());
        }
    }
}
