//! What makes a run red and is no case's verdict: for formats that know nothing but cases.

use crate::{ExitCode, Options, Run, Summary, exit_code};

/// Something that fails a run apart from its cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The exit code that it leads to by itself.
    pub(crate) code: ExitCode,
    /// What should have been, as a test's name: `varnish starts`.
    pub(crate) wanted: String,
    /// What was instead.
    pub(crate) why: String,
    /// A target's last words, where it has some.
    pub(crate) log: String,
}

/// All of a run, the first that decided its exit code first.
pub(crate) fn troubles(run: &Run, options: &Options) -> Vec<Trouble> {
    let mut all = Vec::new();
    let mut add =
        |code, wanted, why, log: &str| all.push(Trouble { code, wanted, why, log: log.to_owned() });
    if let Some(why) = run.cut_short() {
        add(ExitCode::Interrupted, "the run comes to its end".to_owned(), why, "");
    }
    for target in run.unavailable.iter().filter(|target| target.required) {
        let why = format!("{} is not available here: {}", target.name, target.reason);
        add(ExitCode::TargetNotStarted, format!("{} starts", target.name), why, "");
    }
    for state in &run.targets {
        let Some(failure) = &state.failure else { continue };
        let name = &state.info.name;
        let (code, wanted, what) = match failure.died {
            true => (ExitCode::Error, "lives to the end", "died"),
            false => (ExitCode::TargetNotStarted, "starts", "did not start"),
        };
        let why = format!("{name} {what}: {}", failure.reason);
        add(code, format!("{name} {wanted}"), why, &failure.log);
    }
    let summary = Summary::of(run, options.baseline.as_deref());
    match exit_code(&summary, options.gate) {
        code @ ExitCode::Inconclusive => {
            let difference = options.baseline.as_deref().map(|baseline| baseline.difference(run));
            let why = difference.and_then(|it| it.incomparable());
            let why = why.unwrap_or_else(|| "inconclusive".to_owned());
            add(code, "the baseline can be compared".to_owned(), why, "");
        }
        code @ ExitCode::NothingRan => {
            let why = "nothing ran: no case could be played on any target that was asked for";
            add(code, "something is played".to_owned(), why.to_owned(), "");
        }
        _ => {}
    }
    all
}
