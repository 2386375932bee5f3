//! What a supervisor is told on its command line. The harness writes it and the supervisor reads it:
//! both directions stand here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a supervisor looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A started process and everything that it starts.
    Process(ProcessJob),
    /// A container, which is removed when the harness is gone.
    Container {
        /// The engine's address: `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2375`.
        engine: String,
        /// The container's name.
        name: String,
        /// See [`ProcessJob::sweep`].
        sweep: Option<PathBuf>,
    },
}

/// A process to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessJob {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Put into the child's environment only: `LD_PRELOAD` must not reach the supervisor, whose own
    /// deadlines are real.
    pub env: Vec<(String, String)>,
    /// Where the child starts; its supervisor stays out of it.
    pub directory: Option<PathBuf>,
    /// Gets the child's standard output and standard error, appended.
    pub output: PathBuf,
    /// Real time between TERM and KILL when the harness is gone.
    pub grace: Duration,
    /// The work folder, which is removed when the harness ended without saying that it stops or that it
    /// keeps the folder.
    pub sweep: Option<PathBuf>,
}

impl Job {
    /// As arguments for [`super::main`].
    pub fn to_args(&self) -> Vec<OsString> {
        match self {
            Job::Container { engine, name, sweep } => {
                let mut args = vec!["container".into(), engine.into(), name.into()];
                args.extend(sweep.iter().map(|folder| folder.clone().into_os_string()));
                args
            }
            Job::Process(job) => job.to_args(),
        }
    }

    /// Reads what [`Job::to_args`] wrote.
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Job, String> {
        let mut args = args.into_iter();
        let kind = args.next().ok_or("what? (process or container)")?;
        match kind.to_str() {
            Some("process") => ProcessJob::parse(args).map(Job::Process),
            Some("container") => {
                let (Some(engine), Some(name)) = (text(&mut args), text(&mut args)) else {
                    return Err("container wants the engine's address and a name".into());
                };
                Ok(Job::Container { engine, name, sweep: args.next().map(PathBuf::from) })
            }
            _ => Err(format!("expected process or container, found {}", kind.display())),
        }
    }
}

impl ProcessJob {
    fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["process".into()];
        args.extend(["--output".into(), self.output.clone().into()]);
        args.extend(["--grace-ms".into(), self.grace.as_millis().to_string().into()]);
        for (name, value) in &self.env {
            args.extend(["--env".into(), format!("{name}={value}").into()]);
        }
        if let Some(directory) = &self.directory {
            args.extend(["--directory".into(), directory.clone().into()]);
        }
        if let Some(folder) = &self.sweep {
            args.extend(["--sweep".into(), folder.clone().into()]);
        }
        args.push("--".into());
        args.extend(self.command.iter().cloned());
        args
    }

    fn parse(mut args: impl Iterator<Item = OsString>) -> Result<ProcessJob, String> {
        let mut job = ProcessJob {
            command: Vec::new(),
            env: Vec::new(),
            directory: None,
            output: PathBuf::from("/dev/null"),
            grace: Duration::from_secs(2),
            sweep: None,
        };
        while let Some(flag) = args.next() {
            if flag == "--" {
                job.command = args.collect();
                break;
            }
            let value = args.next().ok_or_else(|| format!("{} wants a value", flag.display()))?;
            match flag.to_str() {
                Some("--output") => job.output = value.into(),
                Some("--directory") => job.directory = Some(value.into()),
                Some("--sweep") => job.sweep = Some(value.into()),
                Some("--grace-ms") => job.grace = milliseconds(&value)?,
                Some("--env") => job.env.push(variable(value)?),
                _ => return Err(format!("unknown option {}", flag.display())),
            }
        }
        if job.command.is_empty() {
            return Err("no command after --".into());
        }
        Ok(job)
    }
}

fn text(args: &mut impl Iterator<Item = OsString>) -> Option<String> {
    args.next()?.into_string().ok()
}

fn milliseconds(value: &OsString) -> Result<Duration, String> {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{} is no number of milliseconds", value.display()))
}

fn variable(value: OsString) -> Result<(String, String), String> {
    let text = value.into_string().map_err(|_| "an environment variable is not UTF-8")?;
    let (name, value) = text.split_once('=').ok_or("--env wants NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_the_command_line() {
        let process = Job::Process(ProcessJob {
            command: vec!["nginx".into(), "--".into(), "-g".into(), "daemon off;".into()],
            env: vec![("LD_PRELOAD".into(), "/lib/a=b.so".into()), ("EMPTY".into(), String::new())],
            directory: Some("/tmp".into()),
            output: "/tmp/out put".into(),
            grace: Duration::from_millis(1234),
            sweep: Some("/tmp/x".into()),
        });
        let container = Job::Container {
            engine: "unix:///run/docker.sock".into(),
            name: "edgeproof-1".into(),
            sweep: Some("/tmp/x".into()),
        };
        for job in [process, container] {
            assert_eq!(Job::parse(job.to_args()), Ok(job));
        }
    }

    #[test]
    fn arguments_without_sense_are_refused() {
        for args in [&[][..], &["x"], &["process"], &["process", "--grace-ms", "soon", "--", "a"]] {
            assert!(Job::parse(args.iter().map(OsString::from)).is_err(), "{args:?}");
        }
    }
}
