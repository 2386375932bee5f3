//! The proxy as a process of its own: `cargo run --example proxy -- CONFIGURATION.yaml`.

use std::process::ExitCode;

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::{Settings, run};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("expected the path of a configuration file");
        return ExitCode::from(2);
    };
    let settings = match Settings::from_file(path.as_ref()) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{}", mistakes.render(Colour::Never));
            return ExitCode::from(2);
        }
    };
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
