//! Integers as rules write them.

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
    fn integers_are_written() {
        for value in [0, 9, 10, -12, i64::MAX, i64::MIN] {
            assert_eq!(text(value), value.to_string().into_bytes());
        }
    }
}
