//! Cache-Control, of requests (RFC 9111 §5.2.1) and of responses (§5.2.2), and Pragma (§5.4).
//!
//! Each field line is read by itself: a quote left open in one cannot swallow the next. Unknown
//! directives are passed over. Of a directive that comes twice, the first counts (§4.2.1); one
//! whose argument is wrong counts as its strictest meaning.

use std::borrow::Cow;

use edgeproof_http1::Fields;

use crate::{DeltaSeconds, list, sabotage, targeted};

/// A directive's argument. Token and quoted form mean the same to a recipient (§5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// There is none.
    Absent,
    /// The token, or the quoted string without its quotes and escapes.
    Value(Cow<'a, [u8]>),
    /// Something that the grammar does not allow.
    Malformed,
}

impl Argument<'_> {
    fn delta_seconds(&self) -> Option<DeltaSeconds> {
        match self {
            Self::Value(value) => DeltaSeconds::parse(value),
            Self::Absent | Self::Malformed => None,
        }
    }
}

/// The directives of one field line: each name with its argument.
pub fn directives(line: &[u8]) -> impl Iterator<Item = (&[u8], Argument<'_>)> {
    list::members(line).filter_map(directive)
}

fn directive(member: &[u8]) -> Option<(&[u8], Argument<'_>)> {
    let end = member.iter().position(|&byte| !list::is_tchar(byte)).unwrap_or(member.len());
    let (name, rest) = member.split_at(end);
    if name.is_empty() {
        return None;
    }
    let argument = match rest {
        [] => Argument::Absent,
        [b'=', value @ ..] => argument(value),
        _ => Argument::Malformed,
    };
    Some(sabotage::fields::directive(name, argument))
}

fn argument(value: &[u8]) -> Argument<'_> {
    if list::is_token(value) {
        return Argument::Value(Cow::Borrowed(value));
    }
    if value.first() != Some(&b'"') || list::quoted_end(value, 0) != Some(value.len()) {
        return Argument::Malformed;
    }
    let mut unquoted = Vec::with_capacity(value.len());
    let mut inner = value[1..value.len() - 1].iter();
    while let Some(&byte) = inner.next() {
        let byte = if byte == b'\\' { inner.next().copied() } else { Some(byte) };
        unquoted.extend(byte);
    }
    Argument::Value(Cow::Owned(unquoted))
}

/// A response's `no-cache` or `private`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The directive is absent.
    #[default]
    Absent,
    /// It is about these fields (names in lower case).
    Fields(Vec<Vec<u8>>),
    /// It is about the whole response.
    Response,
}

impl Scope {
    /// Adds one more occurrence; an argument that names no field widens it to the response.
    fn add(&mut self, argument: &Argument<'_>) {
        let names: Option<Vec<_>> = match argument {
            Argument::Value(value) => list::members(value)
                .map(|name| list::is_token(name).then(|| name.to_ascii_lowercase()))
                .collect(),
            Argument::Absent | Argument::Malformed => None,
        };
        match (&mut *self, names) {
            (Self::Response, _) => {}
            (_, None) => *self = Self::Response,
            (_, Some(names)) if names.is_empty() => *self = Self::Response,
            (Self::Absent, Some(names)) => *self = Self::Fields(names),
            (Self::Fields(fields), Some(names)) => fields.extend(names),
        }
    }

    /// Whether the directive names the field `name` (in any case).
    #[must_use]
    pub fn names(&self, name: &[u8]) -> bool {
        matches!(self, Self::Fields(names) if names.iter().any(|n| n.eq_ignore_ascii_case(name)))
    }
}

/// The response directives that this cache knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseDirectives {
    /// `max-age`; an invalid one is 0.
    pub max_age: Option<DeltaSeconds>,
    /// `s-maxage`; an invalid one is 0.
    pub s_maxage: Option<DeltaSeconds>,
    /// `no-cache`
    pub no_cache: Scope,
    /// `private`
    pub private: Scope,
    /// `no-store`
    pub no_store: bool,
    /// `no-transform`
    pub no_transform: bool,
    /// `must-revalidate`
    pub must_revalidate: bool,
    /// `proxy-revalidate`
    pub proxy_revalidate: bool,
    /// `must-understand`
    pub must_understand: bool,
    /// `public`
    pub public: bool,
    /// `stale-while-revalidate` (RFC 5861 §3); an invalid one counts as absent.
    pub stale_while_revalidate: Option<DeltaSeconds>,
    /// `stale-if-error` (RFC 5861 §4); an invalid one counts as absent.
    pub stale_if_error: Option<DeltaSeconds>,
    /// Whether they come from CDN-Cache-Control, beside which neither Cache-Control nor Expires
    /// counts (RFC 9213 §2.2).
    pub targeted: bool,
}

impl ResponseDirectives {
    /// Reads the directives of a response that are for this cache: CDN-Cache-Control if it is
    /// there and valid, else Cache-Control.
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        let found = targeted::directives(fields)
            .unwrap_or_else(|| Self::read(fields.get_all("cache-control")));
        sabotage::fields::response_directives(found, fields)
    }

    /// Reads lines of Cache-Control.
    pub(crate) fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut found = Self::default();
        for (name, argument) in lines.flat_map(directives) {
            found.add(name, &argument);
        }
        found
    }

    pub(crate) fn add(&mut self, name: &[u8], argument: &Argument<'_>) {
        match Lower::of(name).text() {
            b"max-age" => first(&mut self.max_age, or_stale(argument)),
            b"s-maxage" => first(&mut self.s_maxage, or_stale(argument)),
            b"no-cache" => self.no_cache.add(argument),
            b"private" => self.private.add(argument),
            b"no-store" => self.no_store = true,
            b"no-transform" => self.no_transform = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            b"public" => self.public = true,
            b"stale-while-revalidate" => {
                first(&mut self.stale_while_revalidate, argument.delta_seconds());
            }
            b"stale-if-error" => first(&mut self.stale_if_error, argument.delta_seconds()),
            _ => {}
        }
    }
}

/// The request directives that this cache knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestDirectives {
    /// `max-age`; an invalid one is ignored, as the client only states a preference.
    pub max_age: Option<DeltaSeconds>,
    /// `min-fresh`; an invalid one is ignored.
    pub min_fresh: Option<DeltaSeconds>,
    /// `max-stale`; without a value any staleness will do. An invalid one is ignored.
    pub max_stale: Option<DeltaSeconds>,
    /// `stale-if-error` (RFC 5861 §4); an invalid one is ignored.
    pub stale_if_error: Option<DeltaSeconds>,
    /// `no-cache`, or `Pragma: no-cache` where there is no Cache-Control.
    pub no_cache: bool,
    /// `no-store`
    pub no_store: bool,
    /// `only-if-cached`
    pub only_if_cached: bool,
}

impl RequestDirectives {
    /// Reads all Cache-Control lines of a request, or its Pragma if there are none.
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        sabotage::fields::request_directives(Self::read(fields), fields)
    }

    fn read(fields: &Fields) -> Self {
        let mut found = Self::default();
        let mut lines = fields.get_all("cache-control").peekable();
        if lines.peek().is_none() {
            found.no_cache = fields.get_all("pragma").any(|line| {
                directives(line).any(|(name, _)| name.eq_ignore_ascii_case(b"no-cache"))
            });
            return found;
        }
        for (name, argument) in lines.flat_map(directives) {
            found.add(name, &argument);
        }
        found
    }

    fn add(&mut self, name: &[u8], argument: &Argument<'_>) {
        match Lower::of(name).text() {
            b"max-age" => first(&mut self.max_age, argument.delta_seconds()),
            b"min-fresh" => first(&mut self.min_fresh, argument.delta_seconds()),
            b"max-stale" if *argument == Argument::Absent => {
                first(&mut self.max_stale, Some(DeltaSeconds::MAX));
            }
            b"max-stale" => first(&mut self.max_stale, argument.delta_seconds()),
            b"stale-if-error" => first(&mut self.stale_if_error, argument.delta_seconds()),
            b"no-cache" => self.no_cache = true,
            b"no-store" => self.no_store = true,
            b"only-if-cached" => self.only_if_cached = true,
            _ => {}
        }
    }
}

/// The first occurrence counts (RFC 9111 §4.2.1).
fn first(slot: &mut Option<DeltaSeconds>, value: Option<DeltaSeconds>) {
    *slot = slot.or(value);
}

/// Invalid freshness information makes a response stale (RFC 9111 §4.2.1).
fn or_stale(argument: &Argument<'_>) -> Option<DeltaSeconds> {
    Some(argument.delta_seconds().unwrap_or(DeltaSeconds::ZERO))
}

/// A directive's name in lower case, without an allocation. No known name is longer.
struct Lower {
    letters: [u8; 24],
    length: usize,
}

impl Lower {
    fn of(name: &[u8]) -> Self {
        let mut letters = [0; 24];
        let length = letters.get_mut(..name.len()).map_or(0, |place| {
            place.copy_from_slice(name);
            place.make_ascii_lowercase();
            name.len()
        });
        Self { letters, length }
    }

    fn text(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}
