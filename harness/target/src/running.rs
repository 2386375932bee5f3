//! A target that is up.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::faketime::Faketime;
use crate::log_reader::LineReader;
use crate::service::{RunningService, ServiceName};
use crate::spec::{Logs, Run, TargetSpec};
use crate::stage::{LogFile, SiteLogs, Stage};
use crate::start::StartError;

/// A target that was ready, and everything that a runner needs to talk to it. Dropping it ends the
/// target; [`RunningTarget::stop`] does so in the target's own way.
#[derive(Debug)]
pub struct RunningTarget {
    name: String,
    pub(crate) version: Option<String>,
    pub(crate) ready_in: Duration,
    http: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    ssh: Option<SocketAddr>,
    control: Option<PathBuf>,
    ca: PathBuf,
    faketime: Option<Faketime>,
    login: Option<SshLogin>,
    sshd: Option<SshdPaths>,
    logs: HashMap<String, SiteLogs>,
    ways_of_logs: Logs,
    // Ended before the stage below goes: fields are dropped in this order.
    pub(crate) services: Vec<RunningService>,
    folder: PathBuf,
    stage: Option<Stage>,
}

/// How a client logs in to the target's SSH service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshLogin {
    /// The user.
    pub user: String,
    /// The private key (ed25519, no passphrase); the public one lies beside it with `.pub`.
    pub private_key: PathBuf,
}

/// For the effective configuration: `BINARY -T -f CONFIG -C …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshdPaths {
    /// The daemon.
    pub binary: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
}

/// A service that ended although nobody stopped it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} ended: {status}")]
pub struct Died {
    /// Which service.
    pub service: ServiceName,
    /// How.
    pub status: String,
    /// Its last lines.
    pub log: String,
}

impl RunningTarget {
    pub(crate) fn new(spec: &TargetSpec, stage: &Stage) -> Result<Self, StartError> {
        let path = |text| stage.renderer.text(text).map(PathBuf::from);
        let ssh = spec.services.ssh.as_ref();
        let sshd = match ssh.and_then(|ssh| ssh.sshd.as_ref()) {
            Some(sshd) => {
                Some(SshdPaths { binary: path(&sshd.binary)?, config: path(&sshd.config)? })
            }
            None => None,
        };
        let login = match ssh {
            Some(ssh) if !matches!(ssh.run, Run::Url(_)) => Some(SshLogin {
                user: stage.ssh.user().to_owned(),
                private_key: stage.ssh.private_key().map_err(|error| {
                    StartError::system("cannot make the client's SSH key", error)
                })?,
            }),
            _ => None,
        };
        Ok(Self {
            name: spec.name.clone(),
            version: None,
            ready_in: Duration::ZERO,
            http: None,
            tls: None,
            ssh: None,
            control: spec.services.control.as_ref().map(path).transpose()?,
            ca: stage.certificates.ca.clone(),
            faketime: stage.faketime.clone(),
            login,
            sshd,
            logs: stage.logs.clone(),
            ways_of_logs: spec.logs.clone(),
            services: Vec::new(),
            folder: stage.folder.path().to_owned(),
            stage: None,
        })
    }

    pub(crate) fn listens(
        &mut self,
        service: ServiceName,
        plain: Option<SocketAddr>,
        tls: Option<SocketAddr>,
    ) {
        match service {
            ServiceName::Http => (self.http, self.tls) = (plain, tls),
            ServiceName::Ssh => self.ssh = plain,
        }
    }

    pub(crate) fn keep_alive(&mut self, stage: Stage) {
        self.stage = Some(stage);
    }

    /// The target's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says its version is.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Real time from the order to start until it was ready.
    pub fn ready_in(&self) -> Duration {
        self.ready_in
    }

    /// Where it speaks HTTP in plain text.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where it speaks HTTP over TLS.
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Where it speaks SSH.
    pub fn ssh(&self) -> Option<SocketAddr> {
        self.ssh
    }

    /// Its control socket.
    pub fn control(&self) -> Option<&Path> {
        self.control.as_deref()
    }

    /// The certificate (PEM) of the authority that signed the target's, which clients trust.
    pub fn ca_certificate(&self) -> &Path {
        &self.ca
    }

    /// The clock's file, where the target's clock is libfaketime and was asked to be movable.
    pub fn faketime(&self) -> Option<&Faketime> {
        self.faketime.as_ref()
    }

    /// Who may log in by SSH, and with which key. `None` for a service that runs already.
    pub fn ssh_login(&self) -> Option<&SshLogin> {
        self.login.as_ref()
    }

    /// The daemon and its configuration, to ask for the effective one.
    pub fn sshd(&self) -> Option<&SshdPaths> {
        self.sshd.as_ref()
    }

    /// The access log of the site with this id.
    pub fn access_log(&self, site: &str) -> Option<&LogFile> {
        self.logs.get(site)?.access.as_ref()
    }

    /// The WAF's log of the site with this id.
    pub fn waf_log(&self, site: &str) -> Option<&LogFile> {
        self.logs.get(site)?.waf.as_ref()
    }

    /// The WAF's audit log of the site with this id.
    pub fn audit_log(&self, site: &str) -> Option<&Path> {
        self.logs.get(site)?.audit.as_deref()
    }

    /// The folder in which the WAF keeps requests to the site with this id.
    pub fn held_requests(&self, site: &str) -> Option<&Path> {
        self.logs.get(site)?.held.as_deref()
    }

    /// How access-log lines of this preset are read.
    pub fn log_reader(&self, preset: &str) -> Option<&Arc<LineReader>> {
        self.ways_of_logs.reader(preset)
    }

    /// Tells the service `http` to open its logs again. False where the target does not say how.
    pub fn reopen_logs(&self) -> bool {
        if let Some(signal) = self.ways_of_logs.reopen {
            self.signal(ServiceName::Http, signal);
        }
        self.ways_of_logs.reopen.is_some()
    }

    /// The log of the command behind the site with this id.
    pub fn upstream_log(&self, site: &str) -> Option<&LogFile> {
        self.logs.get(site)?.upstream.as_ref()
    }

    /// The folder with the rendered configuration, the logs and what the services printed.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the folder when the target is stopped (a failure's logs).
    pub fn keep_folder(&mut self) {
        self.services.iter_mut().for_each(RunningService::keep_folder);
        if let Some(stage) = &mut self.stage {
            stage.folder.keep();
        }
    }

    /// The process ids of a service, parents first; empty for containers and for what runs elsewhere.
    pub fn pids(&self, service: ServiceName) -> Vec<i32> {
        let services = self.services.iter().filter(|running| running.name == service);
        services.flat_map(RunningService::pids).map(nix::unistd::Pid::as_raw).collect()
    }

    /// The processes of the harness's own that hold the services: what these start descends from them. None of
    /// containers and of what runs elsewhere.
    pub fn supervisors(&self) -> Vec<u32> {
        let pids = self.services.iter().filter_map(RunningService::supervisor);
        pids.map(|pid| pid.as_raw().cast_unsigned()).collect()
    }

    /// Sends the service's first process a signal (HUP to reload, USR1 to reopen logs).
    pub fn signal(&self, service: ServiceName, signal: Signal) {
        for running in self.services.iter().filter(|running| running.name == service) {
            running.signal(signal);
        }
    }

    /// Do all services still run?
    ///
    /// # Errors
    /// The first that does not, how it ended, and its last lines.
    pub async fn alive(&self) -> Result<(), Died> {
        for running in &self.services {
            if let Some(status) = running.ended().await {
                return Err(Died { service: running.name, status, log: running.last_lines() });
            }
        }
        Ok(())
    }

    /// Stops all services as target.yaml says, and returns when none of their processes is left.
    pub async fn stop(mut self) {
        for service in self.services.drain(..).rev() {
            service.stop().await;
        }
    }
}

/// Reads the certificate of [`RunningTarget::ca_certificate`].
impl RunningTarget {
    /// The authority's certificate as PEM.
    ///
    /// # Errors
    /// The file is gone.
    pub fn ca_pem(&self) -> io::Result<String> {
        std::fs::read_to_string(&self.ca)
    }
}
