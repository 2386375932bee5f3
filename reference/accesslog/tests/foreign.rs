//! Lines that nginx and Apache httpd write, read by the presets, and what any line is as JSON.

use edgeproof_accesslog::{Dialect, Format, Preset};

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
fn numbers_are_numbers_and_what_stands_twice_is_a_list() {
    let format =
        Format::compile("{status} {duration} {response_size}|{status} {default}", Dialect::Current);
    let format = format.unwrap();
    let lines = ["200 0.134567 5|- -", "- - -|- -", "007 1. x|- ann"];
    insta::assert_snapshot!(lines.map(|line| json(&format, line)).join("\n"));
}
