//! The requests.

use std::fmt::Write;

/// A request.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether rules may fire.
    pub(crate) hostile: bool,
}

/// The header of the answer.
pub(crate) const ANSWER: [(&str, &str); 4] = [
    ("Server", "origin"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", "181"),
    ("Cache-Control", "no-cache"),
];

/// The answer.
pub(crate) const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><title>Shoes</title></head>\n\
    <body><h1>Shoes</h1><p>There are 42 pairs. <a href=\"/shoes/7\">The seventh</a> is red.</p></body></html>\n";

const FORM: &str = "application/x-www-form-urlencoded";

/// What browsers send all day.
pub(crate) fn ordinary() -> Vec<Input> {
    let get = Input {
        name: "GET",
        method: "GET",
        target: "/shop/shoes.html?colour=dark%20red&size=42&sort=price".into(),
        headers: browser(),
        body: Vec::new(),
        hostile: false,
    };
    vec![get, post("form of 2 KB", FORM, form(), false)]
}

/// What costs most.
pub(crate) fn worst() -> Vec<Input> {
    let value = |name, byte: u8, count| {
        let mut body = b"text=".to_vec();
        body.resize(count, byte);
        post(name, FORM, body, true)
    };
    let mut nested = vec![b'['; 10_000];
    nested.resize(20_000, b']');
    let many = (0..10_000).map(|at| format!("a{at}=v{at}")).collect::<Vec<_>>().join("&");
    let attacks = (0..1000).map(|at| format!("a{at}=<script>alert({at})</script>' or 1=1--"));
    let attacks = attacks.collect::<Vec<_>>().join("&");
    let mut query = get_with(&"'".repeat(7000));
    query.name = "7 KB of ' in the query";
    vec![
        value("64 KB of '", b'\'', 65_536),
        value("64 KB of (", b'(', 65_536),
        value("64 KB of <", b'<', 65_536),
        value("64 KB of letters", b'a', 65_536),
        value("1 MB of a letter in a form", b'a', 1_048_576),
        post("1 MB of a letter as text", "text/plain", vec![b'a'; 1_048_576], true),
        post("JSON nested 10,000 deep", "application/json", nested, true),
        post("10,000 arguments", FORM, many.into_bytes(), true),
        post("1,000 attacks in a form", FORM, attacks.into_bytes(), true),
        query,
    ]
}

fn get_with(value: &str) -> Input {
    Input {
        name: "",
        method: "GET",
        target: format!("/?q={value}"),
        headers: browser(),
        body: Vec::new(),
        hostile: true,
    }
}

fn post(name: &'static str, media_type: &str, body: Vec<u8>, hostile: bool) -> Input {
    let mut headers = browser();
    headers.push(("Content-Type", media_type.into()));
    headers.push(("Content-Length", body.len().to_string()));
    Input { name, method: "POST", target: "/shop/contact".into(), headers, body, hostile }
}

/// The ten header fields of a browser.
fn browser() -> Vec<(&'static str, String)> {
    let fields = [
        ("Host", "shop.example"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        (
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        ),
        ("Accept-Language", "en-GB,en;q=0.5"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Referer", "https://shop.example/shop/"),
        ("Cookie", "sid=0f9c2b7e1d4a; theme=dark; lang=en-GB"),
        ("Connection", "keep-alive"),
        ("Cache-Control", "max-age=0"),
        ("Upgrade-Insecure-Requests", "1"),
    ];
    fields.map(|(name, value)| (name, value.to_owned())).into()
}

/// A form with a few short fields and a longer text, 2 KB in all.
fn form() -> Vec<u8> {
    const WORDS: &str =
        "The parcel came on Tuesday and one of the two boots is a size too small for me ";
    let mut body =
        String::from("name=Jane+Hill&email=jane%40shop.example&topic=return&order=10342&text=");
    while body.len() < 2040 {
        let _ = write!(body, "{}", WORDS.replace(' ', "+"));
    }
    body.truncate(2048);
    body.into_bytes()
}
