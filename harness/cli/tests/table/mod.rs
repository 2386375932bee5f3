//! The table of requirements: `reports/requirements/*.yaml`, read.
//!
//! ```text
//! - id: 9111-3.1-6                 RFC, section, number of the key word within the section
//!   level: MUST NOT
//!   says: a paraphrase
//!   proved_by: [{ mutant: BUG, cases: [CASE, …] }, …]     or     why_not: a reason
//! ```
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Colour, Diagnostic, Diagnostics, Source, Spanned, Value, parse};

/// The key words of RFC 2119.
const LEVELS: [&str; 11] = [
    "MUST",
    "MUST NOT",
    "REQUIRED",
    "SHALL",
    "SHALL NOT",
    "SHOULD",
    "SHOULD NOT",
    "RECOMMENDED",
    "NOT RECOMMENDED",
    "MAY",
    "OPTIONAL",
];

/// One key word in one of the standards.
pub(crate) struct Requirement {
    /// Which.
    pub(crate) id: Spanned<Id>,
    /// The key word.
    pub(crate) level: Spanned<&'static str>,
    /// What is required, in our words.
    pub(crate) says: String,
    /// Why we believe that it holds.
    pub(crate) proof: Proof,
}

/// Why a requirement is believed to hold.
pub(crate) enum Proof {
    /// Cases, each with a bug under which it fails.
    Cases(Vec<Pair>),
    /// Why there are none.
    Reason(String),
}

/// A deliberate bug and the cases that fail under it.
pub(crate) struct Pair {
    pub(crate) mutant: Spanned<String>,
    pub(crate) cases: Vec<Spanned<String>>,
}

/// `9111-4.2.4-1`, in the order of the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// `9111`.
    pub(crate) rfc: u32,
    /// `4.2.4`.
    pub(crate) section: Vec<u32>,
    /// `1`.
    pub(crate) number: u32,
}

impl std::str::FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (rfc, rest) = text.split_once('-')?;
            let (section, number) = rest.split_once('-')?;
            let section = section.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
            Some(Self { rfc: rfc.parse().ok()?, section, number: number.parse().ok()? })
        };
        read().ok_or("an id is RFC-SECTION-NUMBER, as in `9111-4.2.4-1`")
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let section = self.section.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        write!(formatter, "{}-{section}-{}", self.rfc, self.number)
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The file with a case, below the root: it has the case's name, or its folder's where a file has several.
pub(crate) fn file_of(case: &str) -> String {
    let name = case.split_once('#').map_or(case, |(name, _)| name);
    let own = format!("scenarios/{name}.yaml");
    match name.rsplit_once('/') {
        Some((folder, _)) if !root().join(&own).exists() => format!("scenarios/{folder}.yaml"),
        _ => own,
    }
}

/// All rows of all tables.
///
/// # Panics
/// With all mistakes in them, each with its file and line.
pub(crate) fn requirements() -> Vec<Requirement> {
    let diagnostics = Diagnostics::new();
    let requirements = read(&diagnostics);
    assert!(diagnostics.is_empty(), "\n{}", diagnostics.render(Colour::Never));
    requirements
}

/// All rows that could be read.
pub(crate) fn read(diagnostics: &Diagnostics) -> Vec<Requirement> {
    let mut rows = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).expect("the table is readable");
        let name = file.strip_prefix(root()).unwrap_or(&file).display().to_string();
        let Some(node) = parse(&Source::new(name, text), diagnostics) else { continue };
        let items = Value::new(&node, diagnostics).items().unwrap_or_default();
        rows.extend(items.into_iter().filter_map(row));
    }
    let mut seen = BTreeMap::new();
    for row in &rows {
        if let Some(first) = seen.insert(row.id.value.clone(), &row.id.span) {
            let again = Diagnostic::error(format!("`{}` stands twice", row.id.value));
            diagnostics.push(again.at(&row.id.span).context(first, "the first one"));
        }
    }
    rows
}

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("reports/requirements")).expect("the tables");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "yaml"));
    files.sort();
    files
}

fn row(value: Value<'_>) -> Option<Requirement> {
    let mut reader = value.map("a requirement").or_else(|| value.wrong_type("a requirement"))?;
    let id = reader.required("id").spanned(|id| id.parse(str::parse));
    let level = reader.required("level").spanned(|it| it.one_of(&LEVELS.map(|it| (it, it))));
    let says = reader.required("says").str();
    let reason = reader.optional("why_not");
    let cases = reader.optional("proved_by");
    reader.finish();
    let proof = match (cases.is_present(), reason.is_present()) {
        (true, false) => Proof::Cases(full(cases)?.into_iter().filter_map(pair).collect()),
        (false, true) => Proof::Reason(reason.str()?.to_owned()),
        _ => return value.reject("a requirement has either `proved_by` or `why_not`"),
    };
    Some(Requirement { id: id?, level: level?, says: says?.to_owned(), proof })
}

fn pair(value: Value<'_>) -> Option<Pair> {
    let mut reader = value.map("a pair").or_else(|| value.wrong_type("a pair"))?;
    let text = |value: Value<'_>| value.spanned(|it| it.str().map(str::to_owned));
    let mutant = text(reader.required("mutant"));
    let cases = full(reader.required("cases"));
    reader.finish();
    Some(Pair { mutant: mutant?, cases: cases?.into_iter().filter_map(text).collect() })
}

/// The entries of a list that has some.
fn full(value: Value<'_>) -> Option<Vec<Value<'_>>> {
    let items = value.items()?;
    if items.is_empty() { value.reject("this list is empty") } else { Some(items) }
}

/// Every bug with the cases that fail under it.
pub(crate) fn pairs(requirements: &[Requirement]) -> BTreeMap<String, BTreeSet<String>> {
    let mut pairs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for requirement in requirements {
        let Proof::Cases(found) = &requirement.proof else { continue };
        for pair in found {
            let cases = pair.cases.iter().map(|case| case.value.clone());
            pairs.entry(pair.mutant.value.clone()).or_default().extend(cases);
        }
    }
    pairs
}
