//! Operators that compare numbers.

use std::cmp::Ordering;

/// How the value's number and the argument's must relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    pub(super) fn holds(self, value: i64, argument: i64) -> bool {
        let order = value.cmp(&argument);
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
        }
    }
}

/// The number that a text starts with, as C's `atoi` reads it: white space, a sign, decimal digits; 0 where there
/// are none. Numbers beyond 64 bits become the greatest or least. (ModSecurity cuts them to 32 bits, so that
/// 4294967296 is 0 there.)
#[inline]
pub(crate) fn leading_number(text: &[u8]) -> i64 {
    // Most are a digit.
    match text {
        [digit @ b'0'..=b'9'] => i64::from(digit - b'0'),
        _ => any_leading_number(text),
    }
}

#[inline(never)]
fn any_leading_number(text: &[u8]) -> i64 {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let (negative, digits) = match &text[start..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    digits.iter().take_while(|digit| digit.is_ascii_digit()).fold(0i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        let number = number.saturating_mul(10);
        if negative { number.saturating_sub(digit) } else { number.saturating_add(digit) }
    })
}

#[cfg(test)]
mod tests {
    use super::Comparison::*;
    use super::leading_number;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, number) in [
            ("", 0),
            ("xxx", 0),
            ("12", 12),
            (" \t\r\n\x0b\x0c12 13", 12),
            ("12abc", 12),
            ("1.9", 1),
            ("7", 7),
            ("-5", -5),
            ("+5", 5),
            ("--5", 0),
            ("- 5", 0),
            ("007", 7),
            ("0x10", 0),
            ("4294967296", 4_294_967_296),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
            ("12\0", 12),
        ] {
            assert_eq!(leading_number(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn comparisons() {
        let all = [Equal, Greater, GreaterOrEqual, Less, LessOrEqual];
        let held = |value, argument| all.map(|one| one.holds(value, argument));
        assert_eq!(held(5, 5), [true, false, true, false, true]);
        assert_eq!(held(6, 5), [false, true, true, false, false]);
        assert_eq!(held(-6, 5), [false, false, false, true, true]);
    }
}
