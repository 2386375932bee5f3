//! The lines that were promised, byte for byte, and the presets.

use std::time::Duration;

use edgeproof_accesslog::{Dialect, Format, Preset, Record};
use jiff::Zoned;

const FIELDS: &[(&str, &str)] =
    &[("Host", "sandbox.alwaysdata.net"), ("User-Agent", "curl/7.47.0")];

fn noon() -> Zoned {
    "2018-07-16T12:04:07.987654+02:00[Europe/Paris]".parse().unwrap()
}

fn golden<'a>(
    completion: &'a Zoned,
    fields: &'a &'static [(&'static str, &'static str)],
) -> Record<'a> {
    Record {
        client_ip: Some(b"127.0.0.1"),
        peer_ip: Some(b"::1"),
        protocol: Some(b"https"),
        request: Some(b"GET /wp/ HTTP/1.1"),
        request_hostname: Some(b"sandbox.alwaysdata.net"),
        request_method: Some(b"GET"),
        request_path: Some(b"/wp/"),
        request_protocol: Some(b"HTTP/1.1"),
        request_fields: fields,
        duration: Some(Duration::from_micros(134_567)),
        response_size: Some(55_380),
        status: Some(200),
        ..Record::at(completion)
    }
}

fn line(format: &Format, record: &Record<'_>) -> String {
    let mut out = Vec::new();
    format.write(record, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn golden_1_the_default_format() {
    assert_eq!(
        line(&Format::preset(Preset::Default), &golden(&noon(), &FIELDS)),
        "sandbox.alwaysdata.net 127.0.0.1 - - [16/Jul/2018:12:04:07 +0200] \
         \"GET /wp/ HTTP/1.1\" 200 55380 \"-\" \"curl/7.47.0\"\n"
    );
}

#[test]
fn golden_2_protocol_and_duration() {
    let format = Format::compile(
        "[{completion_date:{%d/%b/%Y:%H:%M:%S %z}}] protocol: {protocol} {request} \
         duration: {duration} seconds",
        Dialect::Of2018,
    )
    .unwrap();
    assert_eq!(
        line(&format, &golden(&noon(), &FIELDS)),
        "[16/Jul/2018:12:04:07 +0200] protocol: \"https\" \"GET /wp/ HTTP/1.1\" \
         duration: 0.134 seconds\n"
    );
}

#[test]
fn the_current_dialect_leaves_quotes_to_the_format_and_has_six_decimals() {
    let format =
        Format::compile("{protocol} \"{request}\" \"{referer}\" {duration}", Dialect::Current)
            .unwrap();
    assert_eq!(
        line(&format, &golden(&noon(), &FIELDS)),
        "https \"GET /wp/ HTTP/1.1\" \"-\" 0.134567\n"
    );
}

#[test]
fn the_other_presets() {
    let noon = noon();
    let record = golden(&noon, &FIELDS);
    assert_eq!(
        line(&Format::preset(Preset::Common), &record),
        "127.0.0.1 - - [16/Jul/2018:12:04:07 +0200] \"GET /wp/ HTTP/1.1\" 200 55380\n"
    );
    assert_eq!(
        line(&Format::preset(Preset::Combined), &record),
        "127.0.0.1 - - [16/Jul/2018:12:04:07 +0200] \"GET /wp/ HTTP/1.1\" 200 55380 \"-\" \
         \"curl/7.47.0\"\n"
    );
    let json = line(&Format::preset(Preset::Json), &record);
    assert_eq!(
        json,
        "{\"completion_date\":\"2018-07-16T12:04:07.987654+02:00\",\"request_time\":null,\
         \"duration\":0.134567,\"client_ip\":\"127.0.0.1\",\"peer_ip\":\"::1\",\
         \"protocol\":\"https\",\"ssl_version\":null,\"request\":\"GET /wp/ HTTP/1.1\",\
         \"request_hostname\":\"sandbox.alwaysdata.net\",\"request_method\":\"GET\",\
         \"request_path\":\"/wp/\",\"request_protocol\":\"HTTP/1.1\",\"status\":200,\
         \"response_size\":55380,\"referer\":null,\"user_agent\":\"curl/7.47.0\"}\n"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_object());
}

#[test]
fn everything_missing() {
    let noon = noon();
    assert_eq!(
        line(&Format::preset(Preset::Default), &Record::at(&noon)),
        "- - - - [16/Jul/2018:12:04:07 +0200] \"-\" - - \"-\" \"-\"\n"
    );
}

#[test]
fn a_field_of_several_lines_is_one_value() {
    let fields: &[(&str, &str)] = &[("Accept", "a"), ("X", "-"), ("accept", "b c")];
    let noon = noon();
    let record = Record { response_fields: &fields, ..Record::at(&noon) };
    let format = Format::compile(
        "{response_header:ACCEPT} \"{response_header:accept}\" {response_header:x} \
         {response_header:y}",
        Dialect::Current,
    )
    .unwrap();
    let line = line(&format, &record);
    assert_eq!(line, "a,\\x20b\\x20c \"a, b c\" \\x2D -\n");
    let parsed = format.parse(line.as_bytes()).unwrap();
    assert_eq!(parsed.get("response_header:accept"), Some(Some(b"a, b c".as_slice())));
    assert_eq!(parsed.get("response_header:x"), Some(Some(b"-".as_slice())));
    assert_eq!(parsed.get("response_header:y"), Some(None));
    assert_eq!(parsed.get("status"), None);
}

#[test]
fn a_placeholder_in_a_value_stays_text() {
    let fields: &[(&str, &str)] = &[("User-Agent", "{status} {completion_date:{%Y}}")];
    let noon = noon();
    let record = Record { request_fields: &fields, status: Some(200), ..Record::at(&noon) };
    let format = Format::compile("{status} {user_agent}", Dialect::Of2018).unwrap();
    assert_eq!(line(&format, &record), "200 \"{status} {completion_date:{%Y}}\"\n");
}

#[test]
fn hostile_bytes_stay_in_their_line() {
    let fields: &[(&str, &[u8])] =
        &[("User-Agent", b"a\"b\\c\r\nd\0e\x1b[31mf\x7fg\xc2\x9bh\xff\xe2\x80\xae")];
    let noon = noon();
    let record = Record { request_fields: &fields, ..Record::at(&noon) };
    let format = Format::compile("{user_agent}", Dialect::Of2018).unwrap();
    assert_eq!(
        line(&format, &record),
        "\"a\\x22b\\x5Cc\\x0D\\x0Ad\\x00e\\x1B[31mf\\x7Fg\\xC2\\x9Bh\\xFF\\xE2\\x80\\xAE\"\n"
    );
}
