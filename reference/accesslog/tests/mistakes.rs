//! What is said of a wrong format and of a foreign line, with its column.

use edgeproof_accesslog::{Dialect, Format, Preset};
use insta::assert_snapshot;

/// The format, a caret under what is wrong, and the message.
fn mistake(text: &str, dialect: Dialect) -> String {
    let error = Format::compile(text, dialect).unwrap_err();
    let span = error.span();
    let caret = " ".repeat(span.start) + &"^".repeat(span.len().max(1));
    format!("{text:?}\n {caret}\n{error}")
}

#[test]
fn formats_of_the_current_dialect() {
    let wrong = [
        "",
        "combind",
        "all of it",
        "{status} {user_agnet}",
        "{Status}",
        "{frobnicate}",
        "{}",
        "[{status",
        "{completion_date:%Y",
        "status} {status}",
        "{status{duration}}",
        "{completion_date:{%d/%b/%Y:%H:%M:%S %z}}",
        "{completion_date:}",
        "at {completion_date:%Y-%!-%d}",
        "at {completion_date:%Y %}",
        "at {completion_date:%Y %_}",
        "at {completion_date:%00f}",
        "{status:200}",
        "{request_header}",
        "{request_header:}",
        "{response_header:Set Cookie}",
        "{status}{duration} ",
        "{request_path}\\{status}",
        "{request_path}-{status}",
        "{completion_date:%.f}-",
        "{status}\t{duration}",
        "caf\u{e9} \u{9b}{status}",
    ];
    let all: Vec<_> = wrong.iter().map(|text| mistake(text, Dialect::Current)).collect();
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn formats_of_2018() {
    let wrong = [
        "{completion_date:%Y}",
        "{completion_date:{%Y}",
        "{completion_date:{%Y",
        "{completion_date:{%Y{}}",
        "{completion_date:{%Y} }",
        "{request_header}",
        "{request}{referer}",
        "{status}-{request_path}-",
    ];
    let all: Vec<_> = wrong.iter().map(|text| mistake(text, Dialect::Of2018)).collect();
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn lines_that_the_format_did_not_write() {
    let text = Format::compile("{status} {request} [{request_path}]", Dialect::Of2018).unwrap();
    let json = Format::preset(Preset::Json);
    let lines: [(&Format, &[u8]); 12] = [
        (&text, b"200"),
        (&text, b"200 GET"),
        (&text, b"200 \"GET / HTTP/1.1\" /"),
        (&text, b"200 \"GET \"x\" HTTP/1.1\" [/]"),
        (&text, b"200 \"GET /\x1b HTTP/1.1\" [/]"),
        (&text, b"200 \"GET \\q\" [/]"),
        (&text, b"200 \"GET / HTTP/1.1\" [/"),
        (&text, b"200 \"GET / HTTP/1.1\" [/] more"),
        (&text, b"200 \"GET"),
        (&json, b"{\"completion_date\":x"),
        (&json, b"{\"completion_date\":\"\\ud800\""),
        (&json, b"{\"completion_date\":\"2018\xff\""),
    ];
    let all: Vec<_> = lines
        .iter()
        .map(|(format, line)| {
            format!("{}\n{}", line.escape_ascii(), format.parse(line).unwrap_err())
        })
        .collect();
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn a_name_in_the_configuration_is_a_preset_or_a_format() {
    let noon: jiff::Zoned = "2018-07-16T12:04:07+02:00[Europe/Paris]".parse().unwrap();
    let record =
        edgeproof_accesslog::Record { status: Some(204), ..edgeproof_accesslog::Record::at(&noon) };
    let mut out = Vec::new();
    Format::named_or_compiled("common", Dialect::Of2018).unwrap().write(&record, &mut out);
    Format::named_or_compiled("commoner {status}", Dialect::Of2018)
        .unwrap()
        .write(&record, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "- - - [16/Jul/2018:12:04:07 +0200] \"-\" 204 -\ncommoner 204\n"
    );
    assert_snapshot!("comon".parse::<Preset>().unwrap_err(), @r#"unknown preset "comon"; expected default, common, combined, json"#);
    assert_snapshot!("2019".parse::<Dialect>().unwrap_err(), @r#"unknown dialect "2019"; expected 2018 or current"#);
}
