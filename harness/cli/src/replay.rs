//! `edgeproof report`: any format from a recorded stream of events.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use edgeproof_report::{ExitCode, exit_code, replay};

use crate::args::Report;
use crate::failure::Failure;
use crate::outputs::Outputs;

pub(crate) fn report(arguments: &Report) -> Result<ExitCode, Failure> {
    let reader: Box<dyn BufRead> = if arguments.events.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&arguments.events)
            .map_err(|error| Failure::read(&arguments.events, &error))?;
        Box::new(BufReader::new(file))
    };
    let events = replay(reader)
        .map_err(|error| Failure::Usage(format!("{}: {error}", arguments.events.display())))?;
    let mut outputs =
        Outputs::open(&arguments.format, arguments.level, arguments.baseline.as_deref())?;
    for event in &events {
        outputs.event(event)?;
    }
    Ok(exit_code(&outputs.finish(arguments.level)?, arguments.level))
}
