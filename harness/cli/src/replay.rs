//! `edgeproof report`: any format from a recorded stream of events, or rates from several.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use edgeproof_report::{ExitCode, exit_code, replay};

use crate::args::Report;
use crate::failure::Failure;
use crate::outputs::{Outputs, read_baseline};

pub(crate) fn report(arguments: &Report) -> Result<ExitCode, Failure> {
    let of_one = arguments.format.iter().find(|output| !output.format.takes_several());
    if let (true, Some(output)) = (arguments.events.len() > 1, of_one) {
        let message = format!("the format {} is of one recording, not of several", output.format);
        return Err(Failure::Usage(message));
    }
    if arguments.events.len() > 1 && arguments.format.is_empty() {
        let message = "of several recordings, say which format: `--format waf-rates`";
        return Err(Failure::Usage(message.to_owned()));
    }
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let mut outputs = Outputs::open(&arguments.format, arguments.level, baseline)?;
    for file in &arguments.events {
        let events = replay(reader(file)?)
            .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        for event in &events {
            outputs.event(event)?;
        }
    }
    Ok(exit_code(&outputs.finish(arguments.level)?, arguments.level))
}

fn reader(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).map_err(|error| Failure::read(file, &error))?;
    Ok(Box::new(BufReader::new(opened)))
}
