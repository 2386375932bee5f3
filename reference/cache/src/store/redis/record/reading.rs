//! A record becomes a response, unless it is none.

use bytes::Bytes;
use edgeproof_http1::Fields;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    ALL_FLAGS, ALWAYS_VALIDATED, Digest, IF_ERROR, LAST_MODIFIED, MAGIC, NEVER_STALE, NO_VALUE,
    NORMAL_ONLY, OUTDATED, PART, PART_OF_UNKNOWN, VERSION, WHILE_REVALIDATE, WHOLE, WITH_LINE,
};
use crate::content::Content;
use crate::freshness::{Lifetime, Source};
use crate::message::FINAL;
use crate::stored::Parts;
use crate::storing::is_never_kept;
use crate::vary::Selecting;
use crate::{DeltaSeconds, Moment, Stored};

/// Why bytes are no record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is no stored response of this program")]
    Foreign,
    #[error("it has version {0} of the format")]
    Version(u16),
    #[error("its bytes are damaged")]
    Damaged,
    #[error("it ends too early or too late")]
    Length,
    #[error("it says what no response can say")]
    Nonsense,
}

/// Reads a record; its content shares the memory of `bytes`.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<(Digest, Stored), Unreadable> {
    let bytes = Bytes::from(bytes);
    let mut reader = Reader { rest: bytes.as_ref() };
    if reader.take(MAGIC.len()).map_err(|_| Unreadable::Foreign)? != MAGIC {
        return Err(Unreadable::Foreign);
    }
    let version = u16::from_le_bytes(reader.array()?);
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    let digest = reader.array()?;
    if xxh3_128(reader.rest) != u128::from_le_bytes(digest) {
        return Err(Unreadable::Damaged);
    }
    reader.parts(&bytes).map(|parts| (digest, Stored::from(parts)))
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Unreadable::Length)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Unreadable::Length)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<i64, Unreadable> {
        self.array().map(i64::from_le_bytes)
    }

    fn seconds(&mut self) -> Result<DeltaSeconds, Unreadable> {
        let seconds = u32::from_le_bytes(self.array()?);
        let delta = DeltaSeconds::saturating(i64::from(seconds));
        (delta.seconds() == seconds).then_some(delta).ok_or(Unreadable::Nonsense)
    }

    fn count(&mut self) -> Result<usize, Unreadable> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn text(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.count()?;
        self.take(length)
    }

    fn parts(mut self, whole: &Bytes) -> Result<Parts, Unreadable> {
        let status = u16::from_le_bytes(self.array()?);
        let [flags, source] = self.array()?;
        if !FINAL.contains(&status) || flags & !ALL_FLAGS != 0 {
            return Err(Unreadable::Nonsense);
        }
        let source = match source {
            0 => Source::Explicit,
            1 => Source::Site,
            2 => Source::Heuristic,
            3 => Source::Nothing,
            _ => return Err(Unreadable::Nonsense),
        };
        let has = |flag: u8| flags & flag != 0;
        Ok(Parts {
            status,
            response_time: Moment::from_millisecond(self.number()?),
            initial_age: self.number()?,
            date: self.number()?,
            last_modified: Some(self.number()?).filter(|_| has(LAST_MODIFIED)),
            lifetime: Lifetime { seconds: self.seconds()?, source },
            stale_while_revalidate: Some(self.seconds()?).filter(|_| has(WHILE_REVALIDATE)),
            stale_if_error: Some(self.seconds()?).filter(|_| has(IF_ERROR)),
            always_validated: has(ALWAYS_VALIDATED),
            never_stale: has(NEVER_STALE),
            outdated: has(OUTDATED),
            fields: self.fields()?,
            trailers: self.fields()?,
            selecting: self.selecting()?,
            content: self.content(whole)?,
        })
    }

    fn fields(&mut self) -> Result<Fields, Unreadable> {
        let mut fields = Fields::new();
        for _ in 0..self.count()? {
            let (name, value) = (self.text()?, self.text()?);
            if !is_name(name) || is_never_kept(name) || breaks_a_line(value) {
                return Err(Unreadable::Nonsense);
            }
            fields.push(name, value);
        }
        Ok(fields)
    }

    /// The content, which is all that is left.
    fn content(&mut self, whole: &Bytes) -> Result<Content, Unreadable> {
        let [kind] = self.array()?;
        let length = u64::from_le_bytes(self.array()?);
        let mut spans = Vec::new();
        for _ in 0..self.count()? {
            spans.push((u64::from_le_bytes(self.array()?), u64::from_le_bytes(self.array()?)));
        }
        let mut pieces = Vec::with_capacity(spans.len());
        for (start, length) in spans {
            let length = usize::try_from(length).map_err(|_| Unreadable::Length)?;
            pieces.push((start, whole.slice_ref(self.take(length)?)));
        }
        if !self.rest.is_empty() {
            return Err(Unreadable::Length);
        }
        match (kind, &pieces[..]) {
            (WHOLE, [(0, content)]) if content.len() as u64 == length => {
                Ok(Content::Whole(content.clone()))
            }
            (PART, _) => Content::of_pieces(Some(length), pieces).ok_or(Unreadable::Nonsense),
            (PART_OF_UNKNOWN, _) => Content::of_pieces(None, pieces).ok_or(Unreadable::Nonsense),
            _ => Err(Unreadable::Nonsense),
        }
    }

    fn selecting(&mut self) -> Result<Selecting, Unreadable> {
        let mut entries = Vec::new();
        for _ in 0..self.count()? {
            let name = self.text()?;
            let value = match self.array()? {
                [NO_VALUE] => None,
                [NORMAL_ONLY] => Some((None, self.text()?)),
                [WITH_LINE] => {
                    let normal = self.text()?;
                    Some((Some(self.text()?), normal))
                }
                _ => return Err(Unreadable::Nonsense),
            };
            entries.push((name, value));
        }
        Ok(Selecting::from_entries(entries))
    }
}

fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':')
}

fn breaks_a_line(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
