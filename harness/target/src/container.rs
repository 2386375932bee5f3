//! Containers, through testcontainers: on the host's network, so that their listeners stand on loopback
//! and they reach the origin there; with a guardian that removes them when the harness is gone.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::unistd::{Gid, Uid};
use testcontainers::core::logs::LogFrame;
use testcontainers::core::{ExecCommand, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use crate::engine::Engine;
use crate::supervised::{last_lines, spawn};
use crate::supervisor::Job;
use crate::supervisor::container::{KEEP, MADE};

/// From the order to start until the engine says that it runs.
const STARTED_WITHIN: Duration = Duration::from_secs(60);

/// What a container is started with; every template is rendered.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) image: (String, String),
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) mounts: Vec<String>,
    /// Gets what it prints.
    pub(crate) output: PathBuf,
    /// The work folder.
    pub(crate) folder: PathBuf,
}

/// A running container. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Contained {
    container: Option<ContainerAsync<GenericImage>>,
    guardian: Child,
    output: PathBuf,
}

impl Contained {
    /// Starts it. The message of an error is for people.
    pub(crate) async fn start(
        supervisor: &[OsString],
        engine: &Engine,
        plan: Plan,
    ) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("edgeproof-{}-{number}", std::process::id());
        // The guardian first: from here on the container cannot outlive the harness.
        let (engine, sweep) = (engine.address(), Some(plan.folder));
        let job = Job::Container { engine, name: name.clone(), sweep };
        let guardian = spawn(supervisor, &job, &plan.output)
            .map_err(|error| format!("cannot start the container's guardian: {error}"))?;
        let mut contained = Self { container: None, guardian, output: plan.output.clone() };
        let log = open(&plan.output)?;
        let user = format!("{}:{}", Uid::effective(), Gid::effective());
        let mut request = GenericImage::new(plan.image.0, plan.image.1)
            .with_container_name(name)
            .with_network("host")
            .with_user(user)
            .with_startup_timeout(STARTED_WITHIN)
            .with_log_consumer(move |frame: &LogFrame| write(&log, frame));
        if !plan.command.is_empty() {
            request = request.with_cmd(plan.command);
        }
        for (name, value) in plan.env {
            request = request.with_env_var(name, value);
        }
        for path in plan.mounts {
            request = request.with_mount(Mount::bind_mount(path.clone(), path));
        }
        let container = request.start().await.map_err(|error| error.to_string())?;
        contained.container = Some(container);
        contained.tell_guardian(MADE);
        Ok(contained)
    }

    /// `None` while it runs; else how it ended.
    pub(crate) async fn ended(&self) -> Option<String> {
        let container = self.container.as_ref()?;
        match container.is_running().await {
            Ok(true) => None,
            Ok(false) => match container.exit_code().await {
                Ok(Some(code)) => Some(format!("code {code}")),
                _ => Some("an unknown status".into()),
            },
            Err(error) => Some(format!("an unknown status: {error}")),
        }
    }

    /// What a command prints in it, both streams.
    pub(crate) async fn output_of(&self, command: Vec<String>) -> Option<String> {
        let container = self.container.as_ref()?;
        let mut ran = container.exec(ExecCommand::new(command)).await.ok()?;
        let mut bytes = ran.stdout_to_vec().await.ok()?;
        bytes.extend(ran.stderr_to_vec().await.ok()?);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last lines of what it printed.
    pub(crate) fn last_lines(&self) -> String {
        last_lines(&self.output)
    }

    /// Where its output goes.
    pub(crate) fn output(&self) -> &Path {
        &self.output
    }

    /// Its first process as the host sees it is not ours to know; the engine ends it.
    pub(crate) async fn stop(mut self, within: Duration) {
        if let Some(container) = self.container.take() {
            let seconds = i32::try_from(within.as_secs()).unwrap_or(i32::MAX);
            let _ = container.stop_with_timeout(Some(seconds)).await;
            let _ = container.rm().await;
        }
    }

    /// The work folder stays, whatever happens to the harness.
    pub(crate) fn keep_folder(&mut self) {
        self.tell_guardian(KEEP);
    }

    fn tell_guardian(&mut self, word: &str) {
        if let Some(pipe) = self.guardian.stdin.as_mut() {
            // One that is gone has done its work already.
            let _ = writeln!(pipe, "{word}");
        }
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        // The guardian removes whatever is left, and ends.
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

fn open(path: &Path) -> Result<Mutex<File>, String> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map(Mutex::new)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
}

fn write(log: &Mutex<File>, frame: &LogFrame) {
    let bytes = match frame {
        LogFrame::StdOut(bytes) | LogFrame::StdErr(bytes) => bytes,
    };
    // A log that cannot be written is missed by its reader, who then says so.
    let _ = log.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
}
