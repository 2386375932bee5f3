//! The same text in another disguise, such as rules see through: an encoding, or what interpreters skip.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::random::Random;

/// The text in a disguise of its own.
pub(super) fn disguised(text: &[u8], random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => each(text, random, |octet| format!("%{octet:02x}").into_bytes()),
        1 => all(text, |octet| format!("%{octet:02X}").into_bytes()),
        2 => each(text, random, |octet| format!("%25{octet:02x}").into_bytes()),
        3 => each(text, random, |octet| format!("%u00{octet:02x}").into_bytes()),
        4 => each(text, random, |octet| format!("&#{octet};").into_bytes()),
        5 => each(text, random, |octet| format!("&#x{octet:x}").into_bytes()),
        6 => each(text, random, |octet| format!("\\x{octet:02x}").into_bytes()),
        7 => each(text, random, |octet| format!("\\u00{octet:02x}").into_bytes()),
        8 => STANDARD.encode(text).into_bytes(),
        9 => all(text, |octet| format!("{octet:02x}").into_bytes()),
        10 => each(text, random, |octet| vec![0xc0 | (octet >> 6), 0x80 | (octet & 0x3f)]),
        11 => each(text, random, |octet| vec![swap_case(octet)]),
        12 => spaces(text, random),
        13 => each(text, random, |octet| vec![b'\\', octet]),
        14 => each(text, random, |octet| vec![octet, 0]),
        _ => each(text, random, wide),
    }
}

fn all(text: &[u8], change: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    text.iter().flat_map(|octet| change(*octet)).collect()
}

/// Some of the octets changed: every one, every second or fewer.
fn each(text: &[u8], random: &mut Random, change: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    let often = [1, 2, 3, 8][random.below(4)];
    let one = |octet: &u8| if random.one_in(often) { change(*octet) } else { vec![*octet] };
    text.iter().flat_map(one).collect()
}

fn swap_case(octet: u8) -> u8 {
    if octet.is_ascii_alphabetic() { octet ^ 0x20 } else { octet }
}

/// What stands for a space where an interpreter is not strict.
fn spaces(text: &[u8], random: &mut Random) -> Vec<u8> {
    let other = *random.pick(&[
        &b"/**/"[..],
        b"\t",
        b"\n",
        b"\x0b",
        b"\x0c",
        b"\xa0",
        b"+",
        b"  ",
        b"/*x*/",
        b"#\n",
        b"",
    ]);
    let one = |octet: &u8| if *octet == b' ' { other.to_vec() } else { vec![*octet] };
    text.iter().flat_map(one).collect()
}

/// The full-width form, in UTF-8, of what is printable.
fn wide(octet: u8) -> Vec<u8> {
    match char::from_u32(u32::from(octet) + 0xfee0) {
        Some(wide) if (0x21..0x7f).contains(&octet) => wide.to_string().into_bytes(),
        _ => vec![octet],
    }
}
