//! What an application is told of a request: the meta-variables of RFC 3875 §4.1.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;

use bytes::{BufMut, Bytes};
use edgeproof_http1::{Authority, RequestHead};

use crate::{Application, Script};

/// Variables as they are sent: name and value, each after its length (FastCGI 1.0 §3.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<u8>);

impl Variables {
    fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.as_ref(), value.as_ref());
        self.put_length(name.len());
        self.put_length(value.len());
        self.0.put_slice(name);
        self.0.put_slice(value);
    }

    /// One octet, or four with the first bit set.
    fn put_length(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short @ 0..=127) => self.0.put_u8(short),
            // A head is bounded far below.
            _ => self.0.put_u32(u32::try_from(length).unwrap_or(u32::MAX) | 1 << 31),
        }
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.0
    }
}

/// Where a request came from and how.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The client.
    pub client: IpAddr,
    /// Over TLS.
    pub secure: bool,
}

/// The variables for a request whose body has `length` octets, `None` if there is none.
///
/// A field becomes HTTP_ and its name in capitals, `-` as `_`. Left out: `Proxy`, since HTTP_PROXY is a setting of many
/// programs; names with an underscore, which could pass for another field's; Content-Length and
/// Content-Type, which have variables of their own; and what was for this hop only. Lines of one name become one
/// value, joined by a comma, or a semicolon for Cookie.
#[must_use]
pub fn variables(
    head: &RequestHead,
    application: &Application,
    script: &Script,
    connection: Connection,
    length: Option<u64>,
) -> Variables {
    let mut all = Variables::default();
    let query = head.target.iter().position(|&byte| byte == b'?');
    let (path, query) = match query {
        Some(at) => (&head.target[..at], &head.target[at + 1..]),
        None => (&head.target[..], &b""[..]),
    };
    all.push("GATEWAY_INTERFACE", "CGI/1.1");
    all.push("SERVER_SOFTWARE", concat!("edgeproof/", env!("CARGO_PKG_VERSION")));
    all.push("SERVER_PROTOCOL", head.version.as_str());
    all.push("REQUEST_METHOD", &head.method);
    all.push("REQUEST_URI", &head.target);
    all.push("DOCUMENT_URI", path);
    all.push("QUERY_STRING", query);
    all.push("SCRIPT_NAME", &script.name);
    all.push("PATH_INFO", &script.path_info);
    if let Some(file) = &script.file {
        all.push("SCRIPT_FILENAME", file.as_os_str().as_bytes());
    }
    if let Application::Files(root) = application {
        all.push("DOCUMENT_ROOT", root.as_os_str().as_bytes());
        if !script.path_info.is_empty() {
            let translated = root.join(script.path_info.trim_start_matches('/'));
            all.push("PATH_TRANSLATED", translated.as_os_str().as_bytes());
        }
    }
    all.push("REMOTE_ADDR", connection.client.to_string());
    all.push("REQUEST_SCHEME", if connection.secure { "https" } else { "http" });
    if connection.secure {
        all.push("HTTPS", "on");
    }
    // RFC 3875 §4.1.14 and §4.1.15: as the client named the server.
    let host = head.fields.get("host").unwrap_or_default();
    let authority = Authority::parse(Bytes::copy_from_slice(host));
    let port = authority.as_ref().and_then(Authority::port);
    all.push("SERVER_NAME", authority.as_ref().map_or(host, Authority::host));
    all.push("SERVER_PORT", port.unwrap_or(if connection.secure { 443 } else { 80 }).to_string());
    if let Some(length) = length {
        all.push("CONTENT_LENGTH", length.to_string());
        if let Some(media) = head.fields.get("content-type") {
            all.push("CONTENT_TYPE", media);
        }
    }
    put_fields(&mut all, head);
    // PHP refuses to run without it where it was built to be run by a web server only.
    all.push("REDIRECT_STATUS", "200");
    all
}

const LEFT_OUT: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "expect",
    "keep-alive",
    "proxy",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn put_fields(all: &mut Variables, head: &RequestHead) {
    let mut named: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in head.fields.iter() {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if name.contains('_') || LEFT_OUT.iter().any(|it| it.eq_ignore_ascii_case(name)) {
            continue;
        }
        let variable = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
        match named.iter_mut().find(|(known, _)| *known == variable) {
            Some((_, values)) => {
                let comma = if variable == "HTTP_COOKIE" { "; " } else { ", " };
                values.extend_from_slice(comma.as_bytes());
                values.extend_from_slice(value);
            }
            None => named.push((variable, value.to_vec())),
        }
    }
    for (name, value) in named {
        all.push(name, value);
    }
}
