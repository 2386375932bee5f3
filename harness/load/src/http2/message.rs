//! From the bytes of an HTTP/1 request to what HTTP/2 sends of it (RFC 9113 §8.2, §8.3.1).

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};

use crate::plan::LoadError;

/// Fields about one HTTP/1 connection: HTTP/2 has none of them (RFC 9113 §8.2.2).
const OF_THE_CONNECTION: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];
const MOST_FIELDS: usize = 128;

/// A request, ready to be sent as often as is asked.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) head: http::Request<()>,
    pub(super) body: Bytes,
}

impl Message {
    pub(super) fn of(bytes: &[u8], https: bool) -> Result<Self, LoadError> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        let Ok(httparse::Status::Complete(length)) = parsed.parse(bytes) else {
            return Err(wrong("it is no HTTP/1 request"));
        };
        let host = parsed.headers.iter().find(|field| field.name.eq_ignore_ascii_case("host"));
        let host = host.ok_or_else(|| wrong("it has no Host, which HTTP/2 needs"))?;
        let uri = http::Uri::builder()
            .scheme(if https { "https" } else { "http" })
            .authority(host.value)
            .path_and_query(parsed.path.unwrap_or("/"))
            .build()
            .map_err(wrong)?;
        let mut head =
            http::Request::builder().method(parsed.method.unwrap_or("GET")).uri(uri).body(());
        for field in parsed.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(wrong)?;
            if name == HOST || OF_THE_CONNECTION.contains(&name) {
                continue;
            }
            let value = HeaderValue::from_bytes(field.value).map_err(wrong)?;
            if let Ok(head) = &mut head {
                head.headers_mut().append(name, value);
            }
        }
        Ok(Self { head: head.map_err(wrong)?, body: Bytes::copy_from_slice(&bytes[length..]) })
    }
}

fn wrong(why: impl std::fmt::Display) -> LoadError {
    LoadError::Request(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_connection_stay_behind_and_host_becomes_the_authority() {
        let wire = b"POST /p?q HTTP/1.1\r\nHost: a.test:81\r\nConnection: close\r\nX-One: 1\r\n\
            Content-Length: 3\r\n\r\none";
        let message = Message::of(wire, true).unwrap();
        assert_eq!(message.head.uri(), "https://a.test:81/p?q");
        assert_eq!(message.head.method(), "POST");
        let names: Vec<&str> = message.head.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-one", "content-length"]);
        assert_eq!(&message.body[..], b"one");
    }

    #[test]
    fn what_http2_cannot_say_is_refused() {
        for wire in [&b"GET / HTTP/1.0\r\n\r\n"[..], b"GET", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"]
        {
            assert!(Message::of(wire, false).is_err(), "{}", String::from_utf8_lossy(wire));
        }
    }
}
