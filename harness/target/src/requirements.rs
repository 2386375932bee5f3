//! Can the target be had on this machine?

use nix::unistd::Uid;

use crate::engine::Engine;
use crate::programs;
use crate::spec::{ClockKind, Requirements, Run, Service, TargetSpec};

/// Why a target cannot be had here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct Unavailable {
    /// What is missing.
    pub reason: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl TargetSpec {
    /// Is everything there that the target needs? Asks a container engine where one is needed (a few
    /// milliseconds, ten seconds at most).
    ///
    /// # Errors
    /// What is missing.
    pub fn available(&self) -> Result<(), Unavailable> {
        let services: Vec<&Service> =
            self.services.http.iter().chain(self.services.ssh.iter()).collect();
        missing(&self.available)
            .or_else(|| services.iter().find_map(|service| missing_for(service)))
            .or_else(|| self.missing_clock(&services))
            .map_or(Ok(()), |reason| Err(Unavailable { reason, hint: self.available.hint.clone() }))
    }

    /// A container brings its own library.
    fn missing_clock(&self, services: &[&Service]) -> Option<String> {
        let process = services.iter().any(|service| matches!(service.run, Run::Process(_)));
        let needed = self.clock == ClockKind::Faketime && process;
        (needed && crate::faketime::library().is_none())
            .then(|| "libfaketime is not installed".into())
    }
}

fn missing(needs: &Requirements) -> Option<String> {
    let absent: Vec<&str> = needs
        .commands
        .iter()
        .map(String::as_str)
        .filter(|name| programs::find(name).is_none())
        .collect();
    if !absent.is_empty() {
        return Some(format!("{} not installed", absent.join(", ")));
    }
    if let Some(file) = needs.files.iter().find(|file| !file.exists()) {
        return Some(format!("{} is not there", file.display()));
    }
    let is_unset = |name: &&String| std::env::var_os(name).is_none_or(|value| value.is_empty());
    if let Some(name) = needs.environment.iter().find(is_unset) {
        return Some(format!("the environment variable {name} is not set"));
    }
    if needs.docker { no_engine() } else { None }
}

fn missing_for(service: &Service) -> Option<String> {
    match &service.run {
        Run::Process(process) if process.root && !Uid::effective().is_root() => {
            Some("it must be started by root".into())
        }
        Run::Container(_) => no_engine(),
        Run::Process(_) | Run::Url(_) => None,
    }
}

fn no_engine() -> Option<String> {
    Engine::find().and_then(|engine| engine.ping()).err()
}
