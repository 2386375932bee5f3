//! A supervisor and nothing else: what `edgeproof supervise` is, for this crate's own tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgeproof_target::supervisor::main(std::env::args_os().skip(1))
}
