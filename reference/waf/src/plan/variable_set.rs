//! Sets of variables.

use crate::variable::Variable;

/// A set of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VariableSet(u128);

const _: () = assert!(Variable::ALL.len() <= 128, "a bit for each variable");

impl VariableSet {
    /// No variable.
    pub(crate) const NONE: Self = Self(0);

    /// Adds a variable.
    pub(crate) fn insert(&mut self, variable: Variable) {
        self.0 |= 1 << variable as u32;
    }

    /// Whether a variable is one of them.
    pub(crate) fn contains(self, variable: Variable) -> bool {
        self.0 >> variable as u32 & 1 != 0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = VariableSet::NONE;
        set.insert(Variable::Args);
        set.insert(Variable::Xml);
        let held: Vec<_> = Variable::ALL.iter().filter(|one| set.contains(**one)).collect();
        assert_eq!(held, [&Variable::Args, &Variable::Xml]);
    }
}
