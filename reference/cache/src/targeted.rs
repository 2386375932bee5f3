//! CDN-Cache-Control (RFC 9213): directives for the cache in front of the origin, as a Structured
//! Field (RFC 9651).

use std::borrow::Cow;

use edgeproof_http1::Fields;
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

use crate::directives::Argument;
use crate::{ResponseDirectives, sabotage};

/// The directives of CDN-Cache-Control. `None` where it is absent, empty or no dictionary: it is
/// then as if it were not there (RFC 9213 §2.2).
pub(crate) fn directives(fields: &Fields) -> Option<ResponseDirectives> {
    let lines: Vec<&[u8]> = fields.get_all("cdn-cache-control").collect();
    let found = if lines.is_empty() { None } else { read(&lines) };
    sabotage::fields::targeted(found, fields, read)
}

fn read(lines: &[&[u8]]) -> Option<ResponseDirectives> {
    let dictionary: Dictionary = Parser::new(&lines.join(&b", "[..])).parse().ok()?;
    if dictionary.is_empty() {
        return None;
    }
    let mut found = ResponseDirectives { targeted: true, ..ResponseDirectives::default() };
    for (name, value) in &dictionary {
        let argument = match value {
            ListEntry::Item(item) => argument(name.as_str(), item),
            ListEntry::InnerList(_) => Some(Argument::Malformed),
        };
        if let Some(argument) = argument {
            found.add(name.as_str().as_bytes(), &argument);
        }
    }
    Some(found)
}

/// A member's value as a directive's argument (RFC 9213 §2.1): seconds are Integers, field names
/// are a String, and no argument is true. `None` for a directive that is said not to apply.
fn argument(name: &str, item: &Item) -> Option<Argument<'static>> {
    const LISTS_OF_FIELDS: [&str; 2] = ["no-cache", "private"];
    let found = match &item.bare_item {
        BareItem::Boolean(applies) => applies.then_some(Argument::Absent),
        BareItem::Integer(value) => {
            Some(Argument::Value(Cow::Owned(value.to_string().into_bytes())))
        }
        BareItem::String(value) if LISTS_OF_FIELDS.contains(&name) => {
            Some(Argument::Value(Cow::Owned(value.as_str().as_bytes().to_vec())))
        }
        _ => Some(Argument::Malformed),
    };
    sabotage::fields::targeted_argument(found, item)
}
