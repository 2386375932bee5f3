//! From a URL and what goes with it to the bytes of a request.

use std::fmt::Write as _;
use std::str::FromStr;

use base64::Engine as _;

/// `http://HOST[:PORT]/TARGET`, or https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Is it https?
    pub https: bool,
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// As given, or the scheme's own.
    pub port: u16,
    /// Path and query as they go on the wire.
    pub target: String,
    /// The Host field's value.
    pub authority: String,
}

/// Why a request cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The text is no URL.
    #[error("`{found}` is no URL: expected http://HOST[:PORT]/PATH or https://…, found {why}")]
    Url {
        /// The text.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no header line.
    #[error("`{0}` is no header: expected `Name: value`, without control characters")]
    Header(String),
    /// The text is no method.
    #[error("`{0}` is no method")]
    Method(String),
}

impl FromStr for Url {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let wrong = |why| RequestError::Url { found: text.to_owned(), why };
        let (https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some(_) => return Err(wrong("another scheme")),
            None => return Err(wrong("no scheme")),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(wrong("a user name (there is --basic for it)"));
        }
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("a space, a control character or a letter that must be %-encoded"));
        }
        let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, port))) => (host, port.strip_prefix(':')),
            Some(None) => return Err(wrong("a `[` without its `]`")),
            None => authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p))),
        };
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        if host.is_empty() || !host.bytes().all(known) {
            return Err(wrong("no host"));
        }
        let port = match port {
            Some(port) => port.parse().map_err(|_| wrong("no port after the colon"))?,
            None => {
                if https {
                    443
                } else {
                    80
                }
            }
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            https,
            host: host.to_owned(),
            port,
            target: format!("{slash}{target}"),
            authority: authority.to_owned(),
        })
    }
}

/// What is sent to each URL.
#[derive(Debug, Clone)]
pub struct Message {
    /// `GET`.
    pub method: String,
    /// Further header lines, name and value; a `Host` among them replaces the URL's.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// HTTP/1.0, as ab speaks it.
    pub http10: bool,
    /// Does the connection carry more requests?
    pub keep_alive: bool,
}

impl Message {
    /// A GET.
    pub fn get() -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method: "GET".to_owned(), headers, body, http10: false, keep_alive: true }
    }

    /// Adds a line such as `Accept: text/html`.
    ///
    /// # Errors
    /// When it is none, or holds what would end it.
    pub fn header(&mut self, line: &str) -> Result<(), RequestError> {
        let wrong = || RequestError::Header(line.to_owned());
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        if !is_token(name) || value.bytes().any(|b| b != b'\t' && (b < 0x20 || b == 0x7F)) {
            return Err(wrong());
        }
        self.headers.push((name.to_owned(), value.trim().to_owned()));
        Ok(())
    }

    /// Basic authentication (RFC 7617) of `USER:PASSWORD`.
    pub fn basic(&mut self, user_and_password: &str) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(user_and_password);
        self.headers.push(("Authorization".to_owned(), format!("Basic {encoded}")));
    }

    /// The whole request to a URL.
    ///
    /// # Errors
    /// When the method is none.
    pub fn to(&self, url: &Url) -> Result<Vec<u8>, RequestError> {
        if !is_token(&self.method) {
            return Err(RequestError::Method(self.method.clone()));
        }
        let version = if self.http10 { "1.0" } else { "1.1" };
        let mut head = format!("{} {} HTTP/{version}\r\n", self.method, url.target);
        let given = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let length = self.body.len().to_string();
        let connection = match (self.keep_alive, self.http10) {
            (true, true) => "Keep-Alive",
            (false, false) => "close",
            _ => "",
        };
        let with_body = !self.body.is_empty() || ["POST", "PUT", "PATCH"].contains(&&*self.method);
        let own = [
            ("Host", url.authority.as_str()),
            ("User-Agent", concat!("edgeproof/", env!("CARGO_PKG_VERSION"))),
            ("Accept", "*/*"),
            ("Connection", connection),
            ("Content-Length", if with_body { &length } else { "" }),
        ];
        for (name, value) in own.into_iter().filter(|(n, v)| !v.is_empty() && !given(n)) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

fn is_token(text: &str) -> bool {
    let tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let one = url("http://localhost");
        assert_eq!((one.https, &*one.host, one.port, &*one.target), (false, "localhost", 80, "/"));
        let one = url("https://[::1]:8443/a?b#c");
        assert_eq!((one.https, &*one.host, one.port, &*one.target), (true, "::1", 8443, "/a?b"));
        assert_eq!(one.authority, "[::1]:8443");
        assert_eq!(url("HTTP://a.test?x").target, "/?x");
        for text in [
            "",
            "a.test/",
            "ftp://a/",
            "http:///x",
            "http://a:b/",
            "http://a/ b",
            "http://[::1/",
            "http://u@a/",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn requests_are_what_was_asked_for() {
        let mut message = Message { keep_alive: false, ..Message::get() };
        message.header("X-One:  1").unwrap();
        message.basic("Aladdin:open sesame");
        insta::assert_snapshot!(text(&message), @r"
        GET /p?q HTTP/1.1
        Host: a.test:81
        User-Agent: edgeproof/0.1.0
        Accept: */*
        Connection: close
        X-One: 1
        Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
        ");
        let mut message = Message { http10: true, body: b"x=1".to_vec(), ..Message::get() };
        message.method = "POST".to_owned();
        message.header("host: other.test").unwrap();
        insta::assert_snapshot!(text(&message), @r"
        POST /p?q HTTP/1.0
        User-Agent: edgeproof/0.1.0
        Accept: */*
        Connection: Keep-Alive
        Content-Length: 3
        host: other.test

        x=1
        ");
    }

    #[test]
    fn nothing_can_end_a_line_of_its_own() {
        let mut message = Message::get();
        for line in ["X", "X\r\nY: 1", "X: 1\r\nY: 2", ": 1", "A B: 1"] {
            assert!(message.header(line).is_err(), "{line}");
        }
        message.method = "GET /x".to_owned();
        assert!(message.to(&url("http://a.test")).is_err());
    }

    fn text(message: &Message) -> String {
        let bytes = message.to(&url("http://a.test:81/p?q")).unwrap();
        String::from_utf8(bytes).unwrap().replace('\r', "")
    }
}
