//! The proxy as a process of its own: `cargo run --example proxy -- CONFIGURATION.yaml`.

use std::process::ExitCode;

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::{Settings, keeper, run};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some(keeper::SUBCOMMAND.as_ref()) {
        return keeper::main(arguments);
    }
    let Some(path) = first else {
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
