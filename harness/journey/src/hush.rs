//! goose is a program made for the command line; here it plays for another one.

use std::sync::Once;

/// Takes goose's log, and the interrupt, before goose does.
///
/// goose would tell its progress on standard output, where reports go, and take the interrupt as its own for as long
/// as the process lives: the second one would end it, with another exit code. So the interrupt ends the process as it
/// does anywhere, with the exit code of an interruption.
pub(crate) fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where somebody has a log already, goose cannot have it either; and only the first handler is set.
        log::set_logger(&Silent).unwrap_or_default();
        ctrlc::set_handler(|| std::process::exit(INTERRUPTED)).unwrap_or_default();
    });
}

/// As a shell has it: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// A log that nobody reads.
struct Silent;

impl log::Log for Silent {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}
