//! Which variables must have a value for a rule to be worth trying.

use crate::variable::Variable;

/// A set of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs(u128);

const _: () = assert!(Variable::ALL.len() <= 128, "a bit for each variable");

impl Needs {
    /// Those that are often without any value, and whose value does not change during a phase.
    /// Of all others it is assumed that they have one.
    pub(crate) const SOMETIMES_EMPTY: &[Variable] = &[
        Variable::Args,
        Variable::ArgsGet,
        Variable::ArgsGetNames,
        Variable::ArgsNames,
        Variable::ArgsPost,
        Variable::ArgsPostNames,
        Variable::Files,
        Variable::FilesNames,
        Variable::FilesSizes,
        Variable::FilesTmpContent,
        Variable::FilesTmpnames,
        Variable::MultipartFilename,
        Variable::MultipartName,
        Variable::MultipartPartHeaders,
        Variable::PathInfo,
        Variable::QueryString,
        Variable::RequestBody,
        Variable::RequestCookies,
        Variable::RequestCookiesNames,
        Variable::RequestHeaders,
        Variable::RequestHeadersNames,
        Variable::ResponseBody,
        Variable::ResponseHeaders,
        Variable::ResponseHeadersNames,
        Variable::Xml,
    ];

    /// No variable.
    pub(crate) const NONE: Self = Self(0);

    /// Every variable.
    pub(crate) const ALL: Self = Self(u128::MAX);

    /// Those that are assumed to have a value.
    pub(crate) const NEVER_EMPTY: Self = {
        let (mut bits, mut at) = (u128::MAX, 0);
        while at < Self::SOMETIMES_EMPTY.len() {
            bits &= !(1 << Self::SOMETIMES_EMPTY[at] as u32);
            at += 1;
        }
        Self(bits)
    };

    /// Adds a variable.
    pub(crate) fn insert(&mut self, variable: Variable) {
        self.0 |= 1 << variable as u32;
    }

    /// Whether a variable is one of them.
    pub(crate) fn contains(self, variable: Variable) -> bool {
        self.0 >> variable as u32 & 1 != 0
    }

    /// Whether the two have a variable in common.
    #[inline]
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the values of a variable are set before a phase begins and stay through it.
    pub(crate) fn is_steady(variable: Variable) -> bool {
        matches!(
            variable,
            Variable::Args
                | Variable::ArgsGet
                | Variable::ArgsGetNames
                | Variable::ArgsNames
                | Variable::ArgsPost
                | Variable::ArgsPostNames
                | Variable::Files
                | Variable::FilesNames
                | Variable::FilesSizes
                | Variable::FilesTmpContent
                | Variable::MultipartPartHeaders
                | Variable::PathInfo
                | Variable::QueryString
                | Variable::RequestBasename
                | Variable::RequestBody
                | Variable::RequestCookies
                | Variable::RequestCookiesNames
                | Variable::RequestFilename
                | Variable::RequestHeaders
                | Variable::RequestHeadersNames
                | Variable::RequestLine
                | Variable::RequestMethod
                | Variable::RequestProtocol
                | Variable::RequestUri
                | Variable::RequestUriRaw
                | Variable::ResponseBody
                | Variable::ResponseHeaders
                | Variable::ResponseHeadersNames
                | Variable::Xml
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_meet_in_a_common_variable() {
        let (mut left, mut right) = (Needs::NONE, Needs::NONE);
        left.insert(Variable::Args);
        left.insert(Variable::Xml);
        right.insert(Variable::Xml);
        assert!(left.meets(right) && left.meets(Needs::ALL) && !left.meets(Needs::NONE));
        assert!(!right.meets(Needs::NEVER_EMPTY));
        left.insert(Variable::Tx);
        assert!(left.meets(Needs::NEVER_EMPTY));
    }
}
