//! Inputs that slow parsers are slow on. What counts is the number of bytes looked at or written,
//! not the time: it must stay within a small multiple of the input, and twice the input must not
//! take much more than twice as many.

use super::arguments::{Arguments, Origin, PairList, Pairs};
use super::cookies::{CookieFormat, cookies};
use super::json;
use super::multipart::{Limits, Multipart};
use super::steps::counted;
use super::target::RequestTarget;
use super::urlencoded::urlencoded;
use super::xml::{XPath, Xml};

/// Steps that a byte may take.
const PER_BYTE: u64 = 24;

type Case = (&'static str, fn(usize) -> Vec<u8>, fn(&[u8]));

/// `unit` until `size` bytes are full.
fn fill(unit: &[u8], size: usize) -> Vec<u8> {
    unit.iter().copied().cycle().take(size).collect()
}

fn read_form(body: &[u8]) {
    let mut arguments = Arguments::new(usize::MAX);
    urlencoded(body, b'&', &mut arguments.adding(Origin::Post));
}

fn read_cookies(field: &[u8]) {
    let mut list = PairList::default();
    cookies(field, CookieFormat::V0 { separator: None }, &mut list);
    cookies(field, CookieFormat::V1, &mut list);
}

fn read_target(target: &[u8]) {
    let read = RequestTarget::new(b"GET", target);
    let _ = (read.resolved().basename(), read.path_info());
}

fn read_json(body: &[u8]) {
    // The result is one of the many mistakes; the work counts.
    let _ = json::parse(body, u32::MAX, &mut PairList::default());
}

fn read_multipart(body: &[u8]) {
    let content_type = &b"multipart/form-data; boundary=------------"[..];
    let read = Multipart::parse(body, Some(content_type), Limits::default());
    let _ = read.arguments(body, &mut PairList::default());
}

fn read_xml(body: &[u8]) {
    let xml = Xml::parse(body);
    for path in ["/*", "//@*", "//*", "/a/b//c"] {
        let values = XPath::parse(path).map(|path| path.values(&xml).len());
        assert!(values.is_ok());
    }
}

fn multipart(unit: &[u8], size: usize) -> Vec<u8> {
    let start = b"--------------\r\nContent-Disposition: form-data; name=a\r\n";
    [&start[..], &fill(unit, size)].concat()
}

const CASES: &[Case] = &[
    ("separators", |size| fill(b"&", size), read_form),
    ("empty fields", |size| fill(b"=&", size), read_form),
    ("one letter", |size| fill(b"a", size), read_form),
    ("percent signs", |size| fill(b"%", size), read_form),
    ("encoded", |size| fill(b"%25%32", size), read_form),
    ("cookies", |size| fill(b"a=1;", size), read_cookies),
    ("quotes in cookies", |size| fill(b"a=\"", size), read_cookies),
    (
        "attributes of a long cookie",
        |size| [fill(b"n", size / 2), fill(b";$p", size / 2)].concat(),
        read_cookies,
    ),
    ("slashes", |size| fill(b"/", size), read_target),
    ("parents", |size| fill(b"/..", size), read_target),
    ("up and down", |size| [fill(b"/a", size / 2), fill(b"/..", size / 2)].concat(), read_target),
    ("encoded parents", |size| fill(b"/%2e%2e%2f", size), read_target),
    ("dots", |size| fill(b"/.a.", size), read_target),
    ("arrays", |size| fill(b"[", size), read_json),
    ("objects", |size| fill(br#"{"a":"#, size), read_json),
    ("values at each depth", |size| fill(br#"{"a":1,"b":"#, size), read_json),
    (
        "values below a long name",
        |size| {
            [br#"{""#.to_vec(), fill(b"k", size / 2), br#"":["#.to_vec(), fill(b"1,", size / 2)]
                .concat()
        },
        read_json,
    ),
    ("numbers", |size| fill(b"1 ", size), read_json),
    ("one number", |size| fill(b"1", size), read_json),
    ("open strings", |size| fill(b"\"", size), read_json),
    ("backslashes", |size| fill(b"\\", size), read_json),
    ("backslashes in a string", |size| [&b"\""[..], &fill(b"\\", size)].concat(), read_json),
    ("escapes", |size| [&b"\""[..], &fill(br"\ud83d", size), b"\""].concat(), read_json),
    ("space", |size| fill(b" ", size), read_json),
    ("one letter in JSON", |size| fill(b"a", size), read_json),
    ("hyphens", |size| fill(b"-", size), read_multipart),
    (
        "hyphens in content",
        |size| multipart(&[&b"\r\n"[..], &[b'-'; 99]].concat(), size),
        read_multipart,
    ),
    ("near boundaries", |size| multipart(b"\r\nx-------------", size), read_multipart),
    ("line ends", |size| fill(b"\r\n", size), read_multipart),
    ("boundaries", |size| fill(b"--------------\r\n", size), read_multipart),
    (
        "headers",
        |size| {
            let lines: Vec<_> = (0..size / 10).map(|number| format!("H{number:06}:\r\n")).collect();
            multipart(lines.concat().as_bytes(), size)
        },
        read_multipart,
    ),
    ("folds", |size| multipart(b" x\r\n", size), read_multipart),
    ("empty folds", |size| multipart(b" \n", size), read_multipart),
    (
        "parts",
        |size| fill(b"--------------\nContent-Disposition:form-data;name=a\n\n\n", size),
        read_multipart,
    ),
    (
        "one letter in multipart",
        |size| multipart(&[&b"\r\n"[..], &[b'a'; 1 << 16]].concat(), size),
        read_multipart,
    ),
    ("start tags", |size| fill(b"<a>", size), read_xml),
    ("elements", |size| fill(b"<a/>", size), read_xml),
    ("end tags", |size| fill(b"</a>", size), read_xml),
    ("mismatched tags", |size| fill(b"<a></b>", size), read_xml),
    ("less-than signs", |size| fill(b"<", size), read_xml),
    ("ampersands", |size| fill(b"&", size), read_xml),
    (
        "ampersands in an attribute",
        |size| [&b"<a b='"[..], &fill(b"&", size), b"'/>"].concat(),
        read_xml,
    ),
    ("references", |size| [&b"<a>"[..], &fill(b"&a;", size)].concat(), read_xml),
    (
        "one attribute again and again",
        |size| [&b"<a "[..], &fill(b"b='' ", size), b"/>"].concat(),
        read_xml,
    ),
    (
        "many attributes, the last again and again",
        |size| {
            let unique: Vec<_> = (0..size / 20).map(|number| format!("b{number:05}='' ")).collect();
            let last = format!("b{:05}='' ", size / 20 - 1);
            [
                &b"<a "[..],
                unique.concat().as_bytes(),
                &fill(last.as_bytes(), size / 2 / last.len() * last.len()),
                b"/>",
            ]
            .concat()
        },
        read_xml,
    ),
    (
        "attributes without value",
        |size| [&b"<a "[..], &fill(b"b ", size), b"/>"].concat(),
        read_xml,
    ),
    (
        "quotes in a declaration",
        |size| [&b"<!DOCTYPE a ["[..], &fill(b"'\"", size), b"]><a/>"].concat(),
        read_xml,
    ),
    (
        "comments in a declaration",
        |size| [&b"<!DOCTYPE a ["[..], &fill(b"<!--", size), b"]><a/>"].concat(),
        read_xml,
    ),
    ("comments", |size| fill(b"<!---->", size), read_xml),
    ("open comments", |size| fill(b"<!-- ", size), read_xml),
    ("sections", |size| [&b"<a>"[..], &fill(b"<![CDATA[]]>", size)].concat(), read_xml),
    (
        "text in deep elements",
        |size| [fill(b"<a>", size / 2), fill(b"x", size / 2)].concat(),
        read_xml,
    ),
    ("NUL bytes", |size| fill(b"\0", size), read_xml),
    ("two byte characters", |size| fill(b"<\0a\0>\0", size), read_xml),
];

#[test]
fn work_is_linear_in_the_input() {
    for (name, make, read) in CASES {
        let mut before = None;
        for size in [64 << 10, 1 << 20] {
            let input = make(size);
            let ((), steps) = counted(|| read(&input));
            let length = input.len() as u64;
            assert!(steps > 0, "{name}: nothing is counted");
            assert!(steps <= length * PER_BYTE, "{name}: {steps} steps for {length} bytes");
            if let Some((shorter, fewer)) = before.replace((length, steps)) {
                // Steps a byte may not grow, but for the fixed part of a budget.
                assert!(
                    steps * shorter <= 2 * fewer * length + (1 << 20) * shorter,
                    "{name}: {fewer} steps for {shorter} bytes, {steps} for {length}"
                );
            }
        }
    }
}

#[test]
fn memory_is_linear_in_the_input() {
    for (name, make, _) in CASES {
        let input = make(64 << 10);
        let mut list = PairList::default();
        urlencoded(&input, b'&', &mut list);
        let _ = json::parse(&input, u32::MAX, &mut list);
        let xml = Xml::parse(&input);
        for path in ["/*", "//@*", "//*"] {
            for value in XPath::parse(path).map(|path| path.values(&xml)).unwrap_or_default() {
                assert_eq!(list.add(b"", value), Ok(()));
            }
        }
        assert!(list.combined_size() <= 40 * input.len(), "{name}: {}", list.combined_size());
    }
}
