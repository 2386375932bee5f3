//! Where the results of `load`, `compare` and `plan` go.

use serde::Serialize;

use crate::args::LoadOutput;
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

/// Writes what was asked for; the human report on standard output where nothing was.
pub(crate) fn write(asked: &[LoadOutput], human: &str, json: &str) -> Result<(), Failure> {
    if asked.is_empty() {
        return print(human);
    }
    for output in asked {
        let text = if output.json { json } else { human };
        match &output.file {
            None => print(text)?,
            Some(file) => std::fs::write(file, text)
                .map_err(|error| Failure::write(&file.display().to_string(), &error))?,
        }
    }
    Ok(())
}
