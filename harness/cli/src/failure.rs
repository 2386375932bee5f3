//! What ends a command before it has a result, and the exit code that says so.

use std::io;
use std::path::Path;

use edgeproof_diagnostics::{Colour, Diagnostics, no_command, one_line};
use edgeproof_report::ExitCode;

/// Why a command gives up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A mistake on the command line, or a file that cannot be read.
    #[error("{0}")]
    Usage(String),
    /// Mistakes in files, each with its place: already rendered.
    #[error("{0}")]
    Mistakes(String),
    /// Nothing to play.
    #[error("{0}")]
    Nothing(String),
    /// A target or the reference does not start.
    #[error("{0}")]
    NotStarted(String),
    /// The harness itself broke.
    #[error("{0}")]
    Broken(String),
    /// Somebody stopped it before it had anything to say.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// A file that cannot be read.
    pub(crate) fn read(file: &Path, error: &io::Error) -> Self {
        Self::Usage(format!("cannot read {}: {error}", one_line(&file.display().to_string())))
    }

    /// An output that cannot be written.
    pub(crate) fn write(name: &str, error: &io::Error) -> Self {
        Self::Broken(format!("cannot write {name}: {error}"))
    }

    /// Mistakes in files, for standard error.
    pub(crate) fn mistakes(diagnostics: &Diagnostics) -> Self {
        Self::Mistakes(diagnostics.render(Colour::of(&io::stderr())))
    }

    /// DESIGN's exit codes.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) | Failure::Mistakes(_) => ExitCode::Usage,
            Failure::Nothing(_) => ExitCode::NothingRan,
            Failure::NotStarted(_) => ExitCode::TargetNotStarted,
            Failure::Broken(_) => ExitCode::Error,
            Failure::Interrupted => ExitCode::Interrupted,
        }
    }

    /// Says it on standard error.
    pub(crate) fn show(&self) {
        match self {
            Failure::Mistakes(rendered) => eprint!("{rendered}"),
            other => eprintln!("{}", no_command(&format!("error: {other}"))),
        }
    }
}
