//! Says of a text, from the bytes that stand in it, which transformations leave it as it is, all at once.

use super::Transformation;
use crate::operator::ByteSet;

/// A set of transformations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transformations(u64);

impl Transformations {
    pub(crate) const NONE: Self = Self(0);

    /// Those that may change a text of these bytes. All others surely leave it as it is.
    pub(crate) fn that_may_change(bytes: ByteSet) -> Self {
        let all =
            ALIKE.iter().fold(
                ALWAYS,
                |all, (alike, triggered)| {
                    if bytes.meets(*alike) { all | triggered } else { all }
                },
            );
        let others = bytes.without(ALL_ALIKE);
        Self(others.bytes().fold(all, |all, byte| all | TRIGGERED[usize::from(byte)]))
    }

    pub(crate) const ALL: Self = Self(u64::MAX);

    /// Those that are in both.
    pub(crate) fn intersection(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// All others.
    pub(crate) fn complement(self) -> Self {
        Self(!self.0)
    }

    /// Those of a list.
    pub(crate) fn of(list: &[Transformation]) -> Self {
        let mut all = Self::NONE;
        list.iter().for_each(|one| all.insert(*one));
        all
    }

    /// Whether all of another set are in this one.
    #[inline]
    pub(crate) fn contain(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    #[inline]
    pub(crate) fn contains(self, transformation: Transformation) -> bool {
        self.0 >> transformation as u32 & 1 != 0
    }

    pub(crate) fn insert(&mut self, transformation: Transformation) {
        self.0 |= 1 << transformation as u32;
    }
}

/// Those that change the empty text, too.
const ALWAYS: u64 = 1 << Transformation::Md5 as u32
    | 1 << Transformation::Sha1 as u32
    | 1 << Transformation::Length as u32;

/// For each byte the transformations that may change a text because of it.
const TRIGGERED: [u64; 256] = {
    let mut triggered = [0; 256];
    let mut number = 0;
    while number < Transformation::ALL.len() {
        let bytes = triggers(Transformation::ALL[number]);
        let mut byte = 0;
        while byte < 256 {
            if bytes.contains(byte as u8) {
                triggered[byte] |= 1 << Transformation::ALL[number] as u32;
            }
            byte += 1;
        }
        number += 1;
    }
    triggered
};

/// Bytes that trigger the same, and what: most of a text's bytes are of these.
const ALIKE: [(ByteSet, u64); 3] = [
    alike(ByteSet::range(b'a', b'z').without(ByteSet::of(b"x"))),
    alike(ByteSet::range(b'A', b'Z').without(ByteSet::of(b"X"))),
    alike(ByteSet::range(b'0', b'9')),
];

const ALL_ALIKE: ByteSet = ALIKE[0].0.union(ALIKE[1].0).union(ALIKE[2].0);

const fn alike(bytes: ByteSet) -> (ByteSet, u64) {
    let mut triggered = None;
    let mut byte = 0;
    while byte < 256 {
        if bytes.contains(byte as u8) {
            match triggered {
                Some(before) => assert!(before == TRIGGERED[byte], "they trigger the same"),
                None => triggered = Some(TRIGGERED[byte]),
            }
        }
        byte += 1;
    }
    (bytes, triggered.expect("there are such bytes"))
}

/// Bytes of which a text has at least one if the transformation changes it.
const fn triggers(transformation: Transformation) -> ByteSet {
    use Transformation as T;
    const SPACE: ByteSet = ByteSet::of(b" \t\n\x0b\x0c\r");
    const HIGH: ByteSet = ByteSet::range(0x80, 0xff);
    const UPPER: ByteSet = ByteSet::range(b'A', b'Z');
    match transformation {
        T::Base64Decode | T::Base64DecodeExt | T::Base64Encode | T::HexDecode | T::HexEncode => {
            ByteSet::ALL
        }
        T::Md5 | T::Sha1 | T::Length | T::ParityEven7Bit | T::ParityOdd7Bit => ByteSet::ALL,
        T::CmdLine => ByteSet::of(b"\"'\\^,;").union(SPACE).union(UPPER),
        T::CompressWhitespace | T::RemoveWhitespace => SPACE.union(ByteSet::of(b"\xa0")),
        T::CssDecode | T::EscapeSeqDecode | T::JsDecode => ByteSet::of(b"\\"),
        T::HtmlEntityDecode => ByteSet::of(b"&"),
        T::Lowercase => UPPER,
        T::Uppercase => ByteSet::range(b'a', b'z'),
        T::NormalizePath => ByteSet::of(b"./"),
        T::NormalizePathWin => ByteSet::of(b"./\\"),
        T::ParityZero7Bit => HIGH,
        T::RemoveComments | T::RemoveCommentsChar => ByteSet::of(b"/-#"),
        T::ReplaceComments => ByteSet::of(b"/"),
        T::RemoveNulls | T::ReplaceNulls => ByteSet::of(b"\0"),
        T::SqlHexDecode => ByteSet::of(b"xX"),
        T::Trim | T::TrimLeft | T::TrimRight => SPACE,
        T::UrlDecode | T::UrlDecodeUni => ByteSet::of(b"%+"),
        T::UrlEncode => ByteSet::range(b'a', b'z').union(UPPER).complement(),
        T::Utf8ToUnicode => HIGH.union(ByteSet::of(b"\0")),
    }
}
