//! The small process that stands between the harness and whatever the harness starts, so that nothing
//! outlives the harness: not after Ctrl-C, not after a panic, not after SIGKILL.
//!
//! ```text
//! harness ──stdin: Order, and its end──▶ supervisor ──spawns──▶ child ──▶ grandchildren
//!         ◀──stdout: Report────────────      ▲                               │
//!                                            └── subreaper: orphans come here ┘
//! ```
//!
//! The pipe on its standard input is the harness's life: the kernel closes it however the harness ends.
//! A supervisor of a process is a child subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`), therefore a
//! grandchild that made itself a daemon becomes its child, and "no child left" means "nothing left".
//! A supervisor of a container removes the container by its name. Either sweeps up the work folder, if
//! the harness ended before it could.

mod arguments;
pub(crate) mod container;
mod descendants;
mod process;
mod protocol;

use std::ffi::OsString;
use std::process::ExitCode;

pub use arguments::{Job, ProcessJob};
pub use descendants::descendants;
pub use protocol::{ExitStatus, Order, Report};

/// The supervisor's program: the hidden subcommand `supervise` of the binary, without the name of
/// the binary and of the subcommand.
///
/// Returns when nothing of the supervised job is left. 0: it ended; 2: the arguments make no sense;
/// 127: the command could not be started.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Job::parse(args) {
        Ok(Job::Process(job)) => process::supervise(&job),
        Ok(Job::Container { engine, name, sweep }) => {
            container::guard(&engine, &name, sweep.as_deref())
        }
        Err(message) => {
            eprintln!("supervise: {message}");
            ExitCode::from(2)
        }
    }
}
