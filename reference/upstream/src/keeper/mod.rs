//! The small process that stands between the proxy and a command, so that nothing of the command outlives
//! the proxy: not after a stop, not after a panic, not after SIGKILL.
//!
//! ```text
//! proxy ══ socket: Job, stop, its end ══▶ keeper ──▶ stage ══exec══▶ the command ──▶ its children
//!       ◀════════ Report ════════════════   ▲       (session, limits, user)              │
//!                                           └──────── subreaper: orphans come here ──────┘
//! ```
//!
//! The socket is its standard input and the proxy's life: the kernel closes it however the proxy ends. It
//! is a child subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`): a grandchild that made itself a daemon
//! becomes its child, and "no child left" means "nothing left". A signal at the parent's death alone would
//! miss grandchildren.
//!
//! Both the keeper and the stage are this same program, called by a hidden subcommand.

mod job;
mod stage;
mod tree;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) use job::{Job, Report, STOP, User, line};
pub(crate) use tree::owns_listener;

/// What the proxy's program is called with to be a keeper, after its own name.
pub const SUBCOMMAND: &str = "upstream-keeper";

/// Makes the keeper the stage that becomes the command.
const STAGE: &str = "stage";

/// The hidden subcommand; `arguments` are those after it.
///
/// Returns when nothing of the command is left. 0: it ended; 2: this is no proxy's call.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (None, None) => watch::keep(),
        (Some(stage), None) if stage == STAGE => stage::become_command(),
        _ => {
            eprintln!("{SUBCOMMAND}: only a proxy calls this");
            ExitCode::from(2)
        }
    }
}
