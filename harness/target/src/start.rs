//! Starts a target: renders its configuration with all sites, starts its services, waits until they
//! answer.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::container::{Contained, Plan};
use crate::engine::Engine;
use crate::image;
use crate::programs;
use crate::ready::{self, Doors};
use crate::render::RenderError;
use crate::requirements::Unavailable;
use crate::running::RunningTarget;
use crate::service::{Running, RunningService, ServiceName};
use crate::site::SiteRequest;
use crate::spec::{Container, Process, Run, Service, TargetSpec, Text, UrlError, url};
use crate::stage::Stage;
use crate::supervised::Supervised;
use crate::supervisor::ProcessJob;

/// Ports can be taken by somebody else between finding and binding them.
const ATTEMPTS: usize = 3;
/// When the harness is gone: real time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(2);

/// What a start needs to know besides the target and the sites.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// The scripted origin's shared listener.
    pub origin: SocketAddr,
    /// The running edgeproof binary: the variable `self` of templates.
    pub program: PathBuf,
    /// The program that is a supervisor (it calls [`crate::supervisor::main`]), and its arguments before
    /// the supervisor's own.
    pub supervisor: Vec<OsString>,
    /// May an address lie beyond loopback?
    pub allow_remote: bool,
    /// Will any case move time? Without, a target whose clock is libfaketime is started on real time:
    /// reading the clock's file at each look costs nginx half of the rate of its cache hits.
    pub moves_time: bool,
}

impl StartOptions {
    /// For the released binary: it is the program, and `supervise` its hidden subcommand.
    ///
    /// # Errors
    /// The system does not say which program runs.
    pub fn new(origin: SocketAddr) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let supervisor = vec![program.clone().into_os_string(), "supervise".into()];
        Ok(Self { origin, program, supervisor, allow_remote: false, moves_time: true })
    }
}

/// Why a target did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot be had here (an image that cannot be built is only noticed now).
    #[error("not available: {0}")]
    Unavailable(#[from] Unavailable),
    /// A template is wrong.
    #[error("{0}")]
    Render(#[from] RenderError),
    /// The system refused something.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// An address is no address, or lies beyond loopback.
    #[error("{0}")]
    Address(#[from] UrlError),
    /// The engine did not start the container.
    #[error("the container of {service} did not start: {message}")]
    Container {
        /// Which service.
        service: ServiceName,
        /// What the engine said.
        message: String,
    },
    /// It ended before it was ready.
    #[error("{service} ended before it was ready: {status}")]
    Died {
        /// Which service.
        service: ServiceName,
        /// Exit status.
        status: String,
        /// Its last lines.
        log: String,
    },
    /// It did not become ready.
    #[error("{service} was not ready within {within:?}: still waiting for {waiting_for}")]
    NotReady {
        /// Which service.
        service: ServiceName,
        /// The limit.
        within: Duration,
        /// What was missing.
        waiting_for: String,
        /// Its last lines.
        log: String,
    },
}

impl StartError {
    /// The last lines that the service wrote.
    pub fn log(&self) -> &str {
        match self {
            StartError::Died { log, .. } | StartError::NotReady { log, .. } => log,
            _ => "",
        }
    }

    pub(crate) fn system(what: impl Into<String>, error: io::Error) -> Self {
        StartError::System { what: what.into(), error }
    }

    /// Did somebody else take one of the ports (EADDRINUSE)?
    fn is_port_clash(&self) -> bool {
        self.log().to_ascii_lowercase().contains("address already in use")
    }
}

impl TargetSpec {
    /// Starts the target with all these sites in one configuration, and returns when it is ready.
    ///
    /// # Errors
    /// Nothing of the target is left running then.
    pub async fn start(
        &self,
        sites: &[SiteRequest],
        options: &StartOptions,
    ) -> Result<RunningTarget, StartError> {
        let mut attempt = 1;
        loop {
            match self.start_once(sites, options).await {
                Err(error) if error.is_port_clash() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    async fn start_once(
        &self,
        sites: &[SiteRequest],
        options: &StartOptions,
    ) -> Result<RunningTarget, StartError> {
        let begun = Instant::now();
        let stage = Stage::set(self, sites, options)?;
        let mut target = RunningTarget::new(self, &stage)?;
        let named =
            [(ServiceName::Http, &self.services.http), (ServiceName::Ssh, &self.services.ssh)];
        for (name, service) in named {
            let Some(service) = service else { continue };
            let (plain, tls) = addresses(service, &stage, options.allow_remote)?;
            target.listens(name, plain, tls);
            let running = run(name, service, &stage, options).await?;
            let started = RunningService { name, stop: service.stop, running };
            let unix = target.control().filter(|_| name == ServiceName::Http).map(Into::into);
            let doors = Doors { tcp: plain.into_iter().chain(tls).collect(), unix };
            ready::wait(&started, &service.ready, &doors).await?;
            target.services.push(started);
        }
        target.version = self.ask_version(&stage, &target.services).await;
        target.ready_in = begun.elapsed();
        target.keep_alive(stage);
        Ok(target)
    }
}

type Addresses = (Option<SocketAddr>, Option<SocketAddr>);

/// Where the service listens: in plain text, for TLS.
fn addresses(service: &Service, stage: &Stage, remote: bool) -> Result<Addresses, StartError> {
    if let Run::Url(text) = &service.run {
        let (scheme, host) = url::split(&stage.renderer.text(text)?)?;
        let address = Some(url::resolve(&host, remote)?);
        return Ok(if scheme == url::Scheme::Https { (None, address) } else { (address, None) });
    }
    let address = |text: &Option<Text>| -> Result<Option<SocketAddr>, StartError> {
        let Some(text) = text else { return Ok(None) };
        Ok(Some(url::resolve(&stage.renderer.text(text)?, remote)?))
    };
    Ok((address(&service.address)?, address(&service.tls)?))
}

async fn run(
    name: ServiceName,
    service: &Service,
    stage: &Stage,
    options: &StartOptions,
) -> Result<Running, StartError> {
    match &service.run {
        Run::Url(_) => Ok(Running::Elsewhere),
        Run::Process(process) => start_process(name, process, stage, options),
        Run::Container(container) => start_container(name, container, stage, options).await,
    }
}

fn start_process(
    name: ServiceName,
    process: &Process,
    stage: &Stage,
    options: &StartOptions,
) -> Result<Running, StartError> {
    let mut command: Vec<OsString> =
        stage.texts(&process.command)?.into_iter().map(Into::into).collect();
    if let Some(path) = command[0].to_str().and_then(programs::find) {
        command[0] = path.into();
    }
    let job = ProcessJob {
        command,
        env: stage.pairs(&process.env)?,
        directory: Some(stage.folder.path().to_owned()),
        output: stage.output(name),
        grace: GRACE,
        sweep: Some(stage.folder.path().to_owned()),
    };
    Supervised::start(&options.supervisor, job).map(Running::Process).map_err(|error| {
        StartError::system(format!("cannot start the supervisor of {name}"), error)
    })
}

async fn start_container(
    name: ServiceName,
    container: &Container,
    stage: &Stage,
    options: &StartOptions,
) -> Result<Running, StartError> {
    let failed = |message: String| StartError::Container { service: name, message };
    let engine = Engine::find().map_err(failed)?;
    let (asked, recipe) = (engine.clone(), container.clone());
    let image = tokio::task::spawn_blocking(move || image::ready(&asked, &recipe))
        .await
        .map_err(|error| failed(error.to_string()))??;
    let plan = Plan {
        image,
        command: stage.texts(&container.command)?,
        env: stage.pairs(&container.env)?,
        mounts: stage.texts(&container.mounts)?,
        output: stage.output(name),
        folder: stage.folder.path().to_owned(),
    };
    Contained::start(&options.supervisor, &engine, plan)
        .await
        .map(|contained| Running::Container(Box::new(contained)))
        .map_err(failed)
}
