//! A scripted origin, a proxy before it, and clients that write and read bytes.
#![allow(dead_code, reason = "each test uses its part")]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgeproof_proxy::{Server, Settings};

/// One end of a connection, with what was read and not yet asked for.
pub(crate) struct Conn<S = TcpStream> {
    pub(crate) stream: S,
    buf: Vec<u8>,
}

impl Conn {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a listener");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self::new(stream)
    }

    pub(crate) fn end_writing(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

impl<S: Read + Write> Conn<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buf: Vec::new() }
    }

    pub(crate) fn send(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(text.as_ref()).unwrap();
        self.stream.flush().unwrap();
        self
    }

    /// Reads more; false at the end. A broken connection is an end too.
    fn fill(&mut self) -> bool {
        let mut part = [0; 65536];
        let read = match self.stream.read(&mut part) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("nothing came; so far {:?}", String::from_utf8_lossy(&self.buf))
            }
            Err(_) => 0,
        };
        self.buf.extend_from_slice(&part[..read]);
        read > 0
    }

    /// A head with its empty line, or `None` at the end of the connection.
    pub(crate) fn try_head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buf.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = self.buf.drain(..at + 4).collect();
                return Some(String::from_utf8_lossy(&head).into_owned());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    pub(crate) fn head(&mut self) -> String {
        self.try_head().expect("a head before the end of the connection")
    }

    pub(crate) fn exactly(&mut self, length: usize) -> String {
        while self.buf.len() < length {
            assert!(self.fill(), "an end after {:?}", String::from_utf8_lossy(&self.buf));
        }
        String::from_utf8_lossy(&self.buf.drain(..length).collect::<Vec<_>>()).into_owned()
    }

    pub(crate) fn rest(&mut self) -> String {
        while self.fill() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.buf)).into_owned()
    }

    /// A response with the body that Content-Length announces.
    pub(crate) fn response(&mut self) -> (String, String) {
        let head = self.head();
        let length = field(&head, "content-length").map_or(0, |it| it.parse().unwrap());
        let body = self.exactly(length);
        (head, body)
    }
}

/// The value of the one field line `name` of a head.
pub(crate) fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next();
    assert!(values.next().is_none(), "more than one {name} in {head}");
    value
}

pub(crate) fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}

/// A server that does as told and remembers the heads it saw.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Origin {
    /// Runs `serve` for each connection.
    pub(crate) fn scripted(serve: impl Fn(&mut OriginConn) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::default(), Arc::new(Mutex::new(0)));
        let (serve, heads, count) = (Arc::new(serve), Arc::clone(&seen), Arc::clone(&connections));
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (serve, seen) = (Arc::clone(&serve), Arc::clone(&heads));
                let number = {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    *count
                };
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    stream.set_nodelay(true).unwrap();
                    serve(&mut OriginConn { conn: Conn::new(stream), seen, number });
                });
            }
        });
        Self { address, seen, connections }
    }

    /// Answers every request with the same bytes.
    pub(crate) fn answering(response: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::scripted(move |origin| {
            while origin.request().is_some() {
                origin.conn.send(&response);
            }
        })
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> String {
        self.seen().pop().expect("a request at the origin")
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

/// A connection at the origin.
pub(crate) struct OriginConn {
    pub(crate) conn: Conn,
    seen: Arc<Mutex<Vec<String>>>,
    /// Counted from 1.
    pub(crate) number: usize,
}

impl OriginConn {
    /// The next request's head, remembered, and the body that Content-Length announces.
    pub(crate) fn request(&mut self) -> Option<(String, String)> {
        let head = self.conn.try_head()?;
        self.seen.lock().unwrap().push(head.clone());
        let length = field(&head, "content-length").map_or(0, |it| it.parse().unwrap());
        let body = self.conn.exactly(length);
        Some((head, body))
    }
}

/// A proxy in this process, with a directory of its own.
pub(crate) struct Proxy {
    pub(crate) server: Option<Server>,
    pub(crate) address: SocketAddr,
    pub(crate) directory: tempfile::TempDir,
}

impl Proxy {
    /// A proxy with one site `a.test` before `origin`; `site` and `top` are more YAML, indented
    /// as in the file. `DIR` in them is the proxy's directory.
    pub(crate) fn with(origin: SocketAddr, site: &str, top: &str) -> Self {
        let text = format!(
            "listen: [\"127.0.0.1:0\"]\nthreads: 1\n{top}\nsites:\n  - hosts: [a.test]\n    upstream: http://{origin}\n{site}\n"
        );
        Self::from_yaml(&text)
    }

    pub(crate) fn before(origin: &Origin) -> Self {
        Self::with(origin.address, "", "")
    }

    /// One with an access log in `format` and a frozen clock.
    pub(crate) fn logging(origin: SocketAddr, format: &str, top: &str) -> Self {
        Self::with(
            origin,
            &format!(
                "    clock: {{ start: \"2018-07-16T12:04:07+02:00\" }}\n    access_log: {{ file: DIR/a.log, format: '{format}' }}"
            ),
            &format!("access_log: {{ file: DIR/other.log, format: '{format}' }}\n{top}"),
        )
    }

    pub(crate) fn from_yaml(text: &str) -> Self {
        Self::from_yaml_and(text, &[])
    }

    /// One that finds files in its directory.
    pub(crate) fn from_yaml_and(text: &str, files: &[(&str, &str)]) -> Self {
        Self::with_keeper(text, files, Vec::new())
    }

    /// One whose processes are looked after by another program than the test.
    pub(crate) fn with_keeper(text: &str, files: &[(&str, &str)], keeper: Vec<OsString>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let text = text.replace("DIR", directory.path().to_str().unwrap());
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let text = text.replace("DIR", directory.path().to_str().unwrap());
        let settings = Settings::from_yaml("test.yaml", &text).unwrap_or_else(|mistakes| {
            panic!("{}", mistakes.render(edgeproof_diagnostics::Colour::Never))
        });
        let settings = Settings { keeper, ..settings };
        let server = Server::start(&settings).unwrap();
        let address = server.addresses()[0];
        Self { server: Some(server), address, directory }
    }

    pub(crate) fn client(&self) -> Conn {
        Conn::connect(self.address)
    }

    /// Sends bytes on a connection of their own and reads until it closes.
    pub(crate) fn exchange(&self, request: &str) -> String {
        self.client().send(request).rest()
    }

    /// Sends a GET on a connection of its own; head and body of the response.
    pub(crate) fn get(&self, path: &str, fields: &str) -> (String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
        self.client().send(request).response()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Stops the proxy, which writes what its logs still hold, and reads a log.
    pub(crate) fn stop_and_read(&mut self, log: &str) -> String {
        if let Some(server) = self.server.take() {
            server.stop();
        }
        std::fs::read_to_string(self.file(log)).unwrap()
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
