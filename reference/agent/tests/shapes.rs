//! A pattern that is matched without a regex engine has the engine's verdict.

use edgeproof_agent::{Pattern, Search};
use proptest::prelude::*;
use regex::bytes::RegexBuilder;

fn engine(pattern: &str) -> Option<regex::bytes::Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

/// A word of few letters, so that patterns and lines meet.
fn word() -> impl Strategy<Value = String> {
    "[ab#/= ]{1,3}|ssh-rsa |AAAAB3|AAAAC3/x"
}

fn literal() -> impl Strategy<Value = String> {
    word().prop_map(|word| {
        word.chars().map(|c| if c == '/' { "\\/".to_owned() } else { c.to_string() }).collect()
    })
}

/// Patterns as people write them for lists of keys, and stranger ones.
fn pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => literal(),
        1 => "[.]|\\\\s|\\\\S|[.]\\*|[.]\\+|\\\\s\\*|\\\\s\\+|\\\\S\\+|a\\?|\\\\\\+|\\\\[.]\\?|\\\\\\\\|[ab]|a\\*|\\[ab\\]",
    ];
    let group = part.clone().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            proptest::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("({})", parts.join("|"))),
            inner.clone().prop_map(|part| format!("(?:{part})?")),
            inner.prop_map(|part| format!("^{part}$")),
        ]
    });
    (any::<bool>(), proptest::collection::vec(group, 0..4), any::<bool>()).prop_map(
        |(start, parts, end)| {
            let (start, end) = (if start { "^" } else { "" }, if end { "$" } else { "" });
            format!("{start}{}{end}", parts.concat())
        },
    )
}

fn line() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![word(), "[ab\\t\\n\\\\.+ \\x0b#é]{0,3}"], 0..5)
        .prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_verdict_is_the_engines(pattern in pattern(), lines in proptest::collection::vec(line(), 8)) {
        if let Some(engine) = engine(&pattern) {
            let ours = Pattern::new(&pattern).expect("the engine takes it");
            for line in lines {
                prop_assert_eq!(
                    ours.matches(line.as_bytes()), engine.is_match(line.as_bytes()),
                    "{} plain={} on {:?}", pattern, ours.is_plain(), line
                );
            }
        } else {
            prop_assert!(Pattern::new(&pattern).is_err(), "the engine refuses {}", pattern);
        }
    }

    #[test]
    fn a_content_is_taken_where_the_engine_takes_it(pattern in pattern(), more in "[ab+*?|()^$.{}\\\\\\[\\]]{0,3}") {
        let pattern = pattern + &more;
        let taken = Search::named("content").add_content(pattern.as_str());
        // A `!` before it is none of the regex's; no such pattern begins with one.
        prop_assert_eq!(taken.is_ok(), engine(&pattern).is_some(), "{}", pattern);
    }

    #[test]
    fn any_octets_have_the_engines_verdict(
        pattern in proptest::sample::select(
            vec!["^a.*b$", r"^\s*(#.*|a.+)?$", r"a\Sb", "^(a( .*)?|b)$", ".", "^$"]
        ),
        line in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let ours = Pattern::new(pattern).expect("a pattern");
        prop_assert_eq!(ours.matches(&line), engine(pattern).expect("a regex").is_match(&line));
    }
}

#[test]
fn lists_of_keys_need_no_engine() {
    for pattern in [
        r"^((#.+)|(\s+)|(ssh-rsa AAAAB3NzaC1yc2E\+x\/y== .+)|(ssh-ed25519 AAAAC3Nz ann@desk))$",
        r"^\s*((ssh-rsa AAAAB3Nz)|(ssh-ed25519 AAAAC3Nz))",
        r"^ssh-rsa\s+AAAAB3Nz( .*)?$",
        "^authorized_keys2?$",
        "Hacked By",
    ] {
        assert!(Pattern::new(pattern).expect("a pattern").is_plain(), "{pattern}");
    }
}
