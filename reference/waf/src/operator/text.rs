//! Operators that compare bytes with bytes. Case counts in all of them.

use memchr::memmem;

/// How the value and the argument must relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// `@streq`: they are the same.
    Equal,
    /// `@contains`, `@strmatch`: the argument stands in the value; the empty one always does.
    Contains,
    /// `@containsWord`: it stands in the value with no letter, digit or underscore beside it.
    ContainsWord,
    /// `@beginsWith`
    Begins,
    /// `@endsWith`
    Ends,
    /// `@within`: the value stands in the argument; the empty one always does.
    Within,
}

impl Relation {
    pub(super) fn holds(self, value: &[u8], argument: &[u8]) -> bool {
        match self {
            Self::Equal => value == argument,
            Self::Contains => memmem::find(value, argument).is_some(),
            Self::ContainsWord => contains_word(value, argument),
            Self::Begins => value.starts_with(argument),
            Self::Ends => value.ends_with(argument),
            Self::Within => is_within(value, argument),
        }
    }

    /// Whether every value for which it holds has the argument in it.
    pub(super) fn requires_argument(self) -> bool {
        self != Self::Within
    }
}

/// The longest argument, in bytes, in which a value is looked for by one of its bytes: to get ready for a better way
/// takes longer, and an argument of rules is about as long as this at most.
const SHORT: usize = 1024;

fn is_within(value: &[u8], argument: &[u8]) -> bool {
    if value.is_empty() || value.len() > argument.len() || argument.len() > SHORT {
        return memmem::find(argument, value).is_some();
    }
    // Separators stand at the ends.
    let middle = value.len() / 2;
    let last = argument.len() - value.len();
    let mut places = memchr::memchr_iter(value[middle], &argument[middle..=last + middle]);
    places.any(|at| argument[at..].starts_with(value))
}

fn contains_word(value: &[u8], word: &[u8]) -> bool {
    if word.is_empty() {
        return true;
    }
    let beside =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    // Places may overlap: `aa` in `aaa-aa`.
    let mut from = 0;
    while let Some(at) = memmem::find(&value[from..], word).map(|at| from + at) {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        if !beside(before) && !beside(value.get(at + word.len())) {
            return true;
        }
        from = at + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Relation::{self, *};

    fn holds(relation: Relation, value: &str, argument: &str) -> bool {
        relation.holds(value.as_bytes(), argument.as_bytes())
    }

    #[test]
    fn the_empty_argument() {
        for relation in [Contains, ContainsWord, Begins, Ends] {
            assert!(holds(relation, "value", "") && holds(relation, "", ""), "{relation:?}");
            assert!(!holds(relation, "", "value"), "{relation:?}");
        }
        assert!(holds(Equal, "", "") && !holds(Equal, "value", ""));
        assert!(holds(Within, "", "value") && !holds(Within, "value", ""));
    }

    #[test]
    fn case_counts() {
        for relation in [Equal, Contains, ContainsWord, Begins, Ends, Within] {
            assert!(holds(relation, "GET", "GET"), "{relation:?}");
            assert!(!holds(relation, "get", "GET"), "{relation:?}");
        }
    }

    #[test]
    fn within_looks_in_the_argument() {
        assert!(holds(Within, "POST", "GET POST HEAD"));
        // A part of a word, too: which is why rule files put separators around both.
        assert!(holds(Within, "POS", "GET POST HEAD"));
        assert!(!holds(Within, "GET POST HEAD", "POST"));
        assert!(holds(Within, ".php/", ".asp/ .php/"));
    }

    proptest! {
        #[test]
        fn within_is_contains_the_other_way_round(
            value in "[ab/]{0,5}",
            argument in "[ab/]{0,30}",
            more in prop::sample::select(&[0, 1200][..]),
        ) {
            let argument = argument.clone() + &"/".repeat(more) + &argument;
            prop_assert_eq!(holds(Within, &value, &argument), argument.contains(&value));
        }
    }

    #[test]
    fn words_end_at_letters_digits_and_underscores() {
        assert!(holds(ContainsWord, "abc def ghi", "def"));
        assert!(holds(ContainsWord, "def", "def"));
        assert!(holds(ContainsWord, "abc\0def-ghi", "def"));
        assert!(holds(ContainsWord, "\u{e9}def\u{e9}", "def"), "bytes beyond ASCII are no letters");
        for value in ["abcdef", "defghi", "_def", "def_", "1def", "def2", "abcdefghi"] {
            assert!(!holds(ContainsWord, value, "def"), "{value}");
        }
        assert!(holds(ContainsWord, "defdef def", "def"));
        assert!(holds(ContainsWord, "a.a.a.", "a.a."), "places may overlap");
    }
}
