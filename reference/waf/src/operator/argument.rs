//! What an operator compares with.

use crate::seclang::Template;

/// Gives a text's macros their values: calls back, once, with the whole text.
pub(super) type Expand<'e> = &'e dyn Fn(&Template, &mut dyn FnMut(&[u8]));

/// An argument: the same for all transactions, or with macros.
pub(super) enum Argument {
    Fixed(Box<[u8]>),
    Macros(Template),
}

impl Argument {
    /// Mistakes in macros have been told when the rule file was read; here they are text.
    pub(super) fn new(text: &str) -> Self {
        match Template::parse(text) {
            Ok(template) if template.literal().is_none() => Self::Macros(template),
            _ => Self::Fixed(text.as_bytes().into()),
        }
    }

    /// The text, where it has no macros.
    pub(super) fn fixed(&self) -> Option<&[u8]> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::Macros(_) => None,
        }
    }

    /// The text as the only one of a list, where it has no macros and is not empty.
    pub(super) fn literal(&self) -> Option<&[Box<[u8]>]> {
        match self {
            Self::Fixed(text) if !text.is_empty() => Some(std::slice::from_ref(text)),
            Self::Fixed(_) | Self::Macros(_) => None,
        }
    }

    /// What `judge` says of the argument's value.
    pub(super) fn judge(&self, expand: Expand<'_>, judge: impl Fn(&[u8]) -> bool) -> bool {
        match self {
            Self::Fixed(text) => judge(text),
            Self::Macros(template) => {
                let mut holds = false;
                expand(template, &mut |text| holds = judge(text));
                holds
            }
        }
    }
}
