//! One connection to the origin: requests in, scripted answers out.

use std::sync::Arc;
use std::time::Duration;

use edgeproof_scenario::model::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{self, End, Plan, Planned};
use super::case::{CaseOrigin, Closing};
use super::server::Routes;
use super::{MARKER, matching};
use crate::filling::Filling;
use crate::wire::{Content, ReadRequest, Received, RequestReader};

const MOST_REMEMBERED: usize = 16 * 1024;
const NOT_FOUND: &[u8] =
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Serves until either side ends the connection. Errors end it too: the target sees a closed connection.
pub(crate) async fn serve(stream: TcpStream, number: u64, routes: Arc<Routes>) {
    let unread = Vec::new();
    let mut connection = Connection { stream, closing: None, number, routes, unread, last: None };
    while let Ok(End::KeepOpen) = connection.one_request().await {}
}

struct Connection {
    stream: TcpStream,
    /// Dropped after the stream, which may only then be reset.
    closing: Option<Closing>,
    number: u64,
    routes: Arc<Routes>,
    unread: Vec<u8>,
    /// Whose request came last.
    last: Option<Arc<CaseOrigin>>,
}

impl Connection {
    async fn one_request(&mut self) -> std::io::Result<End> {
        let Some(request) = self.head().await? else { return Ok(End::Close) };
        let path = matching::path_of(&request.target).to_owned();
        let found = self.routes.find(&request, &path);
        if found.as_ref().map_or(&path, |(_, path)| path).starts_with(MARKER) {
            self.stream.write_all(NO_CONTENT).await?;
            return Ok(if request.is_persistent() { End::KeepOpen } else { End::Close });
        }
        let Some((case, path)) = found else {
            self.unrouted(&request.raw);
            return self.refuse(NOT_FOUND).await;
        };
        self.last = Some(Arc::clone(&case));
        let record = case.arrived(self.number, &request, &path);
        for defect in &request.defects {
            case.complain(format!("the origin got a request that cannot be trusted: {defect}"));
        }
        if case.reflects() {
            return self.reflect(&case, &request, record).await;
        }
        let Some(answer) = case.choose(&request, &path) else {
            let asked = format!("{} {path}", request.method);
            case.complain(format!(
                "the origin got a request that no rule answers: {}",
                crate::visible::quoted(asked.as_bytes())
            ));
            return self.refuse(NOT_FOUND).await;
        };
        self.answer(&case, &request, &answer, record).await
    }

    /// The next request's head, or `None` when there is none.
    async fn head(&mut self) -> std::io::Result<Option<ReadRequest>> {
        loop {
            match RequestReader::head(&self.unread) {
                Received::Head(length, request) => {
                    self.unread.drain(..length);
                    return Ok(Some(*request));
                }
                Received::Partial => {}
                Received::Malformed(why) => return self.malformed(&why).await,
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn malformed(&mut self, why: &str) -> std::io::Result<Option<ReadRequest>> {
        let start = crate::visible::quoted(&self.unread[..self.unread.len().min(200)]);
        match self.routes.named_in(&self.unread) {
            Some(case) => case
                .complain(format!("the origin got a request that is not HTTP/1 ({why}): {start}")),
            None => self.unrouted(&self.unread),
        }
        self.refuse(BAD_REQUEST).await?;
        Ok(None)
    }

    /// What names no case may have been smuggled behind the request before it on this connection.
    fn unrouted(&self, bytes: &[u8]) {
        self.routes.note_unrouted(bytes);
        if let Some(case) = &self.last {
            let start = crate::visible::quoted(&bytes[..bytes.len().min(200)]);
            case.complain(format!(
                "the origin got a request that names no site, on a connection after one of this case: {start}"
            ));
        }
    }

    async fn refuse(&mut self, answer: &[u8]) -> std::io::Result<End> {
        self.stream.write_all(answer).await?;
        self.stream.shutdown().await?;
        Ok(End::Close)
    }

    async fn answer(
        &mut self,
        case: &Arc<CaseOrigin>,
        request: &ReadRequest,
        answer: &Answer,
        record: usize,
    ) -> std::io::Result<End> {
        // A final answer to "Expect: 100-continue" that refuses comes instead of the content.
        let refuses = request.expects_continue() && answer.status >= 400;
        let mut content = RequestReader::content(request);
        if !refuses {
            if request.expects_continue() && !answer.interim.iter().any(|i| i.status == 100) {
                self.stream.write_all(CONTINUE).await?;
            }
            let whole = self.content(&mut content).await;
            case.content_came(record, &content);
            if !whole? {
                return Ok(End::Close);
            }
        }
        let end = self.answer_with(case, request, answer, &content.bytes, record).await?;
        Ok(if refuses { End::Close } else { end })
    }

    /// Answers when all of the request is there, since its content says how.
    async fn reflect(
        &mut self,
        case: &Arc<CaseOrigin>,
        request: &ReadRequest,
        record: usize,
    ) -> std::io::Result<End> {
        let mut content = RequestReader::content(request);
        if request.expects_continue() {
            self.stream.write_all(CONTINUE).await?;
        }
        let whole = self.content(&mut content).await;
        case.content_came(record, &content);
        if !whole? {
            return Ok(End::Close);
        }
        match case.reflection(request, &content.bytes) {
            Some(answer) => self.answer_with(case, request, &answer, &content.bytes, record).await,
            None => self.refuse(NOT_FOUND).await,
        }
    }

    async fn answer_with(
        &mut self,
        case: &Arc<CaseOrigin>,
        request: &ReadRequest,
        answer: &Answer,
        content: &[u8],
        record: usize,
    ) -> std::io::Result<End> {
        if let Some(delay) = answer.delay {
            tokio::time::sleep(delay).await;
        }
        if let Some(by) = answer.advance {
            self.advance(case, by).await;
        }
        let planned =
            answer::plan(answer, request, content, &case.variables(), case.clock.origin_now());
        let plan = match planned {
            Ok(plan) => plan,
            Err(unset) => {
                case.complain(format!("an answer of the origin cannot be made: {unset}"));
                return self.refuse(NOT_FOUND).await;
            }
        };
        if matches!(plan.end, End::Close | End::Reset) {
            self.closing = Some(Closing::of(case));
        }
        let mut sent = Sent::default();
        let outcome = self.send(&plan, &mut sent).await;
        case.answered(record, sent.beginning, sent.size);
        outcome?;
        self.end(plan.end).await
    }

    async fn advance(&self, case: &CaseOrigin, by: Duration) {
        if let Err(error) = case.clock.advance(by).await {
            case.complain(format!("the clock could not be moved by the origin: {error}"));
        }
    }

    /// Reads the request's content; did all of it come?
    async fn content(&mut self, content: &mut Content) -> std::io::Result<bool> {
        loop {
            let taken = content.take(&self.unread);
            self.unread.drain(..taken);
            if content.is_done() || content.is_broken() {
                return Ok(content.is_done());
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(false);
            }
        }
    }

    async fn send(&mut self, plan: &Plan, sent: &mut Sent) -> std::io::Result<()> {
        if !plan.interim.is_empty() {
            self.put(&plan.interim, sent).await?;
        }
        match &plan.content {
            // Head and content in one write where that is cheap, as servers do.
            Planned::Bytes(bytes) if bytes.len() < MOST_REMEMBERED => {
                self.put(&[&plan.head[..], bytes].concat(), sent).await
            }
            Planned::Bytes(bytes) => {
                self.put(&plan.head, sent).await?;
                self.put(bytes, sent).await
            }
            Planned::Fill { pattern, size } => {
                self.put(&plan.head, sent).await?;
                let mut filling = Filling::new(pattern, *size);
                while let Some(piece) = filling.next_piece() {
                    self.put(piece, sent).await?;
                }
                Ok(())
            }
        }
    }

    async fn put(&mut self, bytes: &[u8], sent: &mut Sent) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        let room = MOST_REMEMBERED.saturating_sub(sent.beginning.len()).min(bytes.len());
        sent.beginning.extend_from_slice(&bytes[..room]);
        sent.size += bytes.len() as u64;
        Ok(())
    }

    async fn end(&mut self, end: End) -> std::io::Result<End> {
        match end {
            End::KeepOpen => {}
            // Without the shutdown unread octets would turn the close into a reset.
            End::Close => self.stream.shutdown().await?,
            End::Reset => {
                socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
            }
            End::Echo => {
                let unread = std::mem::take(&mut self.unread);
                self.stream.write_all(&unread).await?;
                let (mut reading, mut writing) = self.stream.split();
                tokio::io::copy(&mut reading, &mut writing).await?;
                return Ok(End::Close);
            }
        }
        Ok(end)
    }
}

/// What has gone out.
#[derive(Default)]
struct Sent {
    beginning: Vec<u8>,
    size: u64,
}
