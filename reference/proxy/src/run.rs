//! A proxy for a process: signals, what it prints, what reload means.

use std::io::{self, Write};

use tokio::signal::unix::{SignalKind, signal};

use crate::server::{Server, StartError};
use crate::settings::Settings;

/// Why the proxy did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Signals cannot be received, or standard output cannot be written.
    #[error("cannot run: {0}")]
    System(#[from] io::Error),
}

/// Runs the proxy until SIGTERM or SIGINT, then finishes the requests in flight.
///
/// Prints `listening on ADDR` for each listener, plain ones first, once it accepts connections.
/// SIGHUP reads the configuration's file again, and the rules and certificates that it names; a
/// broken one leaves the old configuration in place and is reported on standard error. SIGUSR1 opens the
/// access logs again. SIGXFSZ means nothing: what cannot be written is told by who writes it.
///
/// # Errors
/// What keeps it from starting.
pub fn run(settings: &Settings) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything is announced: who reads `listening` may send a signal at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut reopen = signal(SignalKind::user_defined1())?;
        // A log that may not grow any more (setrlimit(2), RLIMIT_FSIZE) fails like a full disk; by default the
        // signal ends the process. Programs that the proxy starts have the default again.
        let _too_large = signal(SignalKind::from_raw(nix::libc::SIGXFSZ))?;
        let mut server = Server::start(settings)?;
        let mut announced = Vec::new();
        announce(&server, &mut announced)?;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    reload(&mut server, settings);
                    announce(&server, &mut announced)?;
                }
                _ = reopen.recv() => server.reopen_logs(),
            }
        }
        server.stop();
        Ok(())
    })
}

/// Prints the listeners that were not printed yet.
fn announce(server: &Server, announced: &mut Vec<std::net::SocketAddr>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in server.addresses() {
        if !announced.contains(&address) {
            writeln!(out, "listening on {address}")?;
            announced.push(address);
        }
    }
    out.flush()
}

/// Reads the file again, or what the options name; `started` are the settings of the start.
fn reload(server: &mut Server, started: &Settings) {
    let again = match &started.file {
        Some(file) => Settings::from_file(file),
        None => Ok(started.clone()),
    };
    match again {
        Err(mistakes) => eprintln!(
            "{}\nthe configuration stays as it was",
            mistakes.render(edgeproof_diagnostics::Colour::Never)
        ),
        Ok(settings) => match server.reload(&settings) {
            Err(error) => eprintln!("{error}; the configuration stays as it was"),
            Ok(())
                if settings.threads != started.threads || settings.control != started.control =>
            {
                eprintln!(
                    "the configuration was read again; `threads` and `control` stay as they were until the next start"
                );
            }
            Ok(()) => eprintln!("the configuration was read again"),
        },
    }
}
