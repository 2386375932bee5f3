//! The program as a user runs it, from the root of the repository.

use std::path::Path;
use std::process::{Command, Output};

/// The repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Runs it to its end.
pub(crate) fn edgeproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .env("NO_COLOR", "1")
        .args(arguments)
        .output()
        .expect("edgeproof runs")
}

/// What it printed.
pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
