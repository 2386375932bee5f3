//! Selecting header fields (RFC 9111 §4.1).

use edgeproof_http1::Fields;

use crate::{list, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// The fields that a response's Vary nominates, with their values in the request that brought
/// the response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selecting {
    fields: Box<[Nominated]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Nominated {
    name: Box<[u8]>,
    value: Option<Value>,
}

/// A value as sent, if it was one line, for the usual case of the same client software asking
/// again, and its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    line: Option<Box<[u8]>>,
    normal: Box<[u8]>,
}

/// A nominated field, for a store that holds it as bytes.
pub(crate) type Entry<'a> = (&'a [u8], Option<(Option<&'a [u8]>, &'a [u8])>);

/// Whether a response's Vary has a member `*`, with which no request ever matches, or one that is no
/// field name: who sends that varies by something that nobody knows.
#[must_use]
pub fn is_any(response: &Fields) -> bool {
    let mut members = response.get_all("vary").flat_map(list::members);
    let found = members.any(|name| name == b"*" || !list::is_token(name));
    sabotage::reuse::varies_by_anything(found && !mutant::is(Mutant::IgnoresVary), response)
}

impl Selecting {
    /// Reads the fields that `response` nominates from the request that brought it.
    #[must_use]
    pub fn of(response: &Fields, request: &Fields) -> Self {
        let mut names: Vec<Vec<u8>> = response
            .get_all("vary")
            .flat_map(list::members)
            .map(<[u8]>::to_ascii_lowercase)
            .collect();
        names.sort_unstable();
        names.dedup();
        sabotage::reuse::nominated(&mut names, response);
        let nominated = |name: Vec<u8>| Nominated {
            value: Value::of(&name, request),
            name: name.into_boxed_slice(),
        };
        Self { fields: names.into_iter().map(nominated).collect() }
    }

    /// Name of each field, and its value as sent (if it was one line) and in normal form.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.fields.iter().map(|field| {
            let value = field.value.as_ref().map(|value| (value.line.as_deref(), &*value.normal));
            (&*field.name, value)
        })
    }

    /// What [`Selecting::entries`] gave.
    pub(crate) fn from_entries(entries: Vec<Entry<'_>>) -> Self {
        let fields = entries.into_iter().map(|(name, value)| Nominated {
            name: name.into(),
            value: value
                .map(|(line, normal)| Value { line: line.map(Into::into), normal: normal.into() }),
        });
        Self { fields: fields.collect() }
    }

    /// The same fields, as another request has them.
    pub(crate) fn read_again(&self, request: &Fields) -> Self {
        let nominated = |old: &Nominated| Nominated {
            value: Value::of(&old.name, request),
            name: old.name.clone(),
        };
        Self { fields: self.fields.iter().map(nominated).collect() }
    }

    /// Whether no field is nominated: every request matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether a presented request matches the one that brought the response.
    #[must_use]
    pub fn matches(&self, request: &Fields) -> bool {
        let found = self.fields.iter().all(|nominated| nominated.matches(request));
        mutant::is(Mutant::IgnoresVary) || sabotage::reuse::matches(found, self, request)
    }

    /// The values of the nominated fields in another request, in normal form.
    pub(crate) fn in_request(&self, request: &Fields) -> Vec<Option<Vec<u8>>> {
        let value = |name: &[u8]| request.contains(name).then(|| normal(name, request));
        self.fields.iter().map(|nominated| value(&nominated.name)).collect()
    }

    /// Bytes held outside the value itself.
    pub(crate) fn size(&self) -> usize {
        let value = |value: &Value| value.normal.len() + value.line.as_ref().map_or(0, |l| l.len());
        self.fields
            .iter()
            .map(|f| size_of::<Nominated>() + f.name.len() + f.value.as_ref().map_or(0, value))
            .sum()
    }
}

impl Nominated {
    fn matches(&self, request: &Fields) -> bool {
        let mut lines = request.get_all(&self.name);
        let (first, second) = (lines.next(), lines.next());
        match (&self.value, first) {
            (None, None) => true,
            (Some(value), Some(first)) => {
                (second.is_none() && value.line.as_deref() == Some(first))
                    || *value.normal == *normal(&self.name, request)
            }
            _ => false,
        }
    }
}

impl Value {
    fn of(name: &[u8], request: &Fields) -> Option<Self> {
        let mut lines = request.get_all(name);
        let first = lines.next()?;
        let line = lines.next().is_none().then(|| first.into());
        Some(Self { line, normal: normal(name, request).into_boxed_slice() })
    }
}

/// What a field's syntax lets a cache change without changing the meaning.
enum Syntax {
    /// No list, or a field of which nobody knows the syntax: not even white space is known to be free.
    Text,
    /// A list; the order of its members may matter.
    List,
    /// A list of preferences, in letters of either case, of which the weights count (RFC 9110
    /// §12.4.2) and, among equal weights, the order, which some origins take for a preference too
    /// (§12.5.4).
    OrderedPreferences,
    /// The same, but the order means nothing.
    Preferences,
}

fn syntax(name: &[u8]) -> Syntax {
    match name {
        b"accept-charset" | b"accept-language" => Syntax::OrderedPreferences,
        b"accept-encoding" => Syntax::Preferences,
        b"accept" | b"cache-control" | b"connection" | b"expect" | b"forwarded" | b"if-match"
        | b"if-none-match" | b"pragma" | b"prefer" | b"te" | b"upgrade" | b"via"
        | b"x-forwarded-for" => Syntax::List,
        _ => Syntax::Text,
    }
}

/// The value of all lines named `name` (in lower case), in a form that is the same for all values
/// of the same meaning.
fn normal(name: &[u8], request: &Fields) -> Vec<u8> {
    let lines = request.get_all(name);
    match syntax(name) {
        Syntax::Text => lines.collect::<Vec<_>>().join(&b", "[..]),
        Syntax::List => lines.flat_map(list::members).collect::<Vec<_>>().join(&b","[..]),
        Syntax::OrderedPreferences => {
            let mut members: Vec<_> = lines.flat_map(list::members).map(preference).collect();
            members.sort_by(|a, b| weight(b).cmp(weight(a)));
            members.join(&b","[..])
        }
        Syntax::Preferences => {
            let mut members: Vec<_> = lines.flat_map(list::members).map(preference).collect();
            members.sort_unstable();
            members.dedup();
            members.join(&b","[..])
        }
    }
}

/// The weight of a member that [`preference`] made, as text that sorts like the number: the default
/// is above every other, which all begin with `0`.
fn weight(member: &[u8]) -> &[u8] {
    let weight = member.rsplit(|&byte| byte == b';').next().and_then(|p| p.strip_prefix(b"q="));
    weight.unwrap_or(b"1")
}

/// One member of a list of preferences: lower case, no white space round `;`, its weight
/// shortened (`q=1` is the default, `q=0.50` is `q=0.5`).
fn preference(member: &[u8]) -> Vec<u8> {
    let lower = member.to_ascii_lowercase();
    let parts = lower.split(|&byte| byte == b';').map(list::trim);
    let shortened = parts.filter_map(|part| match part.strip_prefix(b"q=") {
        Some(weight) => match shorten(weight) {
            b"1" => None,
            weight => Some([b"q=", weight].concat()),
        },
        None => Some(part.to_vec()),
    });
    shortened.collect::<Vec<_>>().join(&b';')
}

/// A weight without the zeros at its end that say nothing.
fn shorten(mut weight: &[u8]) -> &[u8] {
    if weight.contains(&b'.') {
        while let [rest @ .., b'0'] = weight {
            weight = rest;
        }
        weight = weight.strip_suffix(b".").unwrap_or(weight);
    }
    weight
}
