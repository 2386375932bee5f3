//! compressWhitespace, removeWhitespace and the trims.

/// What C's `isspace` holds for white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The same, and the no-break space of Latin-1.
pub(super) fn is_space_or_nbsp(byte: u8) -> bool {
    is_space(byte) || byte == 0xa0
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let mut spaced = false;
    for byte in input {
        let space = is_space_or_nbsp(*byte);
        if !space {
            out.push(*byte);
        } else if !spaced {
            out.push(b' ');
        }
        spaced = space;
    }
}

pub(super) fn remove(input: &[u8], out: &mut Vec<u8>) {
    for part in input.split(|byte| is_space_or_nbsp(*byte)) {
        out.extend_from_slice(part);
    }
}

pub(super) fn trim_left(input: &[u8]) -> &[u8] {
    let start = input.iter().position(|byte| !is_space(*byte)).unwrap_or(input.len());
    &input[start..]
}

pub(super) fn trim_right(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &input[..end]
}
