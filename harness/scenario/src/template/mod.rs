//! Templates: reading them from text, and putting values in.

mod encode;
mod parse;
mod render;

pub(crate) use encode::apply;
pub(crate) use parse::{Found, decode_hex, is_name, pieces};
pub use render::MissingVariable;

use crate::model::Filter;

/// The filters by name.
pub(crate) const FILTERS: [(&str, Filter); 10] = [
    ("url", Filter::Url),
    ("form", Filter::Form),
    ("base64", Filter::Base64),
    ("json", Filter::Json),
    ("xml", Filter::Xml),
    ("hex", Filter::Hex),
    ("lower", Filter::Lower),
    ("upper", Filter::Upper),
    ("dquote", Filter::DoubleQuote),
    ("regex", Filter::Regex),
];

impl Filter {
    /// As it is written in a placeholder.
    pub fn as_str(self) -> &'static str {
        FILTERS.iter().find(|(_, filter)| *filter == self).map_or("", |(name, _)| name)
    }
}
