//! A client's connection: requests read one after another, each answered before the next is read.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use edgeproof_http1::{Authority, ParsedRequest, Refused, RequestParser, Version};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use crate::body::Sink;
use crate::exchange::{self, After, own_fields, own_text};
use crate::firewall::Inspection;
use crate::forwarded;
use crate::limits::Limits;
use crate::listener::LAST_WORD;
use crate::live::Live;
use crate::log::{Asked, Entry};
use crate::patience::{Alarm, within};
use crate::peer::{Breakable, Client};
use crate::reply::Reply;
use crate::wire::Incoming;
use crate::worker::Worker;
use edgeproof_mutant::{self as mutant, Mutant};

/// What came instead of, or as, the next request.
enum Next {
    Request {
        request: Box<ParsedRequest>,
        /// From its first byte to the end of its head; zero for one that came in one piece.
        took: Duration,
    },
    /// It broke a rule, or did not become whole in time: it gets this status and text.
    Refused {
        status: u16,
        text: String,
        refused: Box<Refused>,
        /// From its first byte to its refusal.
        took: Duration,
    },
    /// The client has closed or is idle, or the proxy is stopping.
    Over,
}

/// How long a closing connection waits for the client to close too, so that a reset does not
/// overtake the response (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);
/// Bytes read and thrown away meanwhile.
const LINGER_BYTES: usize = 1 << 20;

/// Serves a connection until it is over.
pub(crate) async fn serve<R, W>(mut client: Client<R, W>, worker: &Rc<Worker>)
where
    R: AsyncRead + Unpin,
    W: Breakable,
{
    worker.stats().connections.one();
    let mut alarm = Alarm::default();
    let stopped = pin!(worker.stopped());
    let mut stopped = Stopped { future: stopped, is_awaited: false, is_over: false };
    let mut is_new = true;
    let mut live = worker.live();
    loop {
        let mut waiting = Waiting::new(&live.limits, &mut alarm, &mut stopped, is_new);
        let next = waiting.next_request(&mut client, worker).await;
        is_new = false;
        // A reload may have come while the request was awaited.
        worker.renew(&mut live);
        let after = match next {
            Next::Request { request, took } => {
                exchange::run(&mut client, worker, &live, &request, took).await
            }
            Next::Refused { status, text, refused, took } => {
                refuse(&mut client, worker, &live, (status, &text), &refused, took).await;
                After::Close
            }
            // Nothing was sent that the client might not have read yet.
            Next::Over => return,
        };
        match after {
            After::Next => {}
            After::Leave if client.incoming.buf.is_empty() => return client.out.io.leave().await,
            After::Close | After::Leave => return close(client).await,
            After::Break => return client.out.io.break_off(),
        }
    }
}

/// The proxy's stop, as a connection waits for it.
struct Stopped<'p, S> {
    future: Pin<&'p mut S>,
    is_awaited: bool,
    is_over: bool,
}

impl<S: Future<Output = ()>> Stopped<'_, S> {
    fn poll(&mut self, cx: &mut Context<'_>, worker: &Worker) -> Poll<()> {
        // A future that was polled wakes the connection's task, which always has the same waker:
        // there is no need to ask it before each request.
        if self.is_awaited && !worker.is_stopping() {
            return Poll::Pending;
        }
        if !self.is_over {
            self.is_awaited = true;
            ready!(self.future.as_mut().poll(cx));
            self.is_over = true;
        }
        Poll::Ready(())
    }
}

/// What a connection waits with for its next request.
struct Waiting<'c, 'p, S> {
    limits: &'c Limits,
    parser: RequestParser,
    alarm: &'c mut Alarm,
    stopped: &'c mut Stopped<'p, S>,
    /// It is the connection's first request.
    is_first: bool,
    idle_until: Option<Instant>,
    /// When the head began, if more of it has to come.
    begun: Option<Instant>,
}

impl<'c, 'p, S: Future<Output = ()>> Waiting<'c, 'p, S> {
    fn new(
        limits: &'c Limits,
        alarm: &'c mut Alarm,
        stopped: &'c mut Stopped<'p, S>,
        is_first: bool,
    ) -> Self {
        let parser = RequestParser::new(limits.of_heads());
        Self { limits, parser, alarm, stopped, is_first, idle_until: None, begun: None }
    }

    /// Reads the next request's head.
    async fn next_request<R, W>(&mut self, client: &mut Client<R, W>, worker: &Worker) -> Next
    where
        R: AsyncRead + Unpin,
    {
        let incoming = &mut client.incoming;
        loop {
            if !incoming.buf.is_empty() {
                match self.parser.parse(&mut incoming.buf) {
                    Ok(Some(request)) => {
                        return Next::Request { request: Box::new(request), took: self.took() };
                    }
                    Ok(None) => {}
                    Err(refused) => return self.refusal(refused),
                }
                if self.begun.is_none() && self.parser.has_begun(&incoming.buf) {
                    self.begun = Some(Instant::now());
                }
            }
            match self.more(incoming, worker).await {
                More::Read(Ok(1..)) => {}
                More::Read(_) if self.begun.is_some() => {
                    let refused = self.parser.incomplete(&incoming.buf);
                    return self.refusal(refused);
                }
                More::TooLate if self.begun.is_some() => {
                    let refused = Box::new(self.parser.incomplete(&incoming.buf));
                    let text = "the request's head did not arrive in time".to_owned();
                    return Next::Refused { status: 408, text, refused, took: self.took() };
                }
                More::Read(_) | More::TooLate | More::Stopped => return Next::Over,
            }
        }
    }

    /// Waits for more of the head, or for the first of it.
    async fn more<R: AsyncRead + Unpin>(
        &mut self,
        incoming: &mut Incoming<R>,
        worker: &Worker,
    ) -> More {
        poll_fn(|cx| {
            if let Poll::Ready(read) = incoming.poll_fill(cx, worker.room()) {
                return Poll::Ready(More::Read(read));
            }
            let end = match self.begun {
                Some(begun) => begun + self.limits.header_timeout,
                None => {
                    let was_over = self.stopped.is_over;
                    let is_stopped = self.stopped.poll(cx, worker).is_ready();
                    if is_stopped && !self.is_first {
                        return Poll::Ready(More::Stopped);
                    }
                    let mut idle = self.limits.idle_timeout;
                    if is_stopped {
                        idle = idle.min(LAST_WORD);
                        if !was_over {
                            self.idle_until = None;
                        }
                    }
                    *self.idle_until.get_or_insert_with(|| Instant::now() + idle)
                }
            };
            self.alarm.poll(cx, end).map(|()| More::TooLate)
        })
        .await
    }

    fn refusal(&self, refused: Refused) -> Next {
        let (status, text) = (refused.error.status(), refused.to_string());
        Next::Refused { status, text, refused: Box::new(refused), took: self.took() }
    }

    /// How long the head has been coming.
    fn took(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }
}

/// What a connection that waits gets.
enum More {
    Read(std::io::Result<usize>),
    TooLate,
    Stopped,
}

/// Answers a refused request and gives it its log line.
async fn refuse<R, W: Breakable>(
    client: &mut Client<R, W>,
    worker: &Worker,
    live: &Live,
    (status, text): (u16, &str),
    refused: &Refused,
    took: Duration,
) {
    let Client { out, peer, .. } = client;
    let host = refused.fields.get("host").map(<[u8]>::to_vec).map(Into::into);
    let host = host.and_then(Authority::parse);
    let site = live.site(host.as_ref().map(Authority::host)).map(|site| &**site);
    let clock = site.map_or(&live.clock, |site| &site.clock);
    let received = clock.ago(took);
    let trusted = site.map_or(&[][..], |site| &site.settings.trusted_peers);
    let client_ip = forwarded::client_ip(peer.ip, &refused.fields, trusted);
    // The rules see what was refused before them too.
    let inspection = site.and_then(|site| {
        let firewall = site.firewall.as_ref()?;
        let mut inspection = Inspection::begin(firewall, &site.clock, peer, client_ip);
        inspection.refused(refused);
        Some(inspection)
    });
    let is_head = refused.method() == Some(b"HEAD");
    let mut reply = Reply::new(out, Version::Http11, is_head, false);
    reply.answer(status, own_fields(clock, status), &own_text(status, text));
    // A client that does not listen is closed like any other.
    let _ = within(live.limits.client_timeout, reply.flush()).await;
    worker.stats().answered(status);
    let (out, begun, _) = reply.into_parts();
    let sent = begun.and_then(|begun| begun.sent(out));
    let log = site.map_or(live.log.as_ref(), |site| site.log.as_ref());
    if let Some(log) = log.filter(|_| !mutant::is(Mutant::NoLogFor400)) {
        let asked = Asked::refused(refused);
        Entry {
            client_ip,
            asked: Asked { host: host.as_ref().map(Authority::host).or(asked.host), ..asked },
            peer,
            websocket: false,
            sent,
            received,
            completed: clock.timestamp(),
            zone: clock.zone(),
            unique_id: inspection.as_ref().map(Inspection::id),
        }
        .write(log);
    }
    if let Some(inspection) = inspection {
        inspection.finish(None, sent);
    }
}

/// Closes in order: says that nothing more comes, then waits a little for the client to close.
async fn close<R: AsyncRead + Unpin, W: Breakable>(mut client: Client<R, W>) {
    if client.out.io.shutdown().await.is_err() {
        return;
    }
    let discard = async {
        let mut read = 0;
        while read < LINGER_BYTES {
            client.incoming.buf.clear();
            match client.incoming.fill().await {
                Ok(0) | Err(_) => return,
                Ok(more) => read += more,
            }
        }
    };
    tokio::select! {
        () = discard => {}
        () = sleep(LINGER) => {}
    }
}
