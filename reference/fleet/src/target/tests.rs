//! Conditions as people write them, rightly and wrongly.

use proptest::prelude::*;

use super::*;

fn facts() -> Facts {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    Facts {
        name: "web1.example.net".to_owned(),
        status: "online".to_owned(),
        mode: "daemon".to_owned(),
        version: "0.1.0".to_owned(),
        environment: map(&[
            ("ident", "Red Hat Enterprise Linux Server release 6.6 (Santiago)"),
            ("os", "linux"),
            ("cpus", "8"),
        ]),
        tags: map(&[("role", "web"), ("owner", "it's ours")]),
    }
}

fn takes(text: &str) -> bool {
    Target::parse(text).unwrap_or_else(|error| panic!("{error}")).takes(&facts())
}

#[test]
fn conditions_that_take_the_agent() {
    for text in [
        "status='online' AND mode='daemon'",
        "environment->>'ident' LIKE 'Red Hat Enterprise Linux Server release 6.6%'",
        "agents.environment->>'os'='linux' and agents.tags->>'role' = 'web'",
        "environment->>'ident' ilike '%SANTIAGO%'",
        "name GLOB 'web*.example.net'",
        "name ~ '^web[0-9]+\\.' AND NOT name ~* '^DB'",
        "name !~ 'db' and name !~* 'DB'",
        "tags->>'role' IN ('cache', 'web')",
        "tags->>'owner' = 'it''s ours'",
        "tags->>'role' IS NOT NULL AND tags->>'gone' IS NULL",
        "environment->>'cpus' > 4 AND environment->>'cpus' <= 8.0",
        "version >= '0.1.0' AND version < '0.2.0' AND version <> '0.1.1'",
        "NOT (mode='daemon' AND status='offline')",
        "mode='daemon' OR status='offline' AND name='nobody'",
        "all",
        "db1, web1.example.net",
        "web?.example.net",
        "tag:role",
        "tag:role=web",
    ] {
        assert!(takes(text), "{text}");
    }
}

#[test]
fn conditions_that_do_not() {
    for text in [
        "status='offline'",
        "(mode='daemon' OR status='offline') AND name='nobody'",
        "tags->>'gone' = 'x'",
        "tags->>'gone' <> 'x'",
        "NOT tags->>'gone' = 'x'",
        "NOT tags->>'gone' LIKE '%'",
        "environment->>'os' > 4",
        "name LIKE 'web'",
        "tags->>'role' NOT IN ('cache', 'web')",
        "db*,tag:role=cache,tag:gone",
        "web1",
    ] {
        assert!(!takes(text), "{text}");
    }
}

#[test]
fn mistakes_have_their_place() {
    let told: Vec<String> = [
        "",
        "mode=daemon",
        "mode='deamon'",
        "status = 'up'",
        "stauts='online'",
        "hostname='web1'",
        "status='online' && mode='daemon'",
        "status=\"online\"",
        "status='online",
        "(status='online' AND (mode='daemon')",
        "status='online') AND mode='daemon'",
        "environment='linux'",
        "environment->'os'='linux'",
        "environment->>os = 'linux'",
        "name LIKE 'web\\'",
        "name ~ 'web('",
        "name LIKE",
        "name 'web1'",
        "name NOT 'web1'",
        "name IN 'web1'",
        "name IN ('a' 'b')",
        "status='online' mode='daemon'",
        "AND mode='daemon'",
        "4 = 4",
        "name = 1.2.3",
        "tags->>'role' IS 'web'",
        "local",
        "web1,,db1",
        "web[1]",
        "tag:=web",
        "status='online'; DROP TABLE agents",
    ]
    .into_iter()
    .map(|text| format!("{}\n", Target::parse(text).expect_err(text)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn depth_and_length_have_a_limit() {
    let deep = |levels: usize| format!("{}name='a'{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Target::parse(&deep(40)).is_ok());
    assert!(Target::parse(&deep(5000)).is_err());
    assert!(Target::parse(&"NOT ".repeat(3000)).is_err());
    let long = vec!["name='a'"; 1000].join(" OR ");
    assert!(!Target::parse(&long).expect("a target").takes(&facts()));
    assert!(Target::parse(&vec!["name='a'"; 5000].join(" OR ")).is_err());
}

#[test]
fn facts_that_nobody_has_are_named() {
    let target =
        Target::parse("status='online' AND environment->>'idnet' LIKE 'D%' OR tag:x IS NULL");
    assert!(target.is_err());
    let target = Target::parse("environment->>'idnet' LIKE 'D%' AND environment->>'os'='linux'");
    let target = target.expect("a target");
    let facts = facts();
    let unknown: Vec<String> = target.unknown(&[&facts]).iter().map(ToString::to_string).collect();
    assert_eq!(unknown, ["environment->>'idnet'"]);
}

proptest! {
    /// Whatever is written, the answer is a target or an error within the text.
    #[test]
    fn nothing_panics(text in "[a-z'()<>=~!.,*%?:>\\- \"é\\\\]{0,40}") {
        if let Err(error) = Target::parse(&text) {
            prop_assert!(error.span().is_some_and(|span| span.end() <= text.len()));
        }
    }

    /// NOT turns a known answer round, and nothing else.
    #[test]
    fn not_turns_round(name in "[a-z]{1,3}", asked in "[a-z]{1,3}") {
        let facts = Facts { name: name.clone(), ..Facts::default() };
        let takes = |text: String| Target::parse(&text).expect("a target").takes(&facts);
        prop_assert_eq!(takes(format!("name='{asked}'")), name == asked);
        prop_assert_eq!(takes(format!("NOT name='{asked}'")), name != asked);
    }
}
