//! Starts a target and keeps it until standard input ends, for programs that look at it by themselves:
//! `hold ci/targets/sshd-weak` prints `ssh 127.0.0.1:PORT`, and `http` likewise.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use edgeproof_target::{StartOptions, TargetSpec, supervisor};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "supervise" => supervisor::main(rest.iter().cloned()),
        Some((folder, [])) => match hold(Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::from(3)
            }
        },
        _ => {
            eprintln!("usage: hold FOLDER");
            ExitCode::from(2)
        }
    }
}

fn hold(folder: &Path) -> Result<(), Box<dyn Error>> {
    let spec = TargetSpec::load(folder)
        .map_err(|diagnostics| diagnostics.render(edgeproof_diagnostics::Colour::Never))?;
    spec.available()?;
    // Nobody asks an SSH server for pages: an origin that takes connections is enough.
    let origin = TcpListener::bind("127.0.0.1:0")?;
    let options = StartOptions::new(origin.local_addr()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let target =
            spec.start(&[], &options).await.map_err(|error| format!("{error}\n{}", error.log()))?;
        for (name, address) in [("ssh", target.ssh()), ("http", target.http())] {
            if let Some(address) = address {
                println!("{name} {address}");
            }
        }
        std::io::stdout().flush()?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        target.stop().await;
        Ok(())
    })
}
