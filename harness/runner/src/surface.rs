//! What of a running target a case can touch: the one place that knows the target crate's running side.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeproof_target::{
    LineReader, LogFile, RunningTarget, ServiceName, SshLogin, SshdPaths, TargetSpec,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;

use crate::client::{Dialer, trusting};
use crate::clock::{ControlSocket, SharedFaketime};
use crate::event::Event;
use crate::locking::lock;
use crate::origin::MARKER;
use crate::probes::ssh;

/// A sign of life is given at once or not at all.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// What the target has spent is asked for with each case, of as many processes as it has: an answer does for so long.
const FRESH: Duration = Duration::from_millis(100);

/// A running target with what is made once for all its cases.
#[derive(Debug)]
pub(crate) struct Surface {
    running: RunningTarget,
    trust: Option<Arc<ClientConfig>>,
    control: Option<ControlSocket>,
    faketime: Option<Arc<SharedFaketime>>,
    ssh_known: ssh::Known,
    /// When that was last asked for, and the answer.
    spent: Mutex<Option<(Instant, Option<Duration>)>>,
}

impl Surface {
    pub(crate) fn new(running: RunningTarget) -> Result<Self, String> {
        let trust = match running.tls() {
            Some(_) => {
                let pem = running.ca_pem().map_err(|error| error.to_string())?;
                Some(trusting(pem.as_bytes())?)
            }
            None => None,
        };
        let control = running.control().map(ControlSocket::new);
        let faketime = running.faketime().cloned().map(SharedFaketime::new).map(Arc::new);
        let (ssh_known, spent) = (ssh::Known::default(), Mutex::default());
        Ok(Self { running, trust, control, faketime, ssh_known, spent })
    }

    /// The way to the target for a case with that host name.
    pub(crate) fn dialer(&self, host: &str) -> Dialer {
        let (http, tls) = (self.running.http(), self.running.tls());
        Dialer { http, tls, host: host.to_owned(), trust: self.trust.clone(), from: None }
    }

    pub(crate) fn http(&self) -> Option<SocketAddr> {
        self.running.http()
    }

    pub(crate) fn ssh(&self) -> Option<SocketAddr> {
        self.running.ssh()
    }

    /// What the SSH service has said of itself so far.
    pub(crate) fn ssh_known(&self) -> &ssh::Known {
        &self.ssh_known
    }

    /// The key of the test's own; none of a service that runs already.
    pub(crate) fn ssh_login(&self) -> Option<&SshLogin> {
        self.running.ssh_login()
    }

    pub(crate) fn sshd(&self) -> Option<&SshdPaths> {
        self.running.sshd()
    }

    pub(crate) fn control(&self) -> Option<&ControlSocket> {
        self.control.as_ref()
    }

    pub(crate) fn faketime(&self) -> Option<&Arc<SharedFaketime>> {
        self.faketime.as_ref()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.running.folder()
    }

    pub(crate) fn access_log(&self, site: &str) -> Option<&LogFile> {
        self.running.access_log(site)
    }

    pub(crate) fn waf_log(&self, site: &str) -> Option<&LogFile> {
        self.running.waf_log(site)
    }

    pub(crate) fn audit_log(&self, site: &str) -> Option<&Path> {
        self.running.audit_log(site)
    }

    pub(crate) fn held_requests(&self, site: &str) -> Option<&Path> {
        self.running.held_requests(site)
    }

    /// How access-log lines of this preset are read.
    pub(crate) fn log_reader(&self, preset: &str) -> Option<Arc<LineReader>> {
        self.running.log_reader(preset).map(Arc::clone)
    }

    /// Tells the target to open its logs again. False where it does not say how.
    pub(crate) fn reopen_logs(&self) -> bool {
        self.running.reopen_logs()
    }

    pub(crate) fn upstream_log(&self, site: &str) -> Option<&LogFile> {
        self.running.upstream_log(site)
    }

    /// The process ids of all its services.
    pub(crate) fn pids(&self) -> Vec<i32> {
        [ServiceName::Http, ServiceName::Ssh]
            .into_iter()
            .flat_map(|name| self.running.pids(name))
            .collect()
    }

    /// The processors' time that its services have taken so far, give or take that of [`FRESH`]; `None` where their
    /// processes are not known.
    pub(crate) fn spent(&self) -> Option<Duration> {
        let mut known = lock(&self.spent);
        match *known {
            Some((when, spent)) if when.elapsed() < FRESH => spent,
            _ => {
                let all = self.running.supervisors().into_iter().map(edgeproof_load::cpu_of);
                let spent = all.collect::<Result<Vec<_>, _>>().ok();
                let spent = spent.filter(|all| !all.is_empty()).map(|all| all.into_iter().sum());
                *known = Some((Instant::now(), spent));
                spent
            }
        }
    }

    /// A service that ended without being told to.
    pub(crate) async fn death(&self) -> Option<Trouble> {
        let died = self.running.alive().await.err()?;
        let reason = format!("{} ended: {}", died.service, died.status);
        Some(Trouble { reason, log: died.log })
    }

    /// What is wrong with the target as a whole, if anything: a service that ended, or a listener that
    /// takes no connection.
    pub(crate) async fn trouble(&self) -> Option<Trouble> {
        if let Some(death) = self.death().await {
            return Some(death);
        }
        // Not of the SSH service: sshd punishes connections that lead to nothing.
        let address = self.running.http().or(self.running.tls())?;
        let tried = tokio::time::timeout(SIGN_OF_LIFE, TcpStream::connect(address)).await;
        let reason = match tried {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => format!("the target takes no connection on {address}: {error}"),
            Err(_) => format!("the target takes no connection on {address}"),
        };
        Some(Trouble { reason, log: String::new() })
    }

    /// Does it still answer requests of that site?
    pub(crate) async fn answers(&self, host: &str) -> bool {
        let Some(address) = self.running.http() else { return false };
        let request =
            format!("GET {MARKER}alive HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let asked = async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_u8().await
        };
        matches!(tokio::time::timeout(SIGN_OF_LIFE, asked).await, Ok(Ok(_)))
    }

    /// Stops the target; with `keep` its work folder stays for a person to look at.
    pub(crate) async fn stop(mut self, keep: bool) {
        if keep {
            self.running.keep_folder();
        }
        self.running.stop().await;
    }
}

/// Why nothing can be learnt from the target any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    /// Its last lines.
    pub(crate) log: String,
}

impl Trouble {
    /// That the target has failed.
    pub(crate) fn event(self, target: &TargetSpec) -> Event {
        Event::TargetFailed { target: target.name.clone(), reason: self.reason, log: self.log }
    }
}
