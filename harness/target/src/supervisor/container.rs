//! Waits until the harness is gone, then removes a container.

use std::io::Read;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::unistd::setsid;

use crate::engine::Engine;

/// A harness that died while the engine was still making the container leaves one that appears a
/// moment later.
const LATE_BIRTH: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Returns when standard input ended and no such container exists (or the engine does not answer).
pub(super) fn guard(engine: &str, name: &str) -> ExitCode {
    // Out of the terminal's foreground group, so that a Ctrl-C leaves it alive to do its work.
    let _ = setsid();
    let made = harness_saw_it_made();
    let Ok(engine) = Engine::at(engine) else { return ExitCode::from(2) };
    let until = Instant::now() + LATE_BIRTH;
    loop {
        match engine.remove(name) {
            Ok(_) if made => return ExitCode::SUCCESS,
            Ok(true) => return ExitCode::SUCCESS,
            Ok(false) | Err(_) if Instant::now() >= until => return ExitCode::SUCCESS,
            Ok(false) | Err(_) => std::thread::sleep(ASK_AGAIN),
        }
    }
}

/// Reads to the end of standard input. `made` before it means that the engine had answered.
fn harness_saw_it_made() -> bool {
    let mut said = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut said);
    said.starts_with(b"made")
}
