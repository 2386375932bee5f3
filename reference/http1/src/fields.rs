//! The ordered list of raw field lines of a head or a trailer section.

use std::fmt;

use bytes::Bytes;

use crate::grammar;

/// Field lines in the order received, duplicates and spelling kept; values without the optional
/// white space round them (RFC 9112 §5).
///
/// Lines that were parsed are ranges into the one frozen buffer of their head, lines that were
/// pushed are ranges into one growing arena: no line has an allocation of its own, and a clone
/// costs one table of ranges. Nearly all the questions that a proxy has about a message are for
/// fields that are not there: a sieve of the names answers those without a look at the lines.
#[derive(Clone, Default)]
pub struct Fields {
    head: Bytes,
    added: Vec<u8>,
    lines: Vec<Line>,
    sieve: Sieve,
}

/// The marks of all names in a list, of those that were removed too: a name whose mark is missing
/// is not there.
#[derive(Clone, Copy, Default)]
struct Sieve(u64);

impl Sieve {
    /// One bit, the same for all spellings of a name: by its length and its first byte, case ignored.
    #[inline]
    fn mark(name: &[u8]) -> u64 {
        match name.first() {
            Some(&first) => 1 << ((name.len() * 5 + usize::from(first | 0x20)) % 64),
            None => 0,
        }
    }

    #[inline]
    fn add(&mut self, name: &[u8]) {
        self.0 |= Self::mark(name);
    }

    #[inline]
    fn may_have(self, name: &[u8]) -> bool {
        self.0 & Self::mark(name) != 0
    }
}

/// Where a line's name and value lie: in `head`, or in `added` if `pushed`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    name: u32,
    name_len: u16,
    pushed: bool,
    value: u32,
    value_len: u32,
}

impl Line {
    /// A line that lies in the head's buffer, by the offsets of its name and value. `None` where
    /// they do not fit the table; the parsers' limits keep heads far below that.
    pub(crate) fn in_head(
        name: std::ops::Range<usize>,
        value: std::ops::Range<usize>,
    ) -> Option<Line> {
        Some(Line {
            name: u32::try_from(name.start).ok()?,
            name_len: u16::try_from(name.len()).ok()?,
            pushed: false,
            value: u32::try_from(value.start).ok()?,
            value_len: u32::try_from(value.len()).ok()?,
        })
    }

    /// Where in the head the value lies.
    pub(crate) fn value_range(&self) -> std::ops::Range<usize> {
        let start = self.value as usize;
        start..start + self.value_len as usize
    }

    /// Makes `value` the range of the value; `None` where it does not fit the table.
    pub(crate) fn set_value_range(&mut self, value: std::ops::Range<usize>) -> Option<()> {
        self.value = u32::try_from(value.start).ok()?;
        self.value_len = u32::try_from(value.len()).ok()?;
        Some(())
    }

    fn pick<'a>(&self, head: &'a [u8], added: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let from = if self.pushed { added } else { head };
        let (name, value) = (self.name as usize, self.value as usize);
        (
            &from[name..name + usize::from(self.name_len)],
            &from[value..value + self.value_len as usize],
        )
    }
}

impl Fields {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { head: Bytes::new(), added: Vec::new(), lines: Vec::new(), sieve: Sieve(0) }
    }

    /// The lines of a parsed head: `lines` are ranges into `head`.
    pub(crate) fn parsed(head: Bytes, lines: Vec<Line>) -> Self {
        let mut sieve = Sieve::default();
        for line in &lines {
            sieve.add(line.pick(&head, &[]).0);
        }
        Self { head, added: Vec::new(), lines, sieve }
    }

    /// The number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Name and value of each line, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + Clone {
        self.lines.iter().map(|line| line.pick(&self.head, &self.added))
    }

    /// The values of all lines named `name` (case ignored, RFC 9110 §5.1), in order.
    #[inline]
    pub fn get_all<'a, 'n>(&'a self, name: &'n (impl AsRef<[u8]> + ?Sized)) -> GetAll<'a, 'n> {
        let name = name.as_ref();
        let left = if self.sieve.may_have(name) { &self.lines[..] } else { &[] };
        GetAll { fields: self, name, left }
    }

    /// The value of the first line named `name`, case ignored.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &(impl AsRef<[u8]> + ?Sized)) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Whether a line is named `name`, case ignored.
    #[must_use]
    #[inline]
    pub fn contains(&self, name: &(impl AsRef<[u8]> + ?Sized)) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line at the end. White space round the value goes; CR, LF and NUL inside it become
    /// spaces (RFC 9110 §5.5), so that no value can end its line.
    ///
    /// # Panics
    /// If `name` is not a token (RFC 9110 §5.6.2) of at most 65535 bytes: names are the program's
    /// own or were parsed before.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.as_ref(), grammar::trim_ows(value.as_ref()));
        assert!(grammar::is_token(name), "{:?} is no field name", String::from_utf8_lossy(name));
        self.sieve.add(name);
        let at = self.added.len();
        self.added.extend_from_slice(name);
        self.added.extend(value.iter().map(|&byte| match byte {
            b'\r' | b'\n' | 0 => b' ',
            other => other,
        }));
        let fits = "field lines of less than 4 GiB";
        self.lines.push(Line {
            name: u32::try_from(at).expect(fits),
            name_len: u16::try_from(name.len()).expect("a field name of less than 64 KiB"),
            pushed: true,
            value: u32::try_from(at + name.len()).expect(fits),
            value_len: u32::try_from(value.len()).expect(fits),
        });
    }

    /// Removes every line named `name`, case ignored; says how many there were.
    pub fn remove(&mut self, name: &(impl AsRef<[u8]> + ?Sized)) -> usize {
        let before = self.lines.len();
        let name = name.as_ref();
        self.retain(|other, _| !other.eq_ignore_ascii_case(name));
        before - self.lines.len()
    }

    /// Keeps the lines for which `keep(name, value)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) {
        let Self { head, added, lines, sieve: _ } = self;
        lines.retain(|line| {
            let (name, value) = line.pick(head, added);
            keep(name, value)
        });
    }

    /// Replaces all lines named `name` by one at the end; the same rules as [`Fields::push`].
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.push(name, value);
    }
}

/// The values of the lines of one name; made by [`Fields::get_all`].
#[derive(Clone)]
pub struct GetAll<'a, 'n> {
    fields: &'a Fields,
    name: &'n [u8],
    left: &'a [Line],
}

impl<'a> Iterator for GetAll<'a, '_> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left.is_empty() { None } else { self.search() }
    }
}

impl<'a> GetAll<'a, '_> {
    fn search(&mut self) -> Option<&'a [u8]> {
        while let Some((line, left)) = self.left.split_first() {
            self.left = left;
            if usize::from(line.name_len) != self.name.len() {
                continue;
            }
            let (name, value) = line.pick(&self.fields.head, &self.fields.added);
            if name.eq_ignore_ascii_case(self.name) {
                return Some(value);
            }
        }
        None
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut fields = Self::new();
        fields.extend(lines);
        fields
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extend<(N, V)> for Fields {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, lines: I) {
        for (name, value) in lines {
            self.push(name, value);
        }
    }
}

/// Two lists are equal if they hold the same lines in the same order, byte for byte.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for (name, value) in self.iter() {
            list.entry(&format_args!("{}: {}", name.escape_ascii(), value.escape_ascii()));
        }
        list.finish()
    }
}
