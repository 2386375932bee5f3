//! Durations, sizes and suggestions.

use std::time::Duration;

use edgeproof_diagnostics::{parse_duration, parse_size, suggest};
use insta::assert_snapshot;

#[test]
fn durations() {
    let right = [
        ("0", Duration::ZERO),
        ("10s", Duration::from_secs(10)),
        ("500ms", Duration::from_millis(500)),
        ("1m", Duration::from_secs(60)),
        ("2h", Duration::from_secs(7200)),
        ("1d", Duration::from_secs(86400)),
        ("1h30m", Duration::from_secs(5400)),
        ("1.5s", Duration::from_millis(1500)),
        ("7us", Duration::from_micros(7)),
        ("9ns", Duration::from_nanos(9)),
        ("0.0000000001s", Duration::ZERO),
        ("366000d", Duration::from_secs(366_000 * 86400)),
    ];
    for (text, duration) in right {
        assert_eq!(parse_duration(text), Ok(duration), "{text}");
    }
}

#[test]
fn what_is_no_duration() {
    let wrong = [
        "",
        "10",
        "s",
        "-1s",
        "1.s",
        ".5s",
        "1 s",
        "10x",
        "10sec",
        "1é",
        "1m1h",
        "1s1s",
        "1h5",
        "366001d",
        "99999999999999999999999999999999999999999s",
    ];
    let messages: Vec<String> =
        wrong.into_iter().map(|text| parse_duration(text).expect_err(text).to_string()).collect();
    assert_snapshot!(messages.join("\n"), @"
    expected a duration such as `10s`, found ``
    `10` lacks a unit, such as `10s`
    expected a duration such as `10s`, found `s`
    expected a duration such as `10s`, found `-1s`
    expected a duration such as `10s`, found `1.s`
    expected a duration such as `10s`, found `.5s`
    expected a duration such as `10s`, found `1 s`
    unknown unit `x` in `10x`: use ns, us, ms, s, m, h or d
    unknown unit `sec` in `10sec`: use ns, us, ms, s, m, h or d
    unknown unit `é` in `1é`: use ns, us, ms, s, m, h or d
    the units in `1m1h` must go from long to short, each once, as in `1h30m`
    the units in `1s1s` must go from long to short, each once, as in `1h30m`
    `1h5` lacks a unit, such as `1h5s`
    `366001d` is too large
    `99999999999999999999999999999999999999999s` is too large
    ");
}

#[test]
fn sizes() {
    let right = [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("10KB", 10_000),
        ("10kB", 10_000),
        ("64MiB", 64 << 20),
        ("1.5GiB", 3 << 29),
        ("2TB", 2_000_000_000_000),
        ("18446744073709551615", u64::MAX),
    ];
    for (text, size) in right {
        assert_eq!(parse_size(text), Ok(size), "{text}");
    }
}

#[test]
fn what_is_no_size() {
    let wrong =
        ["", "MiB", "-1", "10K", "10 MB", "1.5", "1.0001KB", "1MB5", "18446744073709551616"];
    let messages: Vec<String> =
        wrong.into_iter().map(|text| parse_size(text).expect_err(text).to_string()).collect();
    assert_snapshot!(messages.join("\n"), @"
    expected a size such as `64MiB`, found ``
    expected a size such as `64MiB`, found `MiB`
    expected a size such as `64MiB`, found `-1`
    unknown unit `K` in `10K`: use B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)
    expected a size such as `64MiB`, found `10 MB`
    `1.5` is not a whole number of octets
    `1.0001KB` is not a whole number of octets
    expected a size such as `64MiB`, found `1MB5`
    `18446744073709551616` is too large
    ");
}

#[test]
fn suggestions_are_near_or_none() {
    let keys = ["status", "headers", "body", "origin_requests", "on"];
    assert_eq!(suggest("header", keys), Some("headers"));
    assert_eq!(suggest("Status", keys), Some("status"));
    assert_eq!(suggest("origin-requests", keys), Some("origin_requests"));
    assert_eq!(suggest("originrequest", keys), Some("origin_requests"));
    assert_eq!(suggest("bdoy", keys), Some("body"));
    assert_eq!(suggest("timeout", keys), None);
    assert_eq!(suggest("x", keys), None);
    assert_eq!(suggest("", keys), None);
    assert_eq!(suggest("body", []), None);
}
