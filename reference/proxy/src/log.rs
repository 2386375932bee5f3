//! Lines for the access log, made from what a request and its response were.

use std::sync::Arc;
use std::time::Duration;

use edgeproof_accesslog::{Format, Record, Writer};
use edgeproof_http1::{Fields, ParsedRequest, Refused};
use jiff::Zoned;

use crate::peer::Peer;
use crate::reply::Sent;

/// A log file and the format of its lines.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) writer: Arc<Writer>,
    pub(crate) format: Arc<Format>,
}

impl Log {
    /// Writes one line; never waits for the disk.
    pub(crate) fn write(&self, record: &Record<'_>) {
        thread_local! {
            static LINE: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            self.format.write(record, line);
            self.writer.write(line);
        });
    }
}

/// A head's field lines, as the log looks them up.
struct Logged<'f>(&'f Fields);

impl edgeproof_accesslog::Fields for Logged<'_> {
    fn each<'s>(&'s self, name: &str, see: &mut dyn FnMut(&'s [u8])) {
        for value in self.0.get_all(name) {
            see(value);
        }
    }
}

/// What was asked, as far as it could be read.
pub(crate) struct Asked<'a> {
    pub(crate) line: Option<&'a [u8]>,
    pub(crate) method: Option<&'a [u8]>,
    pub(crate) path: Option<&'a [u8]>,
    pub(crate) version: Option<&'a [u8]>,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) fields: &'a Fields,
}

impl<'a> Asked<'a> {
    /// A request that was read; `line` is its request line.
    pub(crate) fn of(request: &'a ParsedRequest, line: &'a [u8]) -> Self {
        Self {
            line: Some(line),
            method: Some(&request.head.method),
            path: Some(&request.path),
            version: line.rsplit(|&byte| byte == b' ').next(),
            host: request.authority.as_ref().map(edgeproof_http1::Authority::host),
            fields: &request.head.fields,
        }
    }

    /// A request that was refused.
    pub(crate) fn refused(refused: &'a Refused) -> Self {
        Self {
            line: (!refused.line.is_empty()).then_some(&refused.line[..]),
            method: refused.method(),
            path: refused.target(),
            version: refused.version(),
            host: refused.fields.get("host"),
            fields: &refused.fields,
        }
    }
}

/// One request, over.
pub(crate) struct Entry<'a> {
    pub(crate) asked: Asked<'a>,
    pub(crate) peer: &'a Peer,
    pub(crate) client_ip: std::net::IpAddr,
    pub(crate) websocket: bool,
    /// `None` if no response could be sent.
    pub(crate) sent: Option<&'a Sent>,
    pub(crate) received: &'a Zoned,
    pub(crate) completed: &'a Zoned,
}

impl Entry<'_> {
    pub(crate) fn write(&self, log: &Log) {
        let Self { asked, peer, sent, received, completed, .. } = self;
        let (client_ip, peer_ip) = (self.client_ip.to_string(), peer.ip.to_string());
        let none = Fields::new();
        let duration = completed.timestamp().duration_since(received.timestamp());
        let protocol = match peer.tls {
            _ if self.websocket => "ws",
            Some(_) => "https",
            None => "http",
        };
        log.write(&Record {
            client_ip: Some(client_ip.as_bytes()),
            peer_ip: Some(peer_ip.as_bytes()),
            protocol: Some(protocol.as_bytes()),
            ssl_version: peer.tls.map(str::as_bytes),
            request: asked.line,
            request_hostname: asked.host,
            request_method: asked.method,
            request_path: asked.path,
            request_protocol: asked.version,
            request_fields: &Logged(asked.fields),
            response_fields: &Logged(sent.map_or(&none, |sent| &sent.fields)),
            received: Some(received),
            duration: Some(Duration::try_from(duration).unwrap_or_default()),
            response_size: sent.map(|sent| sent.body),
            status: sent.map(|sent| sent.status),
            ..Record::at(completed)
        });
    }
}
