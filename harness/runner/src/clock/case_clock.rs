//! One case's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgeproof_target::Faketime;
use jiff::{SignedDuration, Timestamp};

use super::control::ControlSocket;
use super::way::Way;
use crate::locking::lock;

/// The clock could not be read or moved: the harness or the target broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ClockError(pub(crate) String);

/// One clock for a whole target, which only goes forwards: how far ahead of real time it is.
#[derive(Debug)]
pub(crate) struct SharedFaketime {
    file: Faketime,
    ahead: Mutex<Duration>,
}

impl SharedFaketime {
    pub(crate) fn new(file: Faketime) -> Self {
        Self { file, ahead: Mutex::new(Duration::ZERO) }
    }

    fn ahead(&self) -> Duration {
        *lock(&self.ahead)
    }

    fn advance(&self, by: Duration) -> Result<(), ClockError> {
        let mut ahead = lock(&self.ahead);
        let next = *ahead + by;
        self.file.set_offset(next).map_err(|error| {
            ClockError(format!("libfaketime's file cannot be written: {error}"))
        })?;
        *ahead = next;
        Ok(())
    }
}

/// What a case asks for the time, and moves it with.
#[derive(Debug)]
pub(crate) struct CaseClock {
    mover: Mover,
    /// Virtual time passed so far in this case.
    moved: Mutex<Duration>,
}

#[derive(Debug)]
enum Mover {
    Machine,
    Control { socket: ControlSocket, host: String, now: Mutex<Timestamp> },
    Faketime(Arc<SharedFaketime>),
    Backdate(Duration),
    Wait,
    Ignored,
}

impl CaseClock {
    /// The clock for a way; [`CaseClock::settle`] must be called before the case is played.
    pub(crate) fn new(
        way: Way,
        host: &str,
        control: Option<&ControlSocket>,
        faketime: Option<&Arc<SharedFaketime>>,
    ) -> Result<Self, ClockError> {
        let missing = |what: &str| ClockError(format!("the target has no {what}"));
        let mover = match way {
            Way::Unmoved => match faketime {
                // Other cases may have moved the target's clock before this one.
                Some(shared) => Mover::Faketime(Arc::clone(shared)),
                None => Mover::Machine,
            },
            Way::Control => Mover::Control {
                socket: control.ok_or_else(|| missing("control socket"))?.clone(),
                host: host.to_owned(),
                now: Mutex::new(Timestamp::now()),
            },
            Way::Faketime => {
                Mover::Faketime(Arc::clone(faketime.ok_or_else(|| missing("libfaketime file"))?))
            }
            Way::Backdate(by) => Mover::Backdate(by),
            Way::Wait => Mover::Wait,
            Way::Ignored => Mover::Ignored,
        };
        Ok(Self { mover, moved: Mutex::new(Duration::ZERO) })
    }

    /// Reads the target's clock where it has one of its own.
    pub(crate) async fn settle(&self) -> Result<(), ClockError> {
        if let Mover::Control { socket, host, now } = &self.mover {
            let read = socket.now(host).await?;
            *lock(now) = read;
        }
        Ok(())
    }

    /// What time it is for the case.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.mover {
            Mover::Machine | Mover::Wait | Mover::Backdate(_) => Timestamp::now(),
            Mover::Control { now, .. } => *lock(now),
            Mover::Faketime(shared) => later(Timestamp::now(), shared.ahead()),
            Mover::Ignored => later(Timestamp::now(), *lock(&self.moved)),
        }
    }

    /// What time the origin believes it to be.
    pub(crate) fn origin_now(&self) -> Timestamp {
        match &self.mover {
            Mover::Backdate(by) => {
                let to_come = by.saturating_sub(*lock(&self.moved));
                let to_come = SignedDuration::try_from(to_come).unwrap_or_default();
                self.now().saturating_sub(to_come).unwrap_or_else(|_| self.now())
            }
            _ => self.now(),
        }
    }

    /// Lets time pass.
    pub(crate) async fn advance(&self, by: Duration) -> Result<(), ClockError> {
        match &self.mover {
            Mover::Control { socket, host, now } => {
                let read = socket.advance(host, by).await?;
                *lock(now) = read;
            }
            Mover::Faketime(shared) => shared.advance(by)?,
            Mover::Wait | Mover::Machine => tokio::time::sleep(by).await,
            Mover::Backdate(_) | Mover::Ignored => {}
        }
        *lock(&self.moved) += by;
        Ok(())
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or_default();
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn backdated_dates_catch_up_with_the_advance() {
        let by = Duration::from_secs(61);
        let clock = CaseClock::new(Way::Backdate(by), "h", None, None).unwrap();
        let behind = |clock: &CaseClock| clock.now().duration_since(clock.origin_now()).as_secs();
        assert!((60..=61).contains(&behind(&clock)), "{}", behind(&clock));
        clock.advance(by).await.unwrap();
        assert_eq!(behind(&clock), 0);
    }

    /// A control socket that answers each connection with the next of these, and gives what it was asked.
    async fn control(
        answers: Vec<String>,
    ) -> (tempfile::TempDir, ControlSocket, tokio::task::JoinHandle<Vec<String>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let size = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..size]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (folder, ControlSocket::new(&path), asked)
    }

    fn says(now: &str) -> String {
        let body = format!("{{\"now\":\"{now}\"}}");
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn the_control_socket_is_read_once_and_moved_by_milliseconds() {
        let answers = vec![
            says("2018-07-16T12:04:07+02:00"),
            says("2018-07-16T12:04:07.134+02:00"),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno site".to_owned(),
        ];
        let (_folder, socket, asked) = control(answers).await;
        let clock = CaseClock::new(Way::Control, "c1.edgeproof.test", Some(&socket), None).unwrap();
        clock.settle().await.unwrap();
        assert_eq!(clock.now(), "2018-07-16T10:04:07Z".parse().unwrap());
        clock.advance(Duration::from_millis(134)).await.unwrap();
        assert_eq!(clock.now(), "2018-07-16T10:04:07.134Z".parse().unwrap());
        let refused = clock.advance(Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(refused.0, "the control socket answered 404: \"no site\"");
        let asked = asked.await.unwrap();
        assert!(asked[0].starts_with("GET /sites/c1.edgeproof.test/clock HTTP/1.1\r\n"));
        assert!(asked[1].starts_with("POST /sites/c1.edgeproof.test/clock HTTP/1.1\r\n"));
        assert!(asked[1].ends_with("{\"advance_ms\":134}"));
    }
}
