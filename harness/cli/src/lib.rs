//! The command line: arguments in, library calls out, exit codes; nothing else.
//!
//! ```text
//! arguments ──▶ run ──▶ scenario::load ──▶ runner::run ──Event──▶ report (every --format) ──▶ exit code
//!           ├─▶ check, list, explain, schema ──▶ scenario
//!           ├─▶ load, compare, history, plan ──▶ load (figures; two, or many over time, to a verdict; a number of machines)
//!           ├─▶ differ ──▶ workbench::differ (requests, what is found) ◀──▶ runner::Pair (two targets)
//!           ├─▶ import ──▶ workbench (tests of other formats; `run ftw:DIR` reads them too)
//!           ├─▶ report ──▶ a recorded stream of events ──▶ report
//!           └─▶ agent, investigate, proxy, proxy quarantine, logs, crs ──▶ the reference
//! ```

#![forbid(unsafe_code)]

mod args;
mod compare;
mod crs;
mod differ;
mod failure;
mod history;
mod import;
mod load;
mod logs;
mod outputs;
mod plan;
mod proxy;
mod quarantine;
mod replay;
mod run;
mod scenarios;
mod suite;
mod targets;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Crs, Logs, ProxyCommand};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Differ(arguments) => differ::differ(&arguments),
        Command::Check(arguments) => scenarios::check(&arguments),
        Command::Schema => scenarios::schema(),
        Command::List(arguments) => scenarios::list(&arguments),
        Command::Explain(arguments) => scenarios::explain(&arguments),
        Command::Load(arguments) => load::load(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::History(arguments) => history::history(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Import(arguments) => import::import_from(&arguments),
        Command::Report(arguments) => replay::report(&arguments),
        Command::Logs(Logs::Parse(arguments)) => logs::parse(&arguments),
        Command::Crs(Crs::Install(arguments)) => crs::install(&arguments),
        Command::Proxy(arguments) => match &arguments.also {
            None => proxy::proxy(&arguments),
            Some(ProxyCommand::Quarantine(arguments)) => quarantine::quarantine(arguments),
        },
        Command::Agent(arguments) => return edgeproof_fleet::agent_main(arguments.words).into(),
        Command::Investigate(arguments) => {
            return edgeproof_fleet::investigate_main(&arguments.words).into();
        }
        Command::Supervise(arguments) => {
            return edgeproof_target::supervisor::main(arguments.words);
        }
        Command::UpstreamKeeper(arguments) => {
            return edgeproof_proxy::keeper::main(arguments.words);
        }
    };
    match outcome {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.show();
            failure.code().into()
        }
    }
}
