//! The control socket: HTTP/1.1 over a unix socket that only its owner may use, for clocks,
//! purges and counts. Its own thread, so that busy workers do not keep it waiting.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use edgeproof_http1::{BodyLength, Fields, Limits, ParsedRequest, RequestParser, Version};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;

use crate::StartError;
use crate::answers::{self, Answer};
use crate::body::Sink;
use crate::reply::{Reply, reason};
use crate::wire::{Incoming, Outgoing};
use crate::worker::Shared;

/// The control socket at work. Dropped, it is removed.
pub(crate) struct Control {
    path: PathBuf,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Control {
    /// Makes the socket, with mode 0600 from the moment it has its name, and answers on it.
    pub(crate) fn start(path: &Path, shared: Arc<Shared>) -> Result<Self, StartError> {
        let fail = |source| StartError::Control { path: path.to_owned(), source };
        let listener = bind(path).map_err(fail)?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || run(listener, shared, stopped))
            .map_err(StartError::Thread)?;
        Ok(Self { path: path.to_owned(), stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may be gone already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds under another name and renames, so that nobody can connect before the mode is set. A
/// socket that nobody listens on any more is replaced.
fn bind(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and no socket"));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens on it"));
        }
        Ok(_) => {}
    }
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(format!(".{}", std::process::id()));
    let hidden = PathBuf::from(hidden);
    let listener = std::os::unix::net::UnixListener::bind(&hidden)?;
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn run(
    listener: std::os::unix::net::UnixListener,
    shared: Arc<Shared>,
    stopped: tokio::sync::oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async move {
        let listener = UnixListener::from_std(listener)?;
        let mut stopped = stopped;
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    let shared = Arc::clone(&shared);
                    spawn_local(async move { serve(stream, &shared).await });
                },
                _ = &mut stopped => return Ok(()),
            }
        }
    })
}

/// How long a request on the control socket may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that a request's body may have.
const MOST: u64 = 64 << 10;

async fn serve(stream: UnixStream, shared: &Shared) {
    let (read, write) = stream.into_split();
    let (mut incoming, mut out) = (Incoming::new(read), Outgoing::new(write));
    loop {
        let (answer, keep, is_head) = match next(&mut incoming).await {
            Ok(Some((request, body))) => (
                answers::to(shared, &request, &body).await,
                request.is_persistent(),
                &request.head.method[..] == b"HEAD",
            ),
            Ok(None) => return,
            Err(answer) => (answer, false, false),
        };
        let mut reply = Reply::new(&mut out, Version::Http11, is_head, keep);
        let body = Bytes::from(format!("{}\n", answer.json));
        let mut fields = Fields::new();
        fields.push("Content-Type", "application/json");
        let length = BodyLength::Length(body.len() as u64);
        reply.start(answer.status, reason(answer.status).into(), fields, length);
        reply.data(body);
        if reply.flush().await.is_err() || !keep {
            return;
        }
    }
}

/// The next request with its body; `None` at the end of the connection.
async fn next<R: tokio::io::AsyncRead + Unpin>(
    incoming: &mut Incoming<R>,
) -> Result<Option<(ParsedRequest, BytesMut)>, Answer> {
    let mut parser = RequestParser::new(Limits::default());
    let request = loop {
        match parser.parse(&mut incoming.buf) {
            Ok(Some(request)) => break request,
            Ok(None) => {}
            Err(refused) => {
                return Err(Answer::error(refused.error.status(), &refused.to_string()));
            }
        }
        match timeout(PATIENCE, incoming.fill()).await {
            Ok(Ok(1..)) => {}
            _ => return Ok(None),
        }
    };
    let length = match request.body {
        BodyLength::Empty => 0,
        BodyLength::Length(length @ ..=MOST) => length,
        _ => return Err(Answer::error(413, "expected a body of known length, 64 KiB at most")),
    };
    let length = usize::try_from(length).unwrap_or_default();
    while incoming.buf.len() < length {
        match timeout(PATIENCE, incoming.fill()).await {
            Ok(Ok(1..)) => {}
            _ => return Ok(None),
        }
    }
    let body = incoming.buf.split_to(length);
    Ok(Some((request, body)))
}
