mod cases;
mod model;
mod random;

use super::error::Problem;
use super::literals::required;
use super::parser::parse;
use super::{PatternError, Rx, read};
use crate::operator::{Captures, Outcome};

fn rx(pattern: &[u8]) -> Rx {
    Rx::compile(pattern).unwrap_or_else(|error| panic!("{}: {error}", pattern.escape_ascii()))
}

/// The groups of the match, if there is one.
fn groups(pattern: &[u8], text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut captures = Captures::new();
    match rx(pattern).matches(text, Some(&mut captures)) {
        Outcome::Match => {
            let group = |group| captures.get(text, group).map(<[u8]>::to_vec);
            Some((0..captures.len()).filter_map(group).collect())
        }
        Outcome::NoMatch => None,
        Outcome::LimitReached => panic!("{}: too many steps", pattern.escape_ascii()),
    }
}

fn shown(groups: Option<Vec<Vec<u8>>>) -> Option<Vec<String>> {
    groups.map(|groups| groups.iter().map(|group| group.escape_ascii().to_string()).collect())
}

#[test]
fn matches_are_those_of_pcre() {
    for (pattern, text, expected) in cases::CASES {
        let expected = expected.map(|groups| groups.iter().map(|group| group.to_vec()).collect());
        let found = shown(groups(pattern, text));
        let place = format!("{} on {}", pattern.escape_ascii(), text.escape_ascii());
        assert_eq!(found, shown(expected), "{place}");
        // The same without groups being asked for.
        let outcome = rx(pattern).matches(text, None);
        assert_eq!(outcome, found.is_some().into(), "{place}");
    }
}

#[test]
fn mistakes_are_those_of_pcre() {
    use Problem::*;
    let mistakes: &[(&str, usize, Problem)] = &[
        ("*", 0, NothingToRepeat),
        ("a|*", 2, NothingToRepeat),
        ("{1}", 0, NothingToRepeat),
        ("^*a", 1, NothingToRepeat),
        (r"\b+a", 2, NothingToRepeat),
        ("(?i)*", 4, NothingToRepeat),
        (r"\E*", 2, NothingToRepeat),
        ("a**", 2, NothingToRepeat),
        ("a{2}{3}", 4, NothingToRepeat),
        ("a+?+", 3, NothingToRepeat),
        ("a{2,1}", 1, QuantifierReversed),
        ("a{65536}", 1, QuantifierTooBig),
        ("a{99999999999}", 1, QuantifierTooBig),
        ("(a", 0, UnclosedGroup),
        ("b(?:a", 1, UnclosedGroup),
        ("(?", 0, UnclosedGroup),
        ("(?i", 0, UnclosedGroup),
        ("a)", 1, UnopenedGroup),
        ("b[a", 1, UnclosedClass),
        ("[]", 0, UnclosedClass),
        (r"[\]", 0, UnclosedClass),
        ("a(?#b", 1, UnclosedComment),
        ("[z-a]", 1, RangeReversed),
        (r"[\w-a]", 3, RangeOfClass),
        (r"[a-\d]", 2, RangeOfClass),
        ("[[:alpha:]-z]", 10, RangeOfClass),
        ("[[:foo:]]", 1, UnknownClassName),
        ("[[.a.]]", 1, Unsupported("collating elements")),
        (r"a\y", 1, UnknownEscape),
        (r"\u0041", 0, UnknownEscape),
        (r"[\q]", 1, UnknownEscape),
        (r"[\B]", 1, NotInClass),
        (r"[\N]", 1, NotInClass),
        ("a\\", 1, TrailingBackslash),
        (r"\x{}", 2, BadNumber),
        (r"\x{zz}", 2, BadNumber),
        (r"\x{41", 2, BadNumber),
        (r"\x{100}", 2, NotAByte),
        (r"\400", 0, NotAByte),
        (r"\N{U+41}", 2, NotAByte),
        ("\\c\u{e9}", 2, BadControl),
        ("(?P<1>a)", 4, BadName),
        ("(?<n>a)(?<n>b)", 10, DuplicateName),
        (r"\k<n>", 3, UnknownName),
        (r"\1", 0, UnknownGroup),
        (r"(a)\2", 3, UnknownGroup),
        (r"\81", 0, UnknownGroup),
        (r"\g{-1}", 0, UnknownGroup),
        (r"(?n)(a)\1", 7, UnknownGroup),
        ("(?z)", 2, UnknownOption),
        ("(?<=a+)b", 0, LookBehindLength),
        ("(?<=a(?:b|cd))e", 0, LookBehindLength),
        ("a(?|b)", 1, Unsupported("groups with branch reset")),
        ("(?R)", 0, Unsupported("recursion and calls of groups")),
        ("(a)(?1)", 3, Unsupported("recursion and calls of groups")),
        (r"(a)\g<1>", 3, Unsupported("recursion and calls of groups")),
        ("(a)(?(1)b|c)", 3, Unsupported("conditional groups")),
        ("(*UTF8)a", 0, Unsupported("backtracking verbs")),
        (r"\p{L}", 0, Unsupported("Unicode properties")),
        (r"\X", 0, Unsupported("Unicode properties")),
        ("(?:(?:a{999}){999}){9}", 0, TooLarge),
    ];
    for (pattern, at, problem) in mistakes {
        let found = Rx::compile(pattern.as_bytes()).err();
        let expected = PatternError { at: *at, problem: problem.clone() };
        assert_eq!(found, Some(expected), "{pattern}");
    }
}

#[test]
fn only_what_looks_around_or_back_is_matched_by_backtracking() {
    let plain = [
        r"(?i)union\s+select",
        r"^(?:\s*+;\s*+(?:b|;?))*$",
        r"a*+b++c?+d{2,3}+",
        r"(?>a)(?>abc)(?>a+)b",
        r"(?:ab)*+",
        r"(?>a|ab)",
        r"(?>a|ab)(?:c|)",
        r"(?m)^a$",
        r"\R?",
    ];
    for pattern in plain {
        assert!(!rx(pattern.as_bytes()).backtracks(), "{pattern}");
    }
    let beyond = [
        r"a(?!b)",
        r"(?<=a)b",
        r"(a)\1",
        r"(?>a|ab)c",
        r"(?:ab)*+a",
        r"a\Z",
        r"(?m)^",
        r"\Kb",
        r"\Ra",
    ];
    for pattern in beyond {
        assert!(rx(pattern.as_bytes()).backtracks(), "{pattern}");
    }
}

#[test]
fn groups_may_be_nested_but_not_too_deeply() {
    let nested = |depth: usize| [&b"(".repeat(depth)[..], b"a", &b")+".repeat(depth)].concat();
    assert_eq!(rx(&nested(100)).matches(b"aaa", None), Outcome::Match);
    assert_eq!(groups(&nested(100), b"ba").map(|groups| groups.len()), Some(10));
    let error = Rx::compile(&nested(101)).err().map(|error| error.problem);
    assert_eq!(error, Some(Problem::TooDeep));
}

#[test]
fn backtracking_gives_up() {
    let slow = rx(br"(?:a|a)*(?!b)c\b");
    let text = [&b"a".repeat(40)[..], b"bc"].concat();
    assert_eq!(slow.matches(&text, None), Outcome::LimitReached);
    // Nothing is tried where the pattern cannot match at all.
    assert_eq!(slow.matches(&b"a".repeat(40), None), Outcome::NoMatch);
}

#[test]
fn a_long_text_is_no_trouble() {
    let nested = rx(br"^(?:a+)+$");
    let mut text = b"a".repeat(1 << 20);
    assert_eq!(nested.matches(&text, Some(&mut Captures::new())), Outcome::Match);
    text.push(b'b');
    assert_eq!(nested.matches(&text, None), Outcome::NoMatch);
    let groups = rx(br"(a)*(b)");
    let mut captures = Captures::new();
    assert_eq!(groups.matches(&text, Some(&mut captures)), Outcome::Match);
    assert_eq!(captures.get(&text, 0).map(<[u8]>::len), Some(text.len()));
    assert_eq!(captures.get(&text, 2), Some(&b"b"[..]));
}

#[test]
fn literals_are_what_a_match_must_hold() {
    let literals = |pattern: &str| {
        let found = required(&read(pattern.as_bytes()).expect(pattern).node)?;
        Some(found.iter().map(|text| text.escape_ascii().to_string()).collect::<Vec<_>>().join(" "))
    };
    for (pattern, expected) in [
        ("union", Some("union")),
        ("(?i)UNION", Some("union")),
        (r"(?i)union\s+(?:all\s+)?select", Some("select")),
        ("a(?:bc|de)f", Some("abcf adef")),
        ("foo|bar|foobar", Some("bar foo")),
        ("foo|", None),
        ("(?:foo)?", None),
        ("(?:foo)?bar", Some("bar")),
        ("(?:foo){2}", Some("foofoo")),
        ("(?:foo){2,}x", Some("foofoo")),
        ("[<>]script", Some("<script >script")),
        (r"\bfoo\b", Some("foo")),
        ("fo[a-z]o", Some("fo")),
        ("f[ou]o", Some("foo fuo")),
        ("'", Some("\\'")),
        ("e", None),
        (".*", None),
        (r"\w+\(", Some("(")),
        (r"(foo)\1", Some("foo")),
        ("(?!foo)bar", Some("bar")),
        ("(?=foo)", None),
        ("", None),
    ] {
        assert_eq!(literals(pattern).as_deref(), expected, "{pattern}");
    }
}

#[test]
fn any_bytes_are_a_pattern_or_a_mistake() {
    proptest::proptest!(|(pattern in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40))| {
        if let Ok(rx) = Rx::compile(&pattern) {
            rx.matches(b"some text", Some(&mut Captures::new()));
        }
    });
}

#[test]
fn any_signs_are_a_pattern_or_a_mistake() {
    proptest::proptest!(|(pattern in r"[\[\](){}\\*+?|^$:=!<>,aEQdgkNoxXRKbB0-9#-]{0,24}")| {
        if let Ok(rx) = Rx::compile(pattern.as_bytes()) {
            rx.matches(b"a text: 0-9 [aa]", Some(&mut Captures::new()));
        }
        // What is read is read the same again.
        proptest::prop_assert_eq!(parse(pattern.as_bytes()), parse(pattern.as_bytes()));
    });
}
