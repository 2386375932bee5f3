//! One service that the harness started.

use std::path::Path;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::container::Contained;
use crate::spec::Stop;
use crate::supervised::Supervised;

/// The services that a target can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceName {
    /// The proxy.
    Http,
    /// The SSH daemon.
    Ssh,
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ServiceName::Http => "http",
            ServiceName::Ssh => "ssh",
        })
    }
}

/// A service and how it runs.
#[derive(Debug)]
pub(crate) struct RunningService {
    pub(crate) name: ServiceName,
    pub(crate) stop: Stop,
    pub(crate) running: Running,
}

#[derive(Debug)]
pub(crate) enum Running {
    Process(Supervised),
    Container(Box<Contained>),
    /// Somebody else runs it.
    Elsewhere,
}

impl RunningService {
    /// `None` while it runs; else how it ended.
    pub(crate) async fn ended(&self) -> Option<String> {
        match &self.running {
            Running::Process(process) => {
                let state = process.state();
                state.is_dead().then(|| match (state.failed, state.exited) {
                    (Some(message), _) => message,
                    (None, Some(status)) => status.to_string(),
                    (None, None) => "an unknown status".into(),
                })
            }
            Running::Container(container) => container.ended().await,
            Running::Elsewhere => None,
        }
    }

    pub(crate) fn last_lines(&self) -> String {
        match &self.running {
            Running::Process(process) => process.last_lines(),
            Running::Container(container) => container.last_lines(),
            Running::Elsewhere => String::new(),
        }
    }

    pub(crate) fn output(&self) -> Option<&Path> {
        match &self.running {
            Running::Process(process) => Some(process.output()),
            Running::Container(container) => Some(container.output()),
            Running::Elsewhere => None,
        }
    }

    /// The processes of this machine that belong to it; of a container none are known.
    pub(crate) fn pids(&self) -> Vec<Pid> {
        match &self.running {
            Running::Process(process) => process.pids(),
            Running::Container(_) | Running::Elsewhere => Vec::new(),
        }
    }

    /// The process that holds those of [`RunningService::pids`].
    pub(crate) fn supervisor(&self) -> Option<Pid> {
        match &self.running {
            Running::Process(process) => Some(process.supervisor()),
            Running::Container(_) | Running::Elsewhere => None,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Running::Process(process) = &self.running {
            process.signal(signal);
        }
    }

    pub(crate) fn keep_folder(&mut self) {
        match &mut self.running {
            Running::Process(process) => process.keep_folder(),
            Running::Container(container) => container.keep_folder(),
            Running::Elsewhere => {}
        }
    }

    pub(crate) async fn stop(self) {
        match self.running {
            Running::Process(process) => {
                process.stop(self.stop.signal, self.stop.within).await;
            }
            Running::Container(container) => container.stop(self.stop.within).await,
            Running::Elsewhere => {}
        }
    }
}
