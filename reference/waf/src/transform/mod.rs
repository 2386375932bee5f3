//! Transformations: what a rule does to a value before it looks at it (`t:` in SecLang).
//!
//! Behaviour is that of ModSecurity 2.9.7, odd corners included, with one exception: where that works on C strings
//! and so forgets what stands behind a NUL byte (cmdLine, sqlHexDecode), the whole value is transformed here, as a
//! NUL byte must not hide an attack. ModSecurity 3 does the same for cmdLine.
//!
//! Each is a pure function from bytes to bytes, and most values are left as they are by most transformations. So
//! each has a quick look first (`untouched`) that can say so without copying anything.

mod backslash;
mod base64;
mod comments;
mod css;
pub(crate) mod digits;
mod escape_sequences;
mod hex;
mod html;
mod javascript;
mod parity;
mod path;
mod shell;
mod triggers;
mod unicode_map;
mod untouched;
mod url;
mod utf8;
mod whitespace;

use ::md5::Md5;
use ::sha1::Sha1;
use sha1::Digest;

pub(crate) use self::triggers::Transformations;
pub use self::unicode_map::{UnicodeMap, UnicodeMapError};
use self::untouched::is_untouched;

/// A transformation. `t:none` is not one: it empties the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transformation {
    /// Decodes Base64 up to the first byte that is not of its alphabet.
    Base64Decode,
    /// Decodes Base64 and skips what is not of its alphabet.
    Base64DecodeExt,
    /// Encodes in Base64.
    Base64Encode,
    /// Undoes how shells let a command be spelled: quotes, carets, backslashes, case, white space.
    CmdLine,
    /// Makes each run of white space one space.
    CompressWhitespace,
    /// Decodes CSS 2 escapes.
    CssDecode,
    /// Decodes ANSI C escapes.
    EscapeSeqDecode,
    /// Decodes pairs of hexadecimal digits.
    HexDecode,
    /// Writes each byte as two hexadecimal digits.
    HexEncode,
    /// Decodes HTML entities: numeric ones, quot, amp, lt, gt and nbsp.
    HtmlEntityDecode,
    /// Decodes JavaScript escapes.
    JsDecode,
    /// The length in bytes, in decimal digits.
    Length,
    /// ASCII letters in lower case.
    Lowercase,
    /// ASCII letters in upper case.
    Uppercase,
    /// The MD5 digest, 16 raw bytes.
    Md5,
    /// Resolves `.`, `..` and repeated slashes.
    NormalizePath,
    /// The same, with backslashes as slashes.
    NormalizePathWin,
    /// Sets the eighth bit of each byte for even parity.
    ParityEven7Bit,
    /// Sets the eighth bit of each byte for odd parity.
    ParityOdd7Bit,
    /// Clears the eighth bit of each byte.
    ParityZero7Bit,
    /// Removes comments: `/* */`, `<!-- -->`, and all behind `--` or `#`.
    RemoveComments,
    /// Removes the signs that start or end comments.
    RemoveCommentsChar,
    /// Removes NUL bytes.
    RemoveNulls,
    /// Removes white space.
    RemoveWhitespace,
    /// Makes each `/* */` comment one space.
    ReplaceComments,
    /// Makes NUL bytes spaces.
    ReplaceNulls,
    /// The SHA-1 digest, 20 raw bytes.
    Sha1,
    /// Decodes SQL's `0x…`.
    SqlHexDecode,
    /// Removes white space at both ends.
    Trim,
    /// Removes white space at the start.
    TrimLeft,
    /// Removes white space at the end.
    TrimRight,
    /// Decodes `%HH` and `+`.
    UrlDecode,
    /// Decodes `%HH`, `%uHHHH` and `+`.
    UrlDecodeUni,
    /// Encodes for a URL.
    UrlEncode,
    /// Writes characters beyond ASCII as `%uHHHH`.
    Utf8ToUnicode,
}

/// Every transformation by its name. Where one has two names the first is the one it is called by.
const NAMES: &[(&str, Transformation)] = &[
    ("base64Decode", Transformation::Base64Decode),
    ("base64DecodeExt", Transformation::Base64DecodeExt),
    ("base64Encode", Transformation::Base64Encode),
    ("cmdLine", Transformation::CmdLine),
    ("compressWhitespace", Transformation::CompressWhitespace),
    ("cssDecode", Transformation::CssDecode),
    ("escapeSeqDecode", Transformation::EscapeSeqDecode),
    ("hexDecode", Transformation::HexDecode),
    ("hexEncode", Transformation::HexEncode),
    ("htmlEntityDecode", Transformation::HtmlEntityDecode),
    ("jsDecode", Transformation::JsDecode),
    ("length", Transformation::Length),
    ("lowercase", Transformation::Lowercase),
    ("uppercase", Transformation::Uppercase),
    ("md5", Transformation::Md5),
    ("normalizePath", Transformation::NormalizePath),
    ("normalisePath", Transformation::NormalizePath),
    ("normalizePathWin", Transformation::NormalizePathWin),
    ("normalisePathWin", Transformation::NormalizePathWin),
    ("parityEven7bit", Transformation::ParityEven7Bit),
    ("parityOdd7bit", Transformation::ParityOdd7Bit),
    ("parityZero7bit", Transformation::ParityZero7Bit),
    ("removeComments", Transformation::RemoveComments),
    ("removeCommentsChar", Transformation::RemoveCommentsChar),
    ("removeNulls", Transformation::RemoveNulls),
    ("removeWhitespace", Transformation::RemoveWhitespace),
    ("replaceComments", Transformation::ReplaceComments),
    ("replaceNulls", Transformation::ReplaceNulls),
    ("sha1", Transformation::Sha1),
    ("sqlHexDecode", Transformation::SqlHexDecode),
    ("trim", Transformation::Trim),
    ("trimLeft", Transformation::TrimLeft),
    ("trimRight", Transformation::TrimRight),
    ("urlDecode", Transformation::UrlDecode),
    ("urlDecodeUni", Transformation::UrlDecodeUni),
    ("urlEncode", Transformation::UrlEncode),
    ("utf8toUnicode", Transformation::Utf8ToUnicode),
];

impl Transformation {
    /// How long a value of `len` bytes can be afterwards.
    pub(crate) fn most(self, len: usize) -> usize {
        match self {
            Self::Base64Decode | Self::Base64DecodeExt => len - len.div_ceil(4),
            Self::Base64Encode
            | Self::HexEncode
            | Self::Length
            | Self::Md5
            | Self::Sha1
            | Self::UrlEncode
            | Self::Utf8ToUnicode => usize::MAX,
            _ => len,
        }
    }
}

impl Transformation {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::Base64Decode,
        Self::Base64DecodeExt,
        Self::Base64Encode,
        Self::CmdLine,
        Self::CompressWhitespace,
        Self::CssDecode,
        Self::EscapeSeqDecode,
        Self::HexDecode,
        Self::HexEncode,
        Self::HtmlEntityDecode,
        Self::JsDecode,
        Self::Length,
        Self::Lowercase,
        Self::Uppercase,
        Self::Md5,
        Self::NormalizePath,
        Self::NormalizePathWin,
        Self::ParityEven7Bit,
        Self::ParityOdd7Bit,
        Self::ParityZero7Bit,
        Self::RemoveComments,
        Self::RemoveCommentsChar,
        Self::RemoveNulls,
        Self::RemoveWhitespace,
        Self::ReplaceComments,
        Self::ReplaceNulls,
        Self::Sha1,
        Self::SqlHexDecode,
        Self::Trim,
        Self::TrimLeft,
        Self::TrimRight,
        Self::UrlDecode,
        Self::UrlDecodeUni,
        Self::UrlEncode,
        Self::Utf8ToUnicode,
    ];

    /// The transformation of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, transformation)| *transformation)
    }

    /// The name as the reference manual writes it.
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, known)| *known == self);
        found.map_or("", |(name, _)| *name)
    }

    /// All names there are, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Writes the transformed value to `out`, which is cleared first, and says whether it differs from `input`.
    /// Where it does not, what `out` holds is of no meaning.
    #[must_use]
    pub fn apply(self, input: &[u8], out: &mut Vec<u8>, unicode: &UnicodeMap) -> bool {
        if is_untouched(self, input) {
            return false;
        }
        self.rewrite(input, out, unicode);
        out.as_slice() != input
    }

    /// Writes the transformed value to `out`, also where it is the same.
    fn rewrite(self, input: &[u8], out: &mut Vec<u8>, unicode: &UnicodeMap) {
        out.clear();
        match self {
            Self::Base64Decode => base64::decode(input, out),
            Self::Base64DecodeExt => base64::decode_forgiving(input, out),
            Self::Base64Encode => base64::encode(input, out),
            Self::CmdLine => shell::undo_spelling(input, out),
            Self::CompressWhitespace => whitespace::compress(input, out),
            Self::CssDecode => css::decode(input, out),
            Self::EscapeSeqDecode => escape_sequences::decode(input, out),
            Self::HexDecode => hex::decode(input, out),
            Self::HexEncode => hex::encode(input, out),
            Self::HtmlEntityDecode => html::decode(input, out),
            Self::JsDecode => javascript::decode(input, out),
            Self::Length => out.extend_from_slice(input.len().to_string().as_bytes()),
            Self::Lowercase => out.extend(input.iter().map(u8::to_ascii_lowercase)),
            Self::Uppercase => out.extend(input.iter().map(u8::to_ascii_uppercase)),
            Self::Md5 => out.extend_from_slice(&Md5::digest(input)),
            Self::NormalizePath => path::normalize(input, path::Separator::Slash, out),
            Self::NormalizePathWin => path::normalize(input, path::Separator::Either, out),
            Self::ParityEven7Bit => out.extend(input.iter().map(|byte| parity::even(*byte))),
            Self::ParityOdd7Bit => out.extend(input.iter().map(|byte| parity::odd(*byte))),
            Self::ParityZero7Bit => out.extend(input.iter().map(|byte| byte & 0x7f)),
            Self::RemoveComments => comments::remove(input, out),
            Self::RemoveCommentsChar => comments::remove_signs(input, out),
            Self::RemoveNulls => out.extend(input.iter().filter(|byte| **byte != 0)),
            Self::RemoveWhitespace => whitespace::remove(input, out),
            Self::ReplaceComments => comments::replace(input, out),
            Self::ReplaceNulls => {
                out.extend(input.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }));
            }
            Self::Sha1 => out.extend_from_slice(&Sha1::digest(input)),
            Self::SqlHexDecode => hex::decode_sql(input, out),
            Self::Trim => {
                out.extend_from_slice(whitespace::trim_left(whitespace::trim_right(input)));
            }
            Self::TrimLeft => out.extend_from_slice(whitespace::trim_left(input)),
            Self::TrimRight => out.extend_from_slice(whitespace::trim_right(input)),
            Self::UrlDecode => url::decode(input, out),
            Self::UrlDecodeUni => url::decode_unicode(input, out, unicode),
            Self::UrlEncode => url::encode(input, out),
            Self::Utf8ToUnicode => utf8::to_unicode_escapes(input, out),
        }
    }
}

#[cfg(test)]
mod tests;
