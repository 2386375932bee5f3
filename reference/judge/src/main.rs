//! The reference proxy alone, built in seconds: `edgeproof-reference FILE` is `edgeproof proxy --config FILE`.
//! `ci/cache-mutants` mutates the cache's source, and the harness of another build judges this
//! program by the scenarios (`tests/family.rs`).
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::Settings;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: edgeproof-reference FILE");
        return ExitCode::from(2);
    };
    let settings = match Settings::from_file(Path::new(&file)) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{}", mistakes.render(Colour::Never));
            return ExitCode::from(2);
        }
    };
    match edgeproof_proxy::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}
