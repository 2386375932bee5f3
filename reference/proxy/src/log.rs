//! Lines for the access log, made from what a request and its response were.

use std::sync::Arc;
use std::time::Duration;

use edgeproof_accesslog::{Format, Record, When, Writer};
use edgeproof_http1::{Fields, ParsedRequest, Refused, Written};
use jiff::Timestamp;
use jiff::tz::TimeZone;

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
            self.writer.write_line(line);
        });
    }
}

/// A request's field lines, as the log looks them up.
struct Asks<'f>(&'f Fields);

impl edgeproof_accesslog::Fields for Asks<'_> {
    fn each<'s>(&'s self, name: &str, see: &mut dyn FnMut(&'s [u8])) {
        for value in self.0.get_all(name) {
            see(value);
        }
    }
}

/// A response's field lines, as they were written.
struct Answers<'f>(Written<'f>);

impl edgeproof_accesslog::Fields for Answers<'_> {
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
            version: Some(request.head.version.as_str().as_bytes()),
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
    pub(crate) sent: Option<Sent<'a>>,
    pub(crate) received: Timestamp,
    pub(crate) completed: Timestamp,
    pub(crate) zone: &'a TimeZone,
    /// What a firewall's logs call it.
    pub(crate) unique_id: Option<&'a str>,
}

impl Entry<'_> {
    pub(crate) fn write(&self, log: &Log) {
        let Self { asked, peer, sent, zone, .. } = self;
        let other = (self.client_ip != peer.ip).then(|| self.client_ip.to_string());
        let client_ip = other.as_deref().unwrap_or(peer.ip_text());
        let duration = self.completed.duration_since(self.received);
        let when = |timestamp| When { timestamp, zone };
        let protocol = match peer.tls {
            _ if self.websocket => "ws",
            Some(_) => "https",
            None => "http",
        };
        log.write(&Record {
            client_ip: Some(client_ip.as_bytes()),
            peer_ip: Some(peer.ip_text().as_bytes()),
            protocol: Some(protocol.as_bytes()),
            ssl_version: peer.tls.map(str::as_bytes),
            unique_id: self.unique_id.map(str::as_bytes),
            request: asked.line,
            request_hostname: asked.host,
            request_method: asked.method,
            request_path: asked.path,
            request_protocol: asked.version,
            request_fields: &Asks(asked.fields),
            response_fields: &Answers(sent.map(|sent| sent.fields).unwrap_or_default()),
            received: Some(when(self.received)),
            duration: Some(Duration::try_from(duration).unwrap_or_default()),
            response_size: sent.map(|sent| sent.body),
            status: sent.map(|sent| sent.status),
            ..Record::at(when(self.completed))
        });
    }
}
