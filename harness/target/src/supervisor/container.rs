//! Waits until the harness is gone, then removes a container.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::unistd::setsid;

use crate::engine::Engine;
use crate::leftovers::{self, Claim};

/// A harness that died while the engine was still making the container leaves one that appears a
/// moment later.
const LATE_BIRTH: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The harness has seen the container made.
pub(crate) const MADE: &str = "made";
/// The work folder is to stay, as in [`super::Order::Keep`].
pub(crate) const KEEP: &str = "keep";

/// Returns when standard input ended and no such container exists (or the engine does not answer).
pub(super) fn guard(engine: &str, name: &str, sweep: Option<&Path>) -> ExitCode {
    let claim = sweep.map(Claim::take);
    // Out of the terminal's foreground group, so that a Ctrl-C leaves it alive to do its work.
    let _ = setsid();
    let said = what_the_harness_said();
    let Ok(engine) = Engine::at(engine) else { return ExitCode::from(2) };
    remove(&engine, name, said.lines().any(|line| line == MADE));
    if let Some(folder) = sweep
        && !said.lines().any(|line| line == KEEP)
    {
        drop(claim);
        leftovers::remove_unclaimed(folder);
    }
    ExitCode::SUCCESS
}

/// `made`: the engine had answered, so that a container that is not there now will not be there later.
fn remove(engine: &Engine, name: &str, made: bool) {
    let until = Instant::now() + LATE_BIRTH;
    loop {
        match engine.remove(name) {
            Ok(true) => return,
            Ok(false) if made => return,
            Ok(false) | Err(_) if Instant::now() >= until => return,
            Ok(false) | Err(_) => std::thread::sleep(ASK_AGAIN),
        }
    }
}

/// All of standard input, whose end is the harness's.
fn what_the_harness_said() -> String {
    let mut said = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}
