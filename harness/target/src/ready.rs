//! Waits until a started service answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use crate::service::RunningService;
use crate::spec::{Ready, ReadyWhen};
use crate::start::StartError;

/// Between two looks. Real time: nothing tells when a foreign process is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const ONE_LOOK: Duration = Duration::from_secs(1);

/// Everything that must accept connections.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    pub(crate) tcp: Vec<SocketAddr>,
    pub(crate) unix: Option<PathBuf>,
}

/// Returns when the service is ready; fails when it dies or takes too long.
pub(crate) async fn wait(
    service: &RunningService,
    ready: &Ready,
    doors: &Doors,
) -> Result<(), StartError> {
    let until = Instant::now() + ready.within;
    loop {
        let waiting_for = match closed_door(doors).await {
            None => not_yet(service, &ready.when, doors).await,
            door => door,
        };
        // Asked after the look: a door that answers may be another program's, on a port that this one
        // could not get.
        if let Some(status) = service.ended().await {
            return Err(StartError::Died {
                service: service.name,
                status,
                log: service.last_lines(),
            });
        }
        let Some(waiting_for) = waiting_for else { return Ok(()) };
        if Instant::now() >= until {
            return Err(StartError::NotReady {
                service: service.name,
                within: ready.within,
                waiting_for,
                log: service.last_lines(),
            });
        }
        sleep(LOOK_AGAIN).await;
    }
}

async fn closed_door(doors: &Doors) -> Option<String> {
    for address in &doors.tcp {
        if !accepts(*address).await {
            return Some(format!("{address} to accept a connection"));
        }
    }
    let path = doors.unix.as_ref()?;
    match timeout(ONE_LOOK, UnixStream::connect(path)).await {
        Ok(Ok(_)) => None,
        _ => Some(format!("{} to accept a connection", path.display())),
    }
}

/// Whether somebody listens there. Where nobody does, the system may pick the very port for the near end of the
/// connection, which then meets itself (RFC 9293 §3.5, simultaneous open).
async fn accepts(address: SocketAddr) -> bool {
    match timeout(ONE_LOOK, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream.local_addr().is_ok_and(|near| near != address),
        _ => false,
    }
}

/// What is still missing besides open doors.
async fn not_yet(service: &RunningService, when: &ReadyWhen, doors: &Doors) -> Option<String> {
    match when {
        ReadyWhen::Connect => None,
        ReadyWhen::Http { path, status } => {
            let address = doors.tcp.first()?;
            let found = timeout(ONE_LOOK, answer(*address, path)).await.ok().flatten();
            (found != Some(*status)).then(|| match found {
                Some(found) => format!("status {status} for {path}, last found {found}"),
                None => format!("status {status} for {path}, no answer yet"),
            })
        }
        ReadyWhen::Line(line) => {
            let output = std::fs::read(service.output()?).unwrap_or_default();
            let seen = String::from_utf8_lossy(&output).lines().any(|text| line.is_match(text));
            (!seen).then(|| format!("a line of output that matches {line}"))
        }
    }
}

/// The status of a GET.
async fn answer(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}
