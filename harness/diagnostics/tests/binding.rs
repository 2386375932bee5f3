//! Binding: right values come through, every wrong one is reported at its place.

use std::net::IpAddr;
use std::time::Duration;

use edgeproof_diagnostics::{Colour, Diagnostics, MapReader, Source, Value, parse};
use insta::assert_snapshot;

/// Binds `text` with `bind`; its value and the rendering of all mistakes.
fn bind<T>(text: &str, bind: impl FnOnce(&mut MapReader<'_>) -> T) -> (T, String) {
    let diagnostics = Diagnostics::new();
    let node = parse(&Source::new("site.yaml", text), &diagnostics).expect("YAML");
    let mut reader = MapReader::new(&node, &diagnostics, "a site");
    let value = bind(&mut reader);
    reader.finish();
    (value, diagnostics.render(Colour::Never))
}

/// The mistakes of the one key `v`; `get` reads it and says whether a value came through.
fn mistakes(text: &str, get: impl FnOnce(Value<'_>) -> bool) -> String {
    let (value, rendered) = bind(text, |site| get(site.optional("v")));
    assert!(!value, "a wrong value must not come through");
    rendered
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Must,
    Should,
}

const LEVELS: &[(&str, Level)] = &[("must", Level::Must), ("should", Level::Should)];

#[test]
fn right_values_come_through() {
    let text = "
        host: shop.example
        port: 8080
        offset: -3
        ratio: 0.5
        cache: true
        idle: 1m30s
        memory: 64MiB
        level: should
        peer: 127.0.0.1
        ports: [80, 443]
        one: 7
        headers: {age: 30, x-a: b}
        nested: {a: 1}
    ";
    let ((), rendered) = bind(text, |site| {
        assert_eq!(site.required("host").str(), Some("shop.example"));
        assert_eq!(site.required("port").u64_in(1..=65535), Some(8080));
        assert_eq!(site.required("offset").i64(), Some(-3));
        assert_eq!(site.required("ratio").f64(), Some(0.5));
        assert_eq!(site.required("cache").bool(), Some(true));
        assert_eq!(site.required("idle").duration(), Some(Duration::from_secs(90)));
        assert_eq!(site.required("memory").size(), Some(64 << 20));
        assert_eq!(site.required("level").one_of(LEVELS), Some(Level::Should));
        let peer = site.required("peer").spanned(|peer| peer.parse(str::parse::<IpAddr>));
        assert_eq!(peer.expect("an address").span.position().line, 10);
        assert_eq!(site.required("ports").list(Value::u64), Some(vec![80, 443]));
        assert_eq!(site.required("one").one_or_more().expect("one").len(), 1);
        let headers = site.required("headers").entries().expect("headers");
        assert_eq!((headers[0].0.value, headers[0].1.str()), ("age", Some("30")));
        let mut nested = site.required("nested").map("a nest").expect("a mapping");
        assert_eq!(nested.required("a").u64(), Some(1));
        nested.finish();
        assert!(!site.optional("absent").is_present());
        assert_eq!(site.optional("absent").str(), None);
    });
    assert_eq!(rendered, "");
}

#[test]
fn all_mistakes_are_found_in_one_go() {
    let text =
        "hots: a\nport: eighty\nidle: [1]\nlevel: shoud\nsteps:\n  - 1\n  - x\n  - y\nfoo: 1\n";
    let (_, rendered) = bind(text, |site| {
        site.required("host").str();
        site.required("port").u64();
        site.optional("idle").duration();
        site.optional("level").one_of(LEVELS);
        assert_eq!(site.required("steps").list(Value::u64), None);
        site.required("name").str();
    });
    assert_snapshot!(rendered, @"
    error: unknown key `hots` in a site
     --> site.yaml:1:1
      |
    1 | hots: a
      | ^^^^
      |
      = help: did you mean `host`?

    error: missing `name` in a site
     --> site.yaml:1:1
      |
    1 | hots: a
      | ^^^^^^^

    error: expected a whole number, not negative, found the text `eighty`
     --> site.yaml:2:7
      |
    2 | port: eighty
      |       ^^^^^^

    error: expected a duration such as `10s`, found a list
     --> site.yaml:3:7
      |
    3 | idle: [1]
      |       ^^^

    error: expected one of `must`, `should`, found the text `shoud`
     --> site.yaml:4:8
      |
    4 | level: shoud
      |        ^^^^^
      |
      = help: did you mean `should`?

    error: expected a whole number, not negative, found the text `x`
     --> site.yaml:7:5
      |
    7 |   - x
      |     ^

    error: expected a whole number, not negative, found the text `y`
     --> site.yaml:8:5
      |
    8 |   - y
      |     ^

    error: unknown key `foo` in a site
     --> site.yaml:9:1
      |
    9 | foo: 1
      | ^^^
      |
      = help: known keys are `host`, `port`, `idle`, `level`, `steps`, `name`

    8 errors in 1 file
    ");
}

#[test]
fn a_reader_on_something_else_than_a_mapping_says_so_once() {
    let (value, rendered) = bind("- a\n- b\n", |site| site.required("host").str().is_some());
    assert!(!value);
    assert_snapshot!(rendered, @"
    error: expected a site (a mapping), found a list
     --> site.yaml:1:1
      |
    1 | - a
      | ^^^

    1 error in 1 file
    ");
}

#[test]
fn a_forgotten_space_behind_the_colon() {
    let (_, rendered) = bind("host:a\nport:1\n", |site| site.required("host").str().is_some());
    assert_snapshot!(rendered, @"
    error: expected a site (a mapping), found the text `host:a port:1`
     --> site.yaml:1:1
      |
    1 | host:a
      | ^^^^^^
      |
      = help: a key needs a space behind its `:`

    1 error in 1 file
    ");
}

#[test]
fn a_missing_key_of_a_nested_mapping() {
    let (_, rendered) = bind("cache:\n  policy: rfc9111\n  size: 1MB\n", |site| {
        let mut cache = site.required("cache").map("the cache").expect("a mapping");
        cache.required("store").str();
        cache.optional("policy").str();
        cache.optional("size").size();
        cache.finish();
    });
    assert_snapshot!(rendered, @"
    error: missing `store` in the cache
     --> site.yaml:2:3
      |
    2 |   policy: rfc9111
      |   ^^^^^^^^^^^^^^^

    1 error in 1 file
    ");
}

#[test]
fn an_empty_value_is_no_text() {
    assert_snapshot!(mistakes("v:\n", |v| v.str().is_some()), @"
    error: expected a text, found nothing
     --> site.yaml:1:3
      |
    1 | v:
      |   ^

    1 error in 1 file
    ");
}

#[test]
fn a_list_is_no_text() {
    assert_snapshot!(mistakes("v:\n  - a\n  - b\n", |v| v.str().is_some()), @"
    error: expected a text, found a list
     --> site.yaml:2:3
      |
    2 |   - a
      |   ^^^

    1 error in 1 file
    ");
}

#[test]
fn yes_is_no_boolean() {
    assert_snapshot!(mistakes("v: yes\n", |v| v.bool().is_some()), @"
    error: expected `true` or `false`, found the text `yes`
     --> site.yaml:1:4
      |
    1 | v: yes
      |    ^^^
      |
      = help: write `true`, without quotes

    1 error in 1 file
    ");
}

#[test]
fn a_quoted_number_is_a_text() {
    assert_snapshot!(mistakes("v: '5'\n", |v| v.u64().is_some()), @"
    error: expected a whole number, not negative, found the text `5`
     --> site.yaml:1:4
      |
    1 | v: '5'
      |    ^^^
      |
      = help: leave out the quotes: with them it is a text

    1 error in 1 file
    ");
}

#[test]
fn a_negative_number_where_none_can_be() {
    assert_snapshot!(mistakes("v: -1\n", |v| v.u64().is_some()), @"
    error: expected a whole number, not negative, found the number `-1`
     --> site.yaml:1:4
      |
    1 | v: -1
      |    ^^

    1 error in 1 file
    ");
}

#[test]
fn a_number_out_of_range() {
    assert_snapshot!(mistakes("v: 99\n", |v| v.u64_in(100..=599).is_some()), @"
    error: expected a whole number from 100 to 599, found the number `99`
     --> site.yaml:1:4
      |
    1 | v: 99
      |    ^^

    1 error in 1 file
    ");
}

#[test]
fn a_fraction_is_no_whole_number() {
    assert_snapshot!(mistakes("v: 1.5\n", |v| v.i64().is_some()), @"
    error: expected a whole number, found the number `1.5`
     --> site.yaml:1:4
      |
    1 | v: 1.5
      |    ^^^

    1 error in 1 file
    ");
}

#[test]
fn infinity_is_no_number() {
    assert_snapshot!(mistakes("v: .inf\n", |v| v.f64().is_some()), @"
    error: expected a number, found the number `.inf`
     --> site.yaml:1:4
      |
    1 | v: .inf
      |    ^^^^

    1 error in 1 file
    ");
}

#[test]
fn a_list_is_no_duration() {
    assert_snapshot!(mistakes("v: [10s]\n", |v| v.duration().is_some()), @"
    error: expected a duration such as `10s`, found a list
     --> site.yaml:1:4
      |
    1 | v: [10s]
      |    ^^^^^

    1 error in 1 file
    ");
}

#[test]
fn a_duration_without_a_unit() {
    assert_snapshot!(mistakes("v: 10\n", |v| v.duration().is_some()), @"
    error: `10` lacks a unit, such as `10s`
     --> site.yaml:1:4
      |
    1 | v: 10
      |    ^^

    1 error in 1 file
    ");
}

#[test]
fn a_duration_with_an_unknown_unit() {
    assert_snapshot!(mistakes("v: 10 parsecs\n", |v| v.duration().is_some()), @"
    error: expected a duration such as `10s`, found `10 parsecs`
     --> site.yaml:1:4
      |
    1 | v: 10 parsecs
      |    ^^^^^^^^^^

    1 error in 1 file
    ");
}

#[test]
fn a_size_with_an_unknown_unit() {
    assert_snapshot!(mistakes("v: 10MIB\n", |v| v.size().is_some()), @"
    error: unknown unit `MIB` in `10MIB`: use B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)
     --> site.yaml:1:4
      |
    1 | v: 10MIB
      |    ^^^^^

    1 error in 1 file
    ");
}

#[test]
fn a_mapping_is_no_size() {
    assert_snapshot!(mistakes("v: {a: 1}\n", |v| v.size().is_some()), @"
    error: expected a size such as `64MiB`, found a mapping
     --> site.yaml:1:4
      |
    1 | v: {a: 1}
      |    ^^^^^^

    1 error in 1 file
    ");
}

#[test]
fn no_choice_is_near() {
    assert_snapshot!(mistakes("v: 7\n", |v| v.one_of(LEVELS).is_some()), @"
    error: expected one of `must`, `should`, found the number `7`
     --> site.yaml:1:4
      |
    1 | v: 7
      |    ^

    1 error in 1 file
    ");
}

#[test]
fn a_scalar_is_no_list() {
    assert_snapshot!(mistakes("v: a\n", |v| v.items().is_some()), @"
    error: expected a list, found the text `a`
     --> site.yaml:1:4
      |
    1 | v: a
      |    ^

    1 error in 1 file
    ");
}

#[test]
fn a_scalar_is_no_mapping() {
    assert_snapshot!(mistakes("v: a\n", |v| v.entries().is_some()), @"
    error: expected a mapping, found the text `a`
     --> site.yaml:1:4
      |
    1 | v: a
      |    ^

    1 error in 1 file
    ");
}

#[test]
fn a_list_is_no_mapping_with_known_keys() {
    assert_snapshot!(mistakes("v: []\n", |v| v.map("the cache").map(MapReader::finish).is_some()), @"
    error: expected the cache (a mapping), found a list
     --> site.yaml:1:4
      |
    1 | v: []
      |    ^^

    1 error in 1 file
    ");
}

#[test]
fn an_error_of_the_caller_s_reader() {
    assert_snapshot!(mistakes("v: 127.0.0.256\n", |v| v.parse(str::parse::<IpAddr>).is_some()), @"
    error: invalid IP address syntax
     --> site.yaml:1:4
      |
    1 | v: 127.0.0.256
      |    ^^^^^^^^^^^

    1 error in 1 file
    ");
}
