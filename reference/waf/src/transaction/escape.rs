//! How names and values are written into logs and into the names of variables.

/// Appends `text` with everything that is no printable ASCII escaped: `\n`, `\r`, `\t`, `\v`,
/// `\b`, `\\`, else `\xHH`. A double quote stays: so ModSecurity writes the names of variables,
/// which rules see in MATCHED_VAR_NAME.
pub(crate) fn name(text: &[u8], out: &mut Vec<u8>) {
    escaped(text, |byte| byte == b'\\', out);
}

/// Appends `text` like [`name`], a double quote as `\"`: for what stands between quotes in a log.
pub(crate) fn quoted(text: &[u8], out: &mut Vec<u8>) {
    escaped(text, |byte| matches!(byte, b'\\' | b'"'), out);
}

/// Appends `text` with everything escaped that is no printable ASCII, or is `special`.
fn escaped(mut text: &[u8], special: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    let stays = |byte: &u8| matches!(byte, b' '..=b'~') && !special(*byte);
    // All of nearly every text does: to look at each byte whatever the others are takes less time.
    if text.iter().fold(true, |all, byte| all & stays(byte)) {
        return out.extend_from_slice(text);
    }
    while let Some(at) = text.iter().position(|byte| !stays(byte)) {
        out.extend_from_slice(&text[..at]);
        one(text[at], out);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

fn one(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        b'\x08' => b'b',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        b'\x0b' => b'v',
        b'\\' | b'"' => byte,
        _ => {
            out.extend_from_slice(b"\\x");
            out.push(HEX[usize::from(byte >> 4)]);
            return out.push(HEX[usize::from(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_is_escaped() {
        let (mut plain, mut between) = (Vec::new(), Vec::new());
        let text = b"a \"\\\n\r\t\x0b\x08\x00\x1f\x7f\xff~";
        name(text, &mut plain);
        quoted(text, &mut between);
        assert_eq!(plain, br#"a "\\\n\r\t\v\b\x00\x1f\x7f\xff~"#);
        assert_eq!(between, br#"a \"\\\n\r\t\v\b\x00\x1f\x7f\xff~"#);
    }
}
