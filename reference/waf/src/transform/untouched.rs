//! The quick look: says of most values, without copying them, that a transformation leaves them as they are.

use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem};

use super::Transformation;
use super::url;
use super::whitespace::{is_space, is_space_or_nbsp};

/// Whether the transformation surely leaves the value as it is. `false` says nothing.
pub(super) fn is_untouched(transformation: Transformation, input: &[u8]) -> bool {
    use Transformation as T;
    match transformation {
        T::Md5 | T::Sha1 | T::Length | T::ParityEven7Bit | T::ParityOdd7Bit => false,
        T::Base64Decode | T::Base64DecodeExt | T::Base64Encode | T::HexDecode | T::HexEncode => {
            input.is_empty()
        }
        T::CmdLine => input.iter().all(|byte| PLAIN_IN_SHELL[usize::from(*byte)]),
        T::CompressWhitespace => is_compressed(input),
        T::CssDecode | T::EscapeSeqDecode | T::JsDecode => memchr(b'\\', input).is_none(),
        T::HtmlEntityDecode => memchr(b'&', input).is_none(),
        T::Lowercase => none(input, |byte| byte.is_ascii_uppercase()),
        T::Uppercase => none(input, |byte| byte.is_ascii_lowercase()),
        T::NormalizePath => is_normal_path(input),
        T::NormalizePathWin => memchr(b'\\', input).is_none() && is_normal_path(input),
        T::ParityZero7Bit => input.is_ascii(),
        T::RemoveComments | T::RemoveCommentsChar => memchr3(b'/', b'-', b'#', input).is_none(),
        T::ReplaceComments => memmem::find(input, b"/*").is_none(),
        T::RemoveNulls | T::ReplaceNulls => memchr(0, input).is_none(),
        T::RemoveWhitespace => none(input, is_space_or_nbsp),
        T::SqlHexDecode => memchr2(b'x', b'X', input).is_none(),
        T::Trim => !starts_with_space(input) && !ends_with_space(input),
        T::TrimLeft => !starts_with_space(input),
        T::TrimRight => !ends_with_space(input),
        T::UrlDecode | T::UrlDecodeUni => memchr2(b'%', b'+', input).is_none(),
        T::UrlEncode => none(input, |byte| !url::is_kept(byte)),
        T::Utf8ToUnicode => input.is_ascii() && memchr(0, input).is_none(),
    }
}

/// The bytes that cmdLine leaves alone wherever they stand.
const PLAIN_IN_SHELL: [bool; 256] = {
    let mut plain = [true; 256];
    let special = b"\"'\\^ ,;\t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut at = 0;
    while at < special.len() {
        plain[special[at] as usize] = false;
        at += 1;
    }
    plain
};

/// Whether no byte is one of those. Whole chunks are looked at without leaving early, which the compiler turns
/// into vector instructions.
fn none(input: &[u8], is: impl Fn(u8) -> bool) -> bool {
    input.chunks(32).all(|chunk| !chunk.iter().fold(false, |any, byte| any | is(*byte)))
}

fn is_compressed(input: &[u8]) -> bool {
    let mut spaced = false;
    input.iter().all(|byte| {
        let space = is_space_or_nbsp(*byte);
        let fine = !space || *byte == b' ' && !spaced;
        spaced = space;
        fine
    })
}

/// Whether no part is empty, is `.` or `..`, or ends in two dots.
fn is_normal_path(input: &[u8]) -> bool {
    let is_resolved = |dot: usize| {
        let ends_part = matches!(input.get(dot + 1), None | Some(b'/'));
        let before = dot.checked_sub(1).map(|at| input[at]);
        ends_part && matches!(before, None | Some(b'.' | b'/'))
    };
    memmem::find(input, b"//").is_none() && !memchr_iter(b'.', input).any(is_resolved)
}

fn starts_with_space(input: &[u8]) -> bool {
    input.first().is_some_and(|byte| is_space(*byte))
}

fn ends_with_space(input: &[u8]) -> bool {
    input.last().is_some_and(|byte| is_space(*byte))
}
