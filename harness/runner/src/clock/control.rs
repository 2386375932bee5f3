//! The target's control socket: small HTTP/1.1 requests over a unix socket, one a connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::ClockError;
use crate::wire::{AnswerReader, Asked, Progress};

const LONGEST: Duration = Duration::from_secs(5);

/// Where the socket is.
#[derive(Debug, Clone)]
pub(crate) struct ControlSocket(PathBuf);

impl ControlSocket {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What time it is for the site.
    pub(crate) async fn now(&self, host: &str) -> Result<Timestamp, ClockError> {
        let (status, body) = self.ask("GET", &format!("/sites/{host}/clock"), "").await?;
        now_in(status, &body)
    }

    /// Moves the site's clock; what time it is then.
    pub(crate) async fn advance(&self, host: &str, by: Duration) -> Result<Timestamp, ClockError> {
        let order = format!("{{\"advance_ms\":{}}}", by.as_millis());
        let (status, body) = self.ask("POST", &format!("/sites/{host}/clock"), &order).await?;
        if (200..300).contains(&status) && !body.is_empty() {
            return now_in(status, &body);
        }
        if !(200..300).contains(&status) {
            return Err(refused(status, &body));
        }
        self.now(host).await
    }

    /// Asks for all log lines of finished requests to be written. `Ok(false)`: it knows no such thing. A log that
    /// cannot be written (503) keeps the others from nothing.
    pub(crate) async fn flush_logs(&self) -> Result<bool, ClockError> {
        let (status, _) = self.ask("POST", "/logs/flush", "").await?;
        Ok(matches!(status, 200..300 | 503))
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), ClockError> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        tokio::time::timeout(LONGEST, self.exchange(&request)).await.unwrap_or_else(|_| {
            Err(ClockError(format!("no answer to {method} {path} in {LONGEST:?}")))
        })
    }

    async fn exchange(&self, request: &str) -> Result<(u16, Vec<u8>), ClockError> {
        let path = self.0.display();
        let failed = |error: std::io::Error| ClockError(format!("{path}: {error}"));
        let mut stream = UnixStream::connect(&self.0).await.map_err(failed)?;
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut reader = AnswerReader::new(Asked::default());
        let mut unread = Vec::new();
        let at_end = loop {
            let (taken, progress) = reader.take(&unread);
            unread.drain(..taken);
            match progress {
                Progress::Whole => break false,
                Progress::Broken(why) => return Err(ClockError(why)),
                Progress::More => {}
            }
            if stream.read_buf(&mut unread).await.map_err(failed)? == 0 {
                break true;
            }
        };
        match reader.finish(at_end).0 {
            Some(answer) if answer.complete => Ok((answer.status, answer.content.bytes)),
            _ => Err(ClockError("the control socket gave no whole answer".to_owned())),
        }
    }
}

fn refused(status: u16, body: &[u8]) -> ClockError {
    let said = crate::visible::quoted(body);
    ClockError(format!("the control socket answered {status}: {said}"))
}

fn now_in(status: u16, body: &[u8]) -> Result<Timestamp, ClockError> {
    #[derive(serde::Deserialize)]
    struct Clock {
        now: String,
    }
    if !(200..300).contains(&status) {
        return Err(refused(status, body));
    }
    let clock: Clock = serde_json::from_slice(body).map_err(|error| {
        ClockError(format!("the control socket's clock cannot be read: {error}"))
    })?;
    clock.now.parse().map_err(|error| ClockError(format!("`now` is no RFC 3339 date: {error}")))
}
