//! The head of a request.

use super::Generator;
use super::fragments::WORDS;

const USUAL_METHODS: &[&str] = &["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "DELETE"];
const METHODS_WITH_CONTENT: &[&str] = &["POST", "POST", "POST", "POST", "PUT", "PATCH", "GET"];
const ODD_METHODS: &[&str] =
    &["PROPFIND", "TRACE", "get", "FOO", "TRACK", "SEARCH", "LOCK", "MKCOL", "A"];
const ENDINGS: &[&str] = &[
    "",
    "",
    "",
    "/",
    ".php",
    ".html",
    ".bak",
    ".sql",
    ".ini",
    ".conf",
    ".asp",
    ".jsp",
    ".css",
    ".phps",
    ".swp",
    "~",
    ".old",
    ".pdf",
    ".exe",
    ".htaccess",
];
const FIELDS: &[&str] = &[
    "User-Agent",
    "Referer",
    "Accept",
    "Accept-Language",
    "Accept-Charset",
    "Accept-Encoding",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "Range",
    "Request-Range",
    "If-None-Match",
    "Authorization",
    "Origin",
    "X-Requested-With",
    "Cache-Control",
    "Pragma",
    "Content-Encoding",
    "Proxy",
    "If",
    "Lock-Token",
    "X-Api-Key",
    "X_Under_Score",
    "X.filename",
    "Content-Disposition",
    "Sec-Fetch-Site",
    "Upgrade-Insecure-Requests",
    "Cookie2",
    "Via",
    "From",
    "X-HTTP-Method-Override",
    "Content-Language",
];
const VALUES: &[&str] = &[
    "*/*",
    "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "gzip, deflate",
    "en-US,en;q=0.5",
    "bytes=0-10",
    "bytes=5-1",
    "bytes=-1",
    "bytes=0-",
    "max-age=0",
    "no-cache",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "Basic YTpi",
    "http://localhost/",
    "XMLHttpRequest",
    "utf-8",
    "identity",
    "127.0.0.1",
    "",
    "POST",
];

impl Generator {
    pub(super) fn method(&mut self, has_content: bool) -> Vec<u8> {
        let usual = if has_content { METHODS_WITH_CONTENT } else { USUAL_METHODS };
        let methods = if self.random.one_in(25) { ODD_METHODS } else { usual };
        self.random.pick(methods).as_bytes().to_vec()
    }

    pub(super) fn version(&mut self) -> Vec<u8> {
        match self.random.below(60) {
            0..2 => b"HTTP/1.0".to_vec(),
            2 => self
                .random
                .pick(&[&b"HTTP/1.2"[..], b"HTTP/2.0", b"HTTP/0.9", b"http/1.1"])
                .to_vec(),
            _ => b"HTTP/1.1".to_vec(),
        }
    }

    pub(super) fn host(&mut self) -> Option<Vec<u8>> {
        match self.random.below(80) {
            0 => None,
            1 => Some(b"127.0.0.1".to_vec()),
            2 => Some(b"[::1]:80".to_vec()),
            3 => Some(b"localhost:8080".to_vec()),
            4 => Some(in_line(self.fragment())),
            5 => Some(Vec::new()),
            _ => Some(b"localhost".to_vec()),
        }
    }

    pub(super) fn path(&mut self) -> Vec<u8> {
        let mut path = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            path.push(b'/');
            let part = match self.random.below(6) {
                0 => self.text(),
                1 => self.random.pick(WORDS).as_bytes().to_vec(),
                _ => self.random.pick(&[&b""[..], b"a", b"index", b"api", b"wp-admin"]).to_vec(),
            };
            path.extend(self.in_target(&part));
        }
        path.extend_from_slice(self.random.pick(ENDINGS).as_bytes());
        match self.random.below(60) {
            0 => [b"http://localhost", &path[..]].concat(),
            1 => [b"/", &path[..]].concat(),
            2 => [&path[..], b"#x"].concat(),
            3 => [&path[..], b";a=b"].concat(),
            _ => path,
        }
    }

    pub(super) fn query(&mut self) -> Vec<Vec<u8>> {
        self.some(3, |it| {
            let pair = it.pair();
            it.in_target(&pair)
        })
    }

    pub(super) fn cookies(&mut self) -> Vec<Vec<u8>> {
        if !self.random.one_in(3) {
            return Vec::new();
        }
        self.some(3, |it| {
            let pair = it.pair();
            // A semicolon of its own once in a while, else it is one cookie.
            let pair = if it.random.one_in(4) { pair } else { encoded(&pair, b";, ") };
            in_line(pair)
        })
    }

    /// Field lines; `usual`: some are there already, and mostly not a second time.
    pub(super) fn fields(&mut self, usual: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut fields = Vec::new();
        for _ in 0..[0, 0, 1, 1, 2, 4][self.random.below(6)] {
            let name = *self.random.pick(FIELDS);
            if usual && matches!(name, "User-Agent" | "Accept") && !self.random.one_in(6) {
                continue;
            }
            let value = match self.random.below(4) {
                0 => self.text(),
                1 => self.fragment(),
                _ => self.random.pick(VALUES).as_bytes().to_vec(),
            };
            fields.push((name.as_bytes().to_vec(), in_line(value)));
        }
        fields
    }

    /// `name=value`, as it is before it is encoded for its place.
    pub(super) fn pair(&mut self) -> Vec<u8> {
        let (name, value) = (self.name(), self.text());
        match self.random.below(20) {
            0 => value,
            1 => name,
            _ => [name, b"=".to_vec(), value].concat(),
        }
    }

    /// As it can stand in a request-target: what would end it is encoded, and the rest or not.
    pub(super) fn in_target(&mut self, text: &[u8]) -> Vec<u8> {
        match self.random.below(5) {
            0 => encoded(text, b""),
            1 => encoded(text, b"#"),
            2 => encoded(text, b"#&+%\"'<>`{}|\\^"),
            3 => encoded(text, b"%&+#").iter().flat_map(|octet| plus(*octet)).collect(),
            _ => encoded(text, b"&#%"),
        }
    }
}

fn plus(octet: u8) -> Vec<u8> {
    if octet == b' ' { b"+".to_vec() } else { vec![octet] }
}

/// Percent-encodes these, and what would end a request line: spaces and controls.
fn encoded(text: &[u8], these: &[u8]) -> Vec<u8> {
    let one = |octet: &u8| match octet {
        octet if *octet <= b' ' || *octet == 0x7f || these.contains(octet) => {
            format!("%{octet:02X}").into_bytes()
        }
        octet => vec![*octet],
    };
    text.iter().flat_map(one).collect()
}

/// As it can stand in a field's value: without line breaks and NUL, which would end it or the connection.
pub(super) fn in_line(mut text: Vec<u8>) -> Vec<u8> {
    text.retain(|octet| !matches!(octet, b'\r' | b'\n' | 0));
    text
}
