//! A plain way to make an action's searches, as a yardstick for the benchmark: one after another, each with regexes
//! of its own, each file read line by line. `regex_per_search ACTION.json` prints the files found.

use std::fs::{File, read_dir};
use std::io::{BufRead as _, BufReader};

use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let file = std::env::args().nth(1).ok_or("expected an action's file")?;
    let action: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let searches = &action["operations"][0]["parameters"]["searches"];
    for search in searches.as_object().ok_or("expected searches by their names")?.values() {
        for file in found(search)? {
            println!("{file}");
        }
    }
    Ok(())
}

/// Files of the search's folders whose name matches and of which some line does not.
fn found(search: &Value) -> Outcome<Vec<String>> {
    let (names, contents) = (regexes(&search["names"])?, regexes(&search["contents"])?);
    let mut found = Vec::new();
    for folder in search["paths"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        for entry in read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !names.iter().all(|regex| regex.is_match(name.as_encoded_bytes())) {
                continue;
            }
            for line in BufReader::new(File::open(entry.path())?).split(b'\n') {
                let line = line?;
                if !contents.iter().all(|regex| regex.is_match(&line)) {
                    found.push(entry.path().display().to_string());
                    break;
                }
            }
        }
    }
    Ok(found)
}

fn regexes(texts: &Value) -> Outcome<Vec<Regex>> {
    let texts = texts.as_array().into_iter().flatten().filter_map(Value::as_str);
    let one = |text: &str| RegexBuilder::new(text).unicode(false).size_limit(64 << 20).build();
    Ok(texts.map(one).collect::<Result<_, _>>()?)
}
