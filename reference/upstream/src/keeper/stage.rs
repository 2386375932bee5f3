//! Becomes the command: the same process, so that its number is the command's.

use std::ffi::CString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use edgeproof_mutant::{self as mutant, Mutant};
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, geteuid, initgroups, setgid, setsid, setuid};

use super::job::{Job, User};

/// Reads the job from standard input, and only returns where the command could not be started. What it
/// says then is in the upstream's log.
pub(super) fn become_command() -> ExitCode {
    let job: Job = match serde_json::from_reader(io::stdin().lock()) {
        Ok(job) => job,
        Err(error) => return failed(&format!("the job cannot be read: {error}")),
    };
    if let Err((what, errno)) = prepare(&job) {
        return failed(&format!("{what}: {}", errno.desc()));
    }
    let Some((program, arguments)) = job.words.split_first() else {
        return failed("there is no command");
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(job.environment).stdin(Stdio::null());
    if let Some(directory) = &job.directory {
        command.current_dir(directory);
    }
    failed(&format!("cannot run `{program}`: {}", command.exec()))
}

/// What a shell returns for a command that it cannot run.
fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(127)
}

fn prepare(job: &Job) -> Result<(), (&'static str, Errno)> {
    if !mutant::is(Mutant::UpstreamSharesSession) {
        setsid().map_err(|errno| ("no session of its own", errno))?;
    }
    for (what, resource, limit) in [
        ("the limit of open files cannot be set", Resource::RLIMIT_NOFILE, job.files),
        ("the limit of processes cannot be set", Resource::RLIMIT_NPROC, job.processes),
    ] {
        if let Some(limit) = limit.filter(|_| !mutant::is(Mutant::UpstreamUnlimited)) {
            setrlimit(resource, limit, limit).map_err(|errno| (what, errno))?;
        }
    }
    if let Some(user) = &job.user {
        drop_to(user).map_err(|errno| ("its user cannot be changed", errno))?;
    }
    // Last: what comes before needs memory too.
    if let Some(limit) = job.memory.filter(|_| !mutant::is(Mutant::UpstreamUnlimited)) {
        setrlimit(Resource::RLIMIT_AS, limit, limit)
            .map_err(|errno| ("the limit of memory cannot be set", errno))?;
    }
    // The keeper ends everything when the proxy is gone; this is for a keeper that was killed itself. A
    // change of user would undo it.
    set_pdeathsig(Signal::SIGKILL).map_err(|errno| ("no signal at the keeper's death", errno))
}

fn drop_to(user: &User) -> nix::Result<()> {
    if !geteuid().is_root() {
        // The proxy has checked that it is this user already.
        return Ok(());
    }
    let name = CString::new(user.name.as_str()).map_err(|_| Errno::EINVAL)?;
    let gid = Gid::from_raw(user.gid);
    initgroups(&name, gid)?;
    setgid(gid)?;
    setuid(Uid::from_raw(user.uid))
}
