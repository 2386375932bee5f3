//! Lines that nginx and Apache httpd write, read by the presets, and what any line is as JSON.

use edgeproof_accesslog::{Dialect, Format, Preset, Record};

fn json(format: &Format, line: &str) -> String {
    let mut out = Vec::new();
    match format.parse_foreign(line.as_bytes()) {
        Ok(parsed) => parsed.put_json(&mut out),
        Err(error) => out.extend_from_slice(error.to_string().as_bytes()),
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn combined_logs_of_nginx() {
    let combined = Format::preset(Preset::Combined);
    let lines = [
        r#"127.0.0.1 - - [22/Nov/2026:09:00:00 +0000] "GET /a?b=%22 HTTP/1.1" 200 612 "-" "curl/8.14.1""#,
        r#"2001:db8::1 - ann [22/Nov/2026:09:00:01 +0000] "GET / HTTP/1.1" 304 0 "http://a.test/" "a\x22b\x5Cc\x1B[31m\xC3\xA9\xFF""#,
        r#"127.0.0.1 - - [22/Nov/2026:09:00:02 +0000] "\x16\x03\x01\x02" 400 150 "-" "-""#,
        r#"127.0.0.1 - - [22/Nov/2026:09:00:03 +0000] "" 400 0 "-" """#,
    ];
    insta::assert_snapshot!(lines.map(|line| json(&combined, line)).join("\n"));
}

#[test]
fn combined_logs_of_apache() {
    let combined = Format::preset(Preset::Combined);
    let lines = [
        r#"host.test - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#,
        r#"127.0.0.1 - "" [22/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 401 - "-" "say \"hi\" \\ \t\n\xff\x1b""#,
        r#"127.0.0.1 - John Doe [22/Nov/2026:09:00:00 +0000] "-" 408 - "-" "-""#,
    ];
    insta::assert_snapshot!(lines.map(|line| json(&combined, line)).join("\n"));
}

#[test]
fn what_does_not_fit_says_where() {
    let combined = Format::preset(Preset::Combined);
    let start = "127.0.0.1 - - [22/Nov/2026:09:00:00 +0000] ";
    let lines = [
        String::new(),
        "half a li".to_owned(),
        format!("{start}\"GET / HTTP/1.1\" 200 5 \"-\" \"bad \\q escape\""),
        format!("{start}\"GET / HTTP/1.1\" 200 5 \"-\" \"raw \u{1b}[31m\""),
        format!("{start}\"GET / HTTP/1.1\" 200 5 \"-\" \"more\" than that"),
    ];
    insta::assert_snapshot!(lines.map(|line| json(&combined, &line)).join("\n"));
}

#[test]
fn strict_reading_takes_only_what_this_crate_writes() {
    let combined = Format::preset(Preset::Combined);
    let apache =
        br#"127.0.0.1 - - [22/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "say \"hi\"""#;
    assert!(combined.parse_foreign(apache).is_ok());
    assert!(combined.parse(apache).is_err());
}

#[test]
fn strict_reading_finds_what_was_never_written() {
    let combined = Format::preset(Preset::Combined);
    let line = |date: &str, status: &str, size: &str| {
        format!("127.0.0.1 - - [{date}] \"GET / HTTP/1.1\" {status} {size} \"-\" \"x\"")
    };
    let date = "22/Nov/2026:09:00:00 +0100";
    for (status, size) in [("200", "5"), ("-", "0"), ("599", "18446744073709551615")] {
        assert!(combined.parse(line(date, status, size).as_bytes()).is_ok(), "{status} {size}");
    }
    for (status, size) in [
        ("foo", "5"),
        ("999999", "5"),
        ("0200", "5"),
        ("+200", "5"),
        ("200", "-7"),
        ("200", "bar"),
        ("200", "007"),
        ("200", "18446744073709551616"),
    ] {
        assert!(combined.parse(line(date, status, size).as_bytes()).is_err(), "{status} {size}");
    }
    for date in [
        "99/Foo/2018:99:99:99 +9999",
        "31/Feb/2026:09:00:00 +0000",
        "22/nov/2026:09:00:00 +0000",
        "22/Nov/2026:9:00:00 +0000",
        "22/Nov/2026:09:00:00",
        "hello",
    ] {
        assert!(combined.parse(line(date, "200", "5").as_bytes()).is_err(), "{date}");
    }
    let named = br#"127.0.0.1 - ann [22/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x""#;
    assert!(combined.parse(named).is_err() && combined.parse_foreign(named).is_ok());
    let durations = Format::compile("{duration}", Dialect::Current).unwrap();
    for (duration, is_written) in [
        ("0.134567", true),
        ("12.000000", true),
        ("1.5", false),
        ("00.134567", false),
        ("1", false),
    ] {
        assert_eq!(durations.parse(duration.as_bytes()).is_ok(), is_written, "{duration}");
    }
    let json = Format::preset(Preset::Json);
    let now: jiff::Zoned = "2018-07-16T12:04:07+02:00[Europe/Paris]".parse().unwrap();
    let mut line = Vec::new();
    json.write(&Record { status: Some(200), ..Record::at(&now) }, &mut line);
    let line = String::from_utf8(line).unwrap();
    assert!(json.parse(line.as_bytes()).is_ok());
    for (written, forged) in [(":200", ":\"200\""), ("12:04:07", "25:04:07"), (":200", ":null1")] {
        let forged = line.replace(written, forged);
        assert!(forged != line && json.parse(forged.as_bytes()).is_err(), "{forged}");
    }
}

#[test]
fn numbers_are_numbers_and_what_stands_twice_is_a_list() {
    let format =
        Format::compile("{status} {duration} {response_size}|{status} {default}", Dialect::Current);
    let format = format.unwrap();
    let lines = ["200 0.134567 5|- -", "- - -|- -", "007 1. x|- ann"];
    insta::assert_snapshot!(lines.map(|line| json(&format, line)).join("\n"));
}
