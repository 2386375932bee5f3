//! Where the results of `load`, `compare`, `history` and `plan` go.

use std::path::Path;
use std::time::SystemTime;

use edgeproof_load::{LoadReport, Shot, hdr_log};
use serde::Serialize;

use crate::args::{LoadOutput, Shape};
use crate::failure::Failure;
use crate::outputs::print;

/// Refuses two outputs at one place.
pub(crate) fn one_place_each(asked: &[LoadOutput]) -> Result<(), Failure> {
    for (index, output) in asked.iter().enumerate() {
        if asked[..index].iter().any(|earlier| earlier.file == output.file) {
            let message =
                "two formats go to one place: give one of them a file, as in `--format json=FILE`";
            return Err(Failure::Usage(message.to_owned()));
        }
    }
    Ok(())
}

/// A result as one JSON object, for programs.
pub(crate) fn json(result: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(result);
    text.map(|text| text + "\n").map_err(|error| Failure::Broken(error.to_string()))
}

/// Writes the log for `HdrHistogram`'s own tools, of shots of which the first began at `began`.
pub(crate) fn latencies(
    file: &Path,
    report: &LoadReport,
    began: SystemTime,
) -> Result<(), Failure> {
    let log = hdr_log(report, began).map_err(|error| Failure::Broken(error.to_string()))?;
    std::fs::write(file, log).map_err(|error| Failure::write(&file.display().to_string(), &error))
}

/// A result in all its shapes.
pub(crate) struct Told<'a> {
    /// What it is, as a page's title.
    pub(crate) title: &'a str,
    pub(crate) human: &'a str,
    pub(crate) json: &'a str,
    /// Drawings of a page, as SVG.
    pub(crate) charts: &'a [String],
    /// What a page's table has a row for each of.
    pub(crate) shots: &'a [Shot],
}

impl Told<'_> {
    /// Writes what was asked for; the human report on standard output where nothing was.
    pub(crate) fn write(&self, asked: &[LoadOutput]) -> Result<(), Failure> {
        if asked.is_empty() {
            return print(self.human);
        }
        for output in asked {
            let page;
            let text = match output.shape {
                Shape::Human => self.human,
                Shape::Json => self.json,
                Shape::Html => {
                    page = edgeproof_load::page(self.title, self.charts, self.shots, self.human);
                    &page
                }
            };
            match &output.file {
                None => print(text)?,
                Some(file) => std::fs::write(file, text)
                    .map_err(|error| Failure::write(&file.display().to_string(), &error))?,
            }
        }
        Ok(())
    }
}
