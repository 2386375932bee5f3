use proptest::prelude::*;

use super::super::arguments::{Arguments, Origin};
use super::*;

const TYPE: &[u8] = b"multipart/form-data; boundary=b";

fn parse(body: &str) -> Multipart {
    Multipart::parse(body.as_bytes(), Some(TYPE), Limits::default())
}

/// The names of the flags that are up.
pub(super) fn raised(flags: Flags) -> Vec<&'static str> {
    [
        ("boundary_quoted", flags.boundary_quoted),
        ("boundary_whitespace", flags.boundary_whitespace),
        ("missing_semicolon", flags.missing_semicolon),
        ("data_before", flags.data_before),
        ("data_after", flags.data_after),
        ("header_folding", flags.header_folding),
        ("invalid_header_folding", flags.invalid_header_folding),
        ("lf_line", flags.lf_line),
        ("invalid_quoting", flags.invalid_quoting),
        ("invalid_part", flags.invalid_part),
        ("file_limit_exceeded", flags.file_limit_exceeded),
        ("unmatched_boundary", flags.unmatched_boundary),
        ("error", flags.error),
    ]
    .into_iter()
    .filter_map(|(name, up)| up.then_some(name))
    .collect()
}

/// Each part as `name=content` or `name(filename)=content`.
fn parts(body: &str, read: &Multipart) -> Vec<String> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    read.parts
        .iter()
        .map(|part| {
            let content = text(&body.as_bytes()[part.content.clone()]);
            let filename = part.filename.as_ref().map(|name| format!("({})", text(name)));
            format!("{}{}={content}", text(&part.name), filename.unwrap_or_default())
        })
        .collect()
}

/// A body with one field `a` whose header is `header` (with its line ends) and whose content `1`.
fn with_header(header: &str) -> String {
    format!("--b\r\n{header}\r\n1\r\n--b--\r\n")
}

#[test]
fn a_browsers_form() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
        --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"C:\\dir\\x.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nline 1\r\nline 2\n\r\n\
        --b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\n";
    let read = parse(body);
    assert_eq!(read.error, None);
    assert_eq!(raised(read.flags), [""; 0]);
    assert!(!read.flags.strict_error() && read.flags.crlf_line && !read.flags.crlf_lf_lines());
    assert_eq!(parts(body, &read), ["a=1", r"f(C:\\dir\\x.txt)=line 1\r\nline 2\n", "empty="]);
    let lines: Vec<_> =
        read.parts[1].header_lines.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
    let disposition = "Content-Disposition: form-data; name=\"f\"; filename=\"C:\\dir\\x.txt\"";
    assert_eq!(lines, [disposition, "Content-Type: text/plain"]);
    assert_eq!(read.files_combined_size(), 15);
    assert_eq!(read.last_name.as_deref(), Some(&b"empty"[..]));
    assert_eq!(read.last_filename.as_deref(), Some(&br"C:\dir\x.txt"[..]));
    assert_eq!(read.unread, body.len());

    let mut arguments = Arguments::new(1000);
    read.arguments(body.as_bytes(), &mut arguments.adding(Origin::Post)).unwrap();
    let fields: Vec<_> = arguments.post().iter().map(|pair| (pair.name, pair.value)).collect();
    assert_eq!(fields, [(&b"a"[..], &b"1"[..]), (b"empty", b"")]);
}

#[test]
fn a_content_type_without_boundary_is_an_error() {
    let read = Multipart::parse(b"--x\r\n", Some(b"multipart/form-data"), Limits::default());
    assert!(read.flags.strict_error());
    assert_eq!(read.error.unwrap().to_string(), "Multipart: Boundary not found in C-T.");
}

#[test]
fn boundary_lines() {
    let part = "Content-Disposition: form-data; name=a\r\n\r\n1\r\n";
    let missing = Some("Multipart parsing error: Multipart: Final boundary missing.");
    let none = Some("Multipart parsing error: Multipart: No boundaries found in payload.");
    let invalid =
        |line: &str| format!("Multipart parsing error: Multipart: Invalid boundary: {line}");
    // Body, error, parts, flags.
    type Case = (String, Option<String>, &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        (String::new(), None, &[], &[]),
        (format!("--b\r\n{part}--b--\r\n"), None, &["a=1"], &[]),
        (format!("--b\r\n{part}--b--"), None, &["a=1"], &[]),
        ("--b--\r\n".into(), None, &[], &[]),
        ("--b--".into(), none.map(Into::into), &[], &[]),
        (format!("--b\r\n{part}--b--\r\nx"), None, &["a=1"], &["data_after"]),
        (format!("--b\r\n{part}--b--\r\n--b\r\n{part}--b--\r\n"), None, &["a=1"], &["data_after"]),
        (format!("\r\n--b\r\n{part}--b--\r\n"), None, &["a=1"], &["data_before"]),
        (format!("x\r\n--b\r\n{part}--b--\r\n"), None, &["a=1"], &["data_before"]),
        (format!("--b\r\n{part}"), missing.map(Into::into), &["a=1"], &[]),
        (format!("--b\r\n{part}--b\r\n"), missing.map(Into::into), &["a=1"], &[]),
        (format!("--b\r\n{part}--b"), missing.map(Into::into), &[r"a=1\r\n--b"], &[]),
        (format!("--b\r\n{part}--b-"), missing.map(Into::into), &[r"a=1\r\n--b-"], &[]),
        ("x".into(), none.map(Into::into), &[], &[]),
        (format!("--b \r\n{part}"), Some(invalid(r"--b \r\n")), &[], &["error"]),
        (format!("--b\r\n{part}--bc\r\n"), Some(invalid(r"--bc\r\n")), &["a=1"], &["error"]),
        (format!("--b\r\n{part}--b-\r\n"), Some(invalid(r"--b-\r\n")), &["a=1"], &["error"]),
        (format!("--b\r\n{part}--b-- \r\n"), Some(invalid(r"--b-- \r\n")), &["a=1"], &["error"]),
        (format!("--b\r\n{part}--b\r\r\n"), Some(invalid(r"--b\r\r\n")), &["a=1"], &["error"]),
        (
            format!("--b\r\n{part}-- b\r\n"),
            Some("Multipart parsing error: Multipart: Invalid boundary (whitespace).".into()),
            &["a=1"],
            &["error"],
        ),
        (format!("--b\r\n{part}--c\r\n--b--"), None, &[r"a=1\r\n--c"], &["unmatched_boundary"]),
        (format!("--b\r\n{part}x--b\r\n--b--"), None, &[r"a=1\r\nx--b"], &["unmatched_boundary"]),
        (format!("--b\r\n{part}--\r\n--b--"), None, &[r"a=1\r\n--"], &["unmatched_boundary"]),
        (format!("--b\r\n{part}--\n--b--"), None, &[r"a=1\r\n--"], &["lf_line"]),
        (format!("--b\r\n{part} --x\r\n--b--"), None, &[r"a=1\r\n --x"], &[]),
        (format!("--b\n{part}--b--\r\n"), None, &["a=1"], &["lf_line"]),
        (format!("--b\r\n{part}2\n--b--\r\n"), None, &[r"a=1\r\n2"], &["lf_line"]),
        (format!("--b\r\n{part}2\n\r\n--b--\r\n"), None, &[r"a=1\r\n2\n"], &[]),
    ];
    for (body, error, wanted, flags) in cases {
        let read = parse(body);
        assert_eq!(&read.error.as_ref().map(ToString::to_string), error, "{body:?}");
        assert_eq!(&parts(body, &read), wanted, "{body:?}");
        assert_eq!(&raised(read.flags), flags, "{body:?}");
    }
}

#[test]
fn quotes_round_a_boundary_line() {
    let parse = |body: &str| {
        let content_type = &b"multipart/form-data; boundary=\"b\""[..];
        Multipart::parse(body.as_bytes(), Some(content_type), Limits::default())
    };
    let read = parse("--\"b\"\r\n");
    let text = "Multipart parsing error: Multipart: Invalid boundary (quotes).";
    assert_eq!(read.error.unwrap().to_string(), text);
    assert!(parse("--\"c\"\r\n").flags.unmatched_boundary);
}

#[test]
fn part_headers() {
    let error = |text: &str| format!("Multipart parsing error: Multipart: {text}");
    let cases: &[(String, Option<String>, &[&str])] = &[
        ("Content-Disposition: form-data; name=a\r\n".into(), None, &[]),
        ("content-disposition:form-data;name=a\r\n".into(), None, &[]),
        ("X: y\r\nContent-Disposition:\t form-data; name=a\r\n".into(), None, &[]),
        ("Content-Disposition: form-data;\r\n name=a\r\n".into(), None, &["header_folding"]),
        ("Content-Disposition: form-data;\r\n\tname=a\r\n".into(), None, &["header_folding"]),
        (
            "Content-Disposition: form-data;\r\n\x0Bname=a\r\n".into(),
            None,
            &["header_folding", "invalid_header_folding"],
        ),
        (
            "Content-Disposition: form-data; name=a\r\n \r\n".into(),
            None,
            &["header_folding", "invalid_header_folding"],
        ),
        ("Content-Disposition: form-data; name=a\n".into(), None, &["lf_line"]),
        (String::new(), Some(error("Part missing Content-Disposition header.")), &["error"]),
        ("X: y\r\n".into(), Some(error("Part missing Content-Disposition header.")), &["error"]),
        (
            "Content-Disposition : form-data; name=a\r\n".into(),
            Some(error("Part missing Content-Disposition header.")),
            &["error"],
        ),
        (
            " Content-Disposition: form-data; name=a\r\n".into(),
            Some(error("Invalid part header (folding error).")),
            &["header_folding", "error"],
        ),
        (
            "Content-Disposition\r\n".into(),
            Some(error(r"Invalid part header (colon missing): Content-Disposition\r\n.")),
            &["error"],
        ),
        (
            ": form-data\r\n".into(),
            Some(error("Invalid part header (header name missing).")),
            &["error"],
        ),
        ("X: y\r\nx: y\r\n".into(), Some(error("Duplicate part header: x.")), &["error"]),
        (
            "Content-Disposition: form-data; name=a\0\r\n".into(),
            Some(error("Nul byte in part headers.")),
            &["error"],
        ),
        (
            format!("X: {}\r\n", "y".repeat(4092)),
            Some(error("Part header line over 4096 bytes long")),
            &["error"],
        ),
        (
            format!("X: {}\r\n {}\r\n", "y".repeat(4000), "y".repeat(96)),
            Some(error("Part header too long.")),
            &["header_folding", "error"],
        ),
        (
            "Content-Disposition: form-data\r\n".into(),
            Some(error("Content-Disposition header missing name field.")),
            &["error"],
        ),
        (
            "--b\r\n".into(),
            Some(error(r"Invalid part header (colon missing): --b\r\n.")),
            &["invalid_part", "error"],
        ),
    ];
    for (header, error, flags) in cases {
        let body = with_header(header);
        let read = parse(&body);
        assert_eq!(&read.error.as_ref().map(ToString::to_string), error, "{body:?}");
        assert_eq!(&raised(read.flags), flags, "{body:?}");
        if error.is_none() {
            assert_eq!(parts(&body, &read), ["a=1"], "{body:?}");
        }
    }
}

#[test]
fn folded_headers_are_shown_on_one_line() {
    let body = with_header("Content-Disposition: form-data;\r\n  name=a\r\nX: 1\r\n\t2\r\n 3\r\n");
    let read = parse(&body);
    let lines: Vec<_> =
        read.parts[0].header_lines.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(lines, ["Content-Disposition: form-data; name=a", "X: 1 2 3"]);
}

#[test]
fn a_refused_disposition_is_shown_and_its_part_kept() {
    let body = with_header("Content-Disposition: form-data; name=a; filename=x.php; name=b\r\n");
    let read = parse(&body);
    let text = "Multipart parsing error: Multipart: Invalid Content-Disposition header (-14): \
        form-data; name=a; filename=x.php; name=b.";
    assert_eq!(read.error.as_ref().unwrap().to_string(), text);
    assert_eq!(parts(&body, &read), ["a(x.php)="]);
    assert_eq!(read.last_name.as_deref(), Some(&b"b"[..]));

    let read = parse(&with_header("Content-Disposition: form-data; name=a; filename =x\r\n"));
    let text = "Multipart parsing error: Multipart: Invalid Content-Disposition header (filename).";
    assert_eq!(read.error.unwrap().to_string(), text);
}

#[test]
fn a_boundary_in_the_place_of_content_is_content() {
    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b\r\n\r\n--b--\r\n";
    let read = parse(body);
    assert_eq!(read.error, None);
    assert_eq!(raised(read.flags), ["invalid_part"]);
    assert_eq!(parts(body, &read), [r"a=--b\r\n"]);

    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--";
    let read = parse(body);
    assert_eq!((read.error.clone(), raised(read.flags)), (None, vec!["invalid_part"]));
    assert_eq!(parts(body, &read), ["a="]);
}

#[test]
fn what_was_read_before_an_error_stays() {
    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\n\
        Content-Disposition: form-data; name=f; filename=x.php\r\nX\r\n\r\n<?php\r\n--b--\r\n";
    let read = parse(body);
    assert!(read.error.is_some());
    assert_eq!(parts(body, &read), ["a=1", "f(x.php)="]);
    assert!(body[read.unread..].starts_with("X\r\n"));
}

#[test]
fn nested_multipart_is_content() {
    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\
        Content-Type: multipart/mixed; boundary=c\r\n\r\n\
        --c\r\nContent-Disposition: file; filename=x\r\n\r\n1\r\n--c--\r\n--b--\r\n";
    let read = parse(body);
    assert_eq!(read.error, None);
    assert_eq!(raised(read.flags), ["unmatched_boundary"]);
    assert_eq!(read.parts.len(), 1);
}

#[test]
fn a_nul_hides_no_boundary() {
    let field = "Content-Disposition: form-data; name=a\r\n\r\n1\0\r\n";
    let body = format!("--b\r\n{field}--\0b\r\n--b\r\n{field}--b--\r\n");
    let read = parse(&body);
    assert_eq!(parts(&body, &read), [r"a=1\x00\r\n--\x00b", r"a=1\x00"]);
    assert!(!read.flags.unmatched_boundary, "for ModSecurity the line is `--`");
}

#[test]
fn kept_files_have_a_limit() {
    let file = "--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n1\r\n";
    let body = format!("{}--b--\r\n", file.repeat(3));
    let parse =
        |kept_files| Multipart::parse(body.as_bytes(), Some(TYPE), Limits { kept_files }).flags;
    assert!(!parse(None).file_limit_exceeded);
    assert!(!parse(Some(3)).file_limit_exceeded);
    assert!(parse(Some(2)).file_limit_exceeded && parse(Some(2)).strict_error());
}

#[test]
fn bytes_of_files_are_not_counted_among_the_others() {
    let field = "Content-Disposition: form-data; name=a\r\n\r\n";
    let file = "Content-Disposition: form-data; name=f; filename=x\r\n\r\n";
    let body = format!("--b\r\n{field}123\r\n--b\r\n{file}{}\r\n--b--\r\n", "4".repeat(5000));
    assert_eq!(parse(&body).no_files_length, field.len() + 3 + file.len());
}

/// What bodies are made of.
const PIECES: &[&str] = &[
    "--b",
    "--b\r\n",
    "--b--",
    "--b--\r\n",
    "Content-Disposition:",
    "Content-Disposition: form-data",
    "; name=a",
    "; name=\"a\"",
    ";name='a'",
    "; filename=x",
    " ",
    "x",
    "\0",
    ":",
    "\\",
    "\r\n",
    "\r\n",
    "\n",
];

proptest! {
    #[test]
    fn parts_come_back(
        fields in prop::collection::vec(
            (any::<Vec<u8>>(), prop::option::of("[^\0\r\n\\\\\"]{0,9}")),
            0..5
        )
    ) {
        // A boundary that random contents do not hold.
        let content_type = &b"multipart/form-data; boundary=0123456789abcdef"[..];
        let delimiter = b"--0123456789abcdef";
        let mut body = Vec::new();
        for (index, (content, filename)) in fields.iter().enumerate() {
            body.extend_from_slice(delimiter);
            let header = format!("\r\nContent-Disposition: form-data; name=\"n{index}\"");
            body.extend_from_slice(header.as_bytes());
            if let Some(filename) = filename {
                body.extend_from_slice(format!("; filename=\"{filename}\"").as_bytes());
            }
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(delimiter);
        body.extend_from_slice(b"--\r\n");
        let read = Multipart::parse(&body, Some(content_type), Limits::default());
        prop_assert_eq!(&read.error, &None);
        prop_assert_eq!(read.parts.len(), fields.len());
        for (index, (part, (content, filename))) in read.parts.iter().zip(&fields).enumerate() {
            prop_assert_eq!(&part.name, &format!("n{index}").into_bytes());
            prop_assert_eq!(&body[part.content.clone()], &content[..]);
            prop_assert_eq!(&part.filename, &filename.clone().map(String::into_bytes));
        }
    }

    #[test]
    fn any_bytes_are_read(body in any::<Vec<u8>>(), content_type in any::<Vec<u8>>()) {
        let _ = Multipart::parse(&body, Some(&content_type), Limits::default());
        let read = Multipart::parse(&body, Some(TYPE), Limits::default());
        prop_assert!(read.unread <= body.len());
    }

    #[test]
    fn near_multipart_is_read(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)
    ) {
        let body = pieces.concat();
        let read = parse(&body);
        let mut end = 0;
        for part in &read.parts {
            prop_assert!(part.content.start >= end && part.content.end <= body.len());
            prop_assert!(part.content.start <= part.content.end);
            end = part.content.end;
        }
        if read.error.is_none() {
            prop_assert!(!read.flags.error);
        }
    }
}
