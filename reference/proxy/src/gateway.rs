//! The way to an application that speaks FastCGI: it looks like a connection to an HTTP origin, at whose other end
//! each request is put into FastCGI and its answer back into HTTP.

use std::net::IpAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use edgeproof_fastcgi::{
    Answer, Application, Connection, Found, HeadError, HeadReader, Outcome, RecordError,
    RecordReader, Script, put_begin, put_stdin, put_variables, variables,
};
use edgeproof_http1::{
    BodyLength, Fields, ParsedRequest, ParsedResponse, RequestParser, ResponseHead, Version,
    put_last_chunk, put_response_head,
};
use edgeproof_upstream::Errors;
use tokio::io::{DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::spawn_local;

use crate::body::{Body, Idle, PumpError, Sink, pump};
use crate::exchange::own_text;
use crate::hop;
use crate::limits::Limits;
use crate::link::{Reading, Writing};
use crate::reply::reason;
use crate::wire::{ENOUGH, Incoming, Outgoing};

/// Octets on their way between the two halves, in each direction.
const BETWEEN: usize = 64 << 10;
/// The largest body whose length nobody said: an application is told it before the body's first octet.
const UNTOLD: usize = 8 << 20;

/// What a gateway has to know.
pub(crate) struct Gateway {
    pub(crate) application: Arc<Application>,
    pub(crate) limits: Limits,
    /// Where the application's standard error goes.
    pub(crate) errors: To,
}

/// The log for what an application complains of.
pub(crate) enum To {
    /// Of a process that the proxy started.
    Process(Errors),
    /// The proxy's own standard error, with what the application is called.
    Stderr(Arc<str>),
}

/// Why an answer ends without its end: what was written of it is all there will be.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("it closed the connection in the middle of an answer")]
    Closed,
    #[error("it ended an answer that had no head")]
    Headless,
    #[error("it ended an answer {0} octets before the Content-Length that it said")]
    Short(u64),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The proxy wants nothing more.
    #[error("the answer is not wanted any more")]
    Unwanted,
}

impl Gateway {
    /// A connection for one request, over one that has been made to the application.
    pub(crate) fn open(
        self,
        from: Incoming<Reading>,
        to: Outgoing<Writing>,
    ) -> (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>) {
        let (near, far) = duplex(BETWEEN);
        spawn_local(async move {
            let (read, write) = split(far);
            let asked = Incoming::new(read);
            let answer = Outgoing::new(write);
            // What breaks, breaks off what the proxy reads: it tells its client.
            match self.serve(asked, answer, from, to).await {
                Ok(()) | Err(Broken::Unwanted) => {}
                Err(broken) => self.complain(broken.to_string().as_bytes()),
            }
        });
        split(near)
    }

    async fn serve(
        &self,
        mut asked: Incoming<ReadHalf<DuplexStream>>,
        mut answer: Outgoing<WriteHalf<DuplexStream>>,
        mut from: Incoming<Reading>,
        mut to: Outgoing<Writing>,
    ) -> Result<(), Broken> {
        let Some(request) = self.request(&mut asked).await else { return Err(Broken::Unwanted) };
        let path = request.path.split(|&byte| byte == b'?').next().unwrap_or_default();
        let script = match self.script(path) {
            Ok(Found::Script(script)) => script,
            Ok(Found::Folder) => return redirect(&mut answer, &request.path).await,
            Err(error) => return refuse(&mut answer, 400, &error.to_string()).await,
        };
        if request.head.fields.contains("expect") {
            // Nobody else will say so, and who waits for it sends no body.
            answer.put(|out| out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n"));
            answer.flush().await.map_err(|_| Broken::Unwanted)?;
        }
        // The body, or what a body without a length comes to.
        let mut body = request.body;
        if body == BodyLength::Chunked {
            match self.collect(&mut asked).await? {
                Some(whole) => {
                    body = BodyLength::Length(whole.len() as u64);
                    let rest = std::mem::take(&mut asked.buf);
                    asked.buf.extend_from_slice(&whole);
                    asked.buf.extend_from_slice(&rest);
                }
                None => {
                    let text = "a body of this size has to say its length beforehand";
                    return refuse(&mut answer, 411, text).await;
                }
            }
        }
        let length = match body {
            BodyLength::Length(length) => Some(length),
            _ => None,
        };
        let connection = connection(&request.head.fields);
        let told = variables(&request.head, &self.application, &script, connection, length);
        to.put(|out| {
            put_begin(out);
            put_variables(out, &told);
        });
        let idle = Idle::new(self.limits.upstream_timeout);
        let method = request.head.method.clone();
        let upload = async {
            let mut body = Body::of_request(body, self.limits.of_heads());
            let limit = self.limits.upstream_timeout;
            let mut stdin = Stdin(&mut to);
            match pump(&mut body, &mut asked, &mut stdin, &idle, limit, u64::MAX).await {
                // Who no longer reads may have answered.
                Ok(()) | Err(PumpError::Write) => {}
                Err(_) => return,
            }
            // Nothing more comes from the proxy but its end, when it has given up.
            while asked.fill().await.is_ok_and(|read| read > 0) {}
        };
        let download = self.answer(&mut from, &mut answer, method);
        let (upload, download) = (pin!(upload), pin!(download));
        tokio::select! {
            biased;
            done = download => done,
            () = upload => Err(Broken::Unwanted),
        }
    }

    async fn request(&self, asked: &mut Incoming<ReadHalf<DuplexStream>>) -> Option<ParsedRequest> {
        // The proxy has added lines of its own.
        let Limits { head, fields, .. } = self.limits;
        let limits =
            edgeproof_http1::Limits { line: 2 * head, head: 2 * head, fields: fields + 50 };
        let mut parser = RequestParser::new(limits);
        loop {
            match parser.parse(&mut asked.buf) {
                Ok(Some(request)) => return Some(request),
                Ok(None) if asked.fill().await.ok()? > 0 => {}
                // The proxy wrote it itself, or has given up.
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn script(&self, path: &[u8]) -> Result<Found, edgeproof_fastcgi::ScriptError> {
        let is_file = |file: &Path| file.is_file();
        let is_here = match &*self.application {
            Application::Files(root) => root.is_dir(),
            Application::Whole => false,
        };
        let exists = is_here.then_some(&is_file as &dyn Fn(&Path) -> bool);
        Script::find(&self.application, path, exists)
    }

    /// All of a body without a length, if that is not too much.
    async fn collect(
        &self,
        asked: &mut Incoming<ReadHalf<DuplexStream>>,
    ) -> Result<Option<Vec<u8>>, Broken> {
        let mut body = Body::of_request(BodyLength::Chunked, self.limits.of_heads());
        let idle = Idle::new(self.limits.client_timeout);
        let (mut whole, wait) = (Vec::new(), self.limits.client_timeout);
        match pump(&mut body, asked, &mut Whole(&mut whole), &idle, wait, UNTOLD as u64).await {
            Ok(()) => Ok(Some(whole)),
            Err(PumpError::TooLarge) => Ok(None),
            Err(_) => Err(Broken::Unwanted),
        }
    }

    /// Passes the application's answer on.
    async fn answer(
        &self,
        from: &mut Incoming<Reading>,
        answer: &mut Outgoing<WriteHalf<DuplexStream>>,
        method: Bytes,
    ) -> Result<(), Broken> {
        let is_head = &method[..] == b"HEAD";
        let mut records = RecordReader::default();
        let mut head = HeadReader::new(self.limits.of_heads(), method);
        let mut begun: Option<Framed> = None;
        loop {
            let Some(record) = records.next(&mut from.buf)? else {
                if answer.queued() > 0 {
                    answer.flush().await.map_err(|_| Broken::Unwanted)?;
                }
                match from.fill().await {
                    Ok(1..) => continue,
                    Ok(0) | Err(_) => return Err(Broken::Closed),
                }
            };
            match record {
                Answer::Output(output) => match &mut begun {
                    Some(framed) => framed.data(answer, output),
                    None => {
                        if let Some((response, body)) = head.read(&output)? {
                            let framed = begin(answer, response, is_head);
                            begun.insert(framed).data(answer, body);
                        }
                    }
                },
                Answer::Error(text) => self.complain(&text),
                Answer::End { outcome: Outcome::Refused, .. } if begun.is_none() => {
                    return refuse(answer, 503, "the application takes no more requests").await;
                }
                Answer::End { .. } => {
                    let framed = begun.ok_or(Broken::Headless)?;
                    framed.end(answer)?;
                    return answer.flush().await.map_err(|_| Broken::Unwanted);
                }
            }
            if answer.queued() >= ENOUGH {
                answer.flush().await.map_err(|_| Broken::Unwanted)?;
            }
        }
    }

    /// Writes down what an application says on its standard error.
    fn complain(&self, text: &[u8]) {
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match &self.errors {
                To::Process(errors) => errors.line(line),
                To::Stderr(name) => eprintln!("{name}: {}", line.escape_ascii()),
            }
        }
    }
}

/// What the proxy has written of the connection into the request's fields.
fn connection(fields: &Fields) -> Connection {
    let client = fields.get("x-real-ip").and_then(|ip| std::str::from_utf8(ip).ok()?.parse().ok());
    let secure = fields.get("x-forwarded-proto") == Some(b"https");
    Connection { client: client.unwrap_or(IpAddr::from([0, 0, 0, 0])), secure }
}

async fn refuse(
    answer: &mut Outgoing<WriteHalf<DuplexStream>>,
    status: u16,
    text: &str,
) -> Result<(), Broken> {
    answer_itself(answer, status, text, Fields::new()).await
}

/// Sends the client to a folder's own address: `target`, a path with or without a query, with a `/` at the path's end.
async fn redirect(
    answer: &mut Outgoing<WriteHalf<DuplexStream>>,
    target: &[u8],
) -> Result<(), Broken> {
    let end = memchr::memchr(b'?', target).unwrap_or(target.len());
    // What begins with `//` would name another host (RFC 3986 §4.2).
    let start = target[..end].iter().take_while(|&&byte| byte == b'/').count();
    let mut fields = Fields::new();
    fields.push("Location", [b"/", &target[start..end], b"/", &target[end..]].concat());
    answer_itself(answer, 308, "a folder's address ends with /", fields).await
}

async fn answer_itself(
    answer: &mut Outgoing<WriteHalf<DuplexStream>>,
    status: u16,
    text: &str,
    mut fields: Fields,
) -> Result<(), Broken> {
    let text = own_text(status, text);
    fields.push("Content-Type", "text/plain; charset=utf-8");
    fields.push("Content-Length", text.len().to_string());
    fields.push("Connection", "close");
    let reason = reason(status).into();
    let head = ResponseHead { version: Version::Http11, status, reason, fields };
    answer.put(|out| {
        put_response_head(out, &head);
        out.extend_from_slice(text.as_bytes());
    });
    answer.flush().await.map_err(|_| Broken::Unwanted)
}

/// How the body is framed for the proxy.
enum Framed {
    Nothing,
    /// So many octets are still to come.
    Length(u64),
    Chunked,
}

/// Puts the response's head: a body of unknown length is sent in chunks, so that one that breaks off is not
/// taken for whole.
fn begin(
    answer: &mut Outgoing<WriteHalf<DuplexStream>>,
    response: ParsedResponse,
    is_head: bool,
) -> Framed {
    let ParsedResponse { mut head, body } = response;
    hop::strip(&mut head.fields);
    head.fields.push("Connection", "close");
    let framed = match body {
        _ if is_head => Framed::Nothing,
        BodyLength::Empty => Framed::Nothing,
        BodyLength::Length(length) => Framed::Length(length),
        _ => Framed::Chunked,
    };
    if matches!(framed, Framed::Chunked) {
        head.fields.push("Transfer-Encoding", "chunked");
    }
    answer.put(|out| put_response_head(out, &head));
    framed
}

impl Framed {
    fn data(&mut self, answer: &mut Outgoing<WriteHalf<DuplexStream>>, mut data: Bytes) {
        match self {
            Self::Nothing => {}
            Self::Length(left) => {
                // What is more than it said is nobody's.
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
                answer.data(data);
            }
            Self::Chunked => answer.chunk(data),
        }
    }

    fn end(&self, answer: &mut Outgoing<WriteHalf<DuplexStream>>) -> Result<(), Broken> {
        match self {
            Self::Nothing | Self::Length(0) => Ok(()),
            Self::Length(left) => Err(Broken::Short(*left)),
            Self::Chunked => {
                answer.put(|out| put_last_chunk(out, &Fields::new()));
                Ok(())
            }
        }
    }
}

/// The request's body on its way to the application.
struct Stdin<'o>(&'o mut Outgoing<Writing>);

impl Sink for Stdin<'_> {
    fn data(&mut self, data: Bytes) {
        if !data.is_empty() {
            self.0.put(|out| put_stdin(out, &data));
        }
    }

    fn end(&mut self, _: Fields) {
        self.0.put(|out| put_stdin(out, b""));
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush().await
    }
}

/// A body that is kept.
struct Whole<'w>(&'w mut Vec<u8>);

impl Sink for Whole<'_> {
    fn data(&mut self, data: Bytes) {
        self.0.extend_from_slice(&data);
    }

    fn end(&mut self, _: Fields) {}

    fn queued(&self) -> usize {
        0
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
