//! What a target is, read from its folder's `target.yaml` or from a URL of the command line.

mod bind;
mod known_failures;
mod services;
mod templates;
pub(crate) mod url;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source, Span, parse};
use minijinja::Value;
use nix::sys::signal::Signal;
use regex::Regex;

use crate::expresses::Expresses;
use crate::known::KnownFailures;
use crate::log_reader::LineReader;

pub use templates::Text;
pub use url::UrlError;

/// The name of the file in a target's folder.
pub const FILE_NAME: &str = "target.yaml";

/// An implementation under test, as its folder describes it. Everything in it is checked; whether it
/// can be had on this machine is asked by [`TargetSpec::available`].
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// The folder's name, or the URL.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where `target.yaml` lies; `None` for a URL of the command line.
    pub folder: Option<PathBuf>,
    /// How its version is asked for.
    pub version: Option<VersionProbe>,
    /// What must be there.
    pub available: Requirements,
    /// It is expected to fail and left out of `--target all`.
    pub negative_control: bool,
    /// Settings for the templates, as the variable `vars`.
    pub vars: Vec<(String, Value)>,
    /// What is rendered into the work folder.
    pub files: Vec<FileTemplate>,
    /// What it serves.
    pub services: Services,
    /// Where its logs are.
    pub logs: Logs,
    /// The features that it claims to have: what a case `needs`.
    pub declares: Vec<String>,
    /// What of a case's `site` its configuration can say.
    pub expresses: Expresses,
    /// How its time is moved.
    pub clock: ClockKind,
    /// For [`ClockKind::Wait`]: cases that advance more are skipped.
    pub max_wait: Option<Duration>,
    /// What may be a mistake in target.yaml, and keeps nobody from playing.
    pub warnings: Vec<Diagnostic>,
    /// What is known to fail, each with its reason.
    pub known_failures: KnownFailures,
}

impl TargetSpec {
    /// Reads `folder/target.yaml`.
    ///
    /// # Errors
    /// All mistakes of the file, each with its place.
    pub fn load(folder: &Path) -> Result<Self, Diagnostics> {
        let file = folder.join(FILE_NAME);
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Diagnostic::error(format!("cannot read {}: {error}", file.display()))
                .help(format!("a target is a folder with a {FILE_NAME}; see ci/targets/README.md"))
        })?;
        let source = Source::new(file.display().to_string(), text);
        let diagnostics = Diagnostics::new();
        let spec =
            parse(&source, &diagnostics).and_then(|node| bind::bind(&node, folder, &diagnostics));
        match spec {
            Some(spec) if !diagnostics.has_errors() => {
                Ok(Self { warnings: diagnostics.into_vec(), ..spec })
            }
            _ => Err(diagnostics),
        }
    }

    /// A target that runs already, given on the command line: `http://…`, `https://…` or `ssh://…`.
    /// It declares `http` (or `ssh`) and whatever `declares` adds, and expresses those keys of a site
    /// that belong to what it declares and need no configuration by the harness.
    ///
    /// # Errors
    /// The URL makes no sense, or lies beyond loopback without `allow_remote`.
    pub fn from_url(url: &str, declares: &[String], allow_remote: bool) -> Result<Self, UrlError> {
        url::target(url, declares, allow_remote)
    }

    /// The same, with the file in which its WAF says which rules matched: then it has a WAF and its log.
    ///
    /// # Errors
    /// The path cannot stand in a template.
    pub fn with_waf_log(mut self, log: &Path) -> Result<Self, UrlError> {
        let path = log.display().to_string();
        if path.contains("{{") || path.contains("{%") || path.contains("{#") {
            return Err(UrlError::Log(path));
        }
        self.logs.waf = Some(Text::literal(&path));
        for feature in ["waf", "waf-log"] {
            if !self.declares(feature) {
                self.declares.push(feature.to_owned());
            }
        }
        self.expresses = Expresses::of_a_running_target(&self.declares);
        Ok(self)
    }

    /// `process`, `container` or `url`: how its main service runs.
    pub fn kind(&self) -> &'static str {
        let main = self.services.http.as_ref().or(self.services.ssh.as_ref());
        match main.map(|service| &service.run) {
            Some(Run::Process(_)) => "process",
            Some(Run::Container(_)) => "container",
            Some(Run::Url(_)) | None => "url",
        }
    }

    /// Does it claim this feature?
    pub fn declares(&self, feature: &str) -> bool {
        self.declares.iter().any(|declared| declared == feature)
    }
}

/// A command whose output holds the version.
#[derive(Debug, Clone)]
pub struct VersionProbe {
    /// The command.
    pub command: Vec<Text>,
    /// Its first group is the version; the whole output's first line where there is no pattern.
    pub matches: Option<Regex>,
}

/// What must be there for the target to be had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Programs on PATH or in an sbin folder.
    pub commands: Vec<String>,
    /// Files.
    pub files: Vec<PathBuf>,
    /// Variables of Edgeproof's environment that must be set, and not to nothing.
    pub environment: Vec<String>,
    /// A container engine that answers.
    pub docker: bool,
    /// What a person can do about it.
    pub hint: Option<String>,
}

/// One file of the work folder.
#[derive(Debug, Clone)]
pub struct FileTemplate {
    /// Below the work folder.
    pub path: PathBuf,
    /// The template, as an absolute path.
    pub template: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// `with`: variables for this template only, before the general ones. A template that knows
    /// nothing of Edgeproof can be used as it is.
    pub with: Vec<(String, Text)>,
    /// Where target.yaml names it.
    pub span: Span,
}

/// What a target serves; at least one of http and ssh.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// The proxy.
    pub http: Option<Service>,
    /// The SSH daemon.
    pub ssh: Option<Service>,
    /// The control socket (a path), for the clock and statistics.
    pub control: Option<Text>,
}

/// One service.
#[derive(Debug, Clone)]
pub struct Service {
    /// How it runs.
    pub run: Run,
    /// Where it listens in plain text, as `HOST:PORT`.
    pub address: Option<Text>,
    /// Where it listens for TLS, as `HOST:PORT`.
    pub tls: Option<Text>,
    /// When it is ready.
    pub ready: Ready,
    /// How it is stopped.
    pub stop: Stop,
    /// For `ssh`: how the effective configuration is asked for.
    pub sshd: Option<Sshd>,
}

/// The three kinds.
#[derive(Debug, Clone)]
pub enum Run {
    /// A program of this machine.
    Process(Process),
    /// A container on the host's network.
    Container(Container),
    /// It runs already: `http://HOST:PORT`.
    Url(Text),
}

/// A program and its arguments.
#[derive(Debug, Clone)]
pub struct Process {
    /// The command.
    pub command: Vec<Text>,
    /// Added to the harness's own environment.
    pub env: Vec<(String, Text)>,
    /// Needs root.
    pub root: bool,
}

/// A container, made from a recipe or from an image that exists.
#[derive(Debug, Clone)]
pub struct Container {
    /// The image's name; the tag is `latest` or, with a recipe, made from the recipe's hash.
    pub image: String,
    /// The folder with the Dockerfile.
    pub build: Option<PathBuf>,
    /// The build argument `BASE`.
    pub base: Option<String>,
    /// The command in the container; empty = the image's own.
    pub command: Vec<Text>,
    /// Its environment.
    pub env: Vec<(String, Text)>,
    /// Folders that it sees under the same path as on the host.
    pub mounts: Vec<Text>,
}

/// When a service is ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What is looked at.
    pub when: ReadyWhen,
    /// Real time after which the start has failed.
    pub within: Duration,
}

/// See [`Ready`].
#[derive(Debug, Clone)]
pub enum ReadyWhen {
    /// Its addresses accept connections.
    Connect,
    /// A GET of this path is answered with this status.
    Http {
        /// The request-target.
        path: String,
        /// The status.
        status: u16,
    },
    /// A line of its output matches.
    Line(Regex),
}

/// How a process is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The signal that asks it to.
    pub signal: Signal,
    /// Real time until SIGKILL.
    pub within: Duration,
}

/// For `sshd -T -C …`.
#[derive(Debug, Clone)]
pub struct Sshd {
    /// The daemon's path.
    pub binary: Text,
    /// The configuration file's path.
    pub config: Text,
}

/// Where a target's logs are.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    /// The access log.
    pub access: Option<Text>,
    /// The WAF's log.
    pub waf: Option<Text>,
    /// The WAF's audit log, one for each site.
    pub audit: Option<Text>,
    /// The folder in which the WAF keeps requests for somebody to look at, one for each site.
    pub held: Option<Text>,
    /// The log of commands that it starts, one for each site.
    pub upstream: Option<Text>,
    /// How lines of the access log are read, by the preset that the case asks for.
    pub read: Vec<(String, Arc<LineReader>)>,
    /// The signal that makes the target open its logs again.
    pub reopen: Option<Signal>,
}

impl Logs {
    /// How lines of this preset are read.
    pub fn reader(&self, preset: &str) -> Option<&Arc<LineReader>> {
        self.read.iter().find(|(name, _)| name == preset).map(|(_, reader)| reader)
    }
}

/// How a target's time is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockKind {
    /// Through its control socket, a clock a site.
    Control,
    /// libfaketime: one clock for the whole target.
    Faketime,
    /// The origin's `Date` and `Age` are moved into the past, where that means the same.
    Backdate,
    /// Real time passes.
    Wait,
    /// It keeps no state over time: `advance` does nothing.
    None,
}

impl ClockKind {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClockKind::Control => "control socket",
            ClockKind::Faketime => "libfaketime",
            ClockKind::Backdate => "backdated answers",
            ClockKind::Wait => "waiting",
            ClockKind::None => "none",
        }
    }
}
