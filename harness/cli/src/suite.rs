//! What PATHs on the command line stand for: scenario files, and tests of another format (`ftw:PATH`).

use std::path::{Path, PathBuf};

use edgeproof_diagnostics::Diagnostics;
use edgeproof_scenario::model::Case;
use edgeproof_workbench::ftw;

/// What was read, with the mistakes of all files.
pub(crate) struct Loaded {
    pub(crate) cases: Vec<Case>,
    pub(crate) diagnostics: Diagnostics,
    /// What overrides say of the whole run.
    pub(crate) mark_field: Option<String>,
    pub(crate) rule_ids: Option<String>,
}

/// The path of a word, and whether it is one of ftw tests.
pub(crate) fn place(word: &Path) -> (&Path, bool) {
    let foreign = word.to_str().and_then(|text| text.strip_prefix("ftw:"));
    foreign.map_or((word, false), |path| (Path::new(path), true))
}

/// The cases of all words: scenarios first, then ftw tests with these overrides.
pub(crate) fn load(words: &[PathBuf], overrides: &[PathBuf]) -> Loaded {
    let of = |foreign: bool| -> Vec<PathBuf> {
        let places = words.iter().map(|word| place(word));
        places.filter(|(_, is)| *is == foreign).map(|(path, _)| path.to_owned()).collect()
    };
    let (own, foreign) = (of(false), of(true));
    let (mut cases, diagnostics) = match own.is_empty() {
        true => (Vec::new(), Diagnostics::new()),
        false => edgeproof_scenario::load(&own, Path::new(".")),
    };
    if foreign.is_empty() {
        return Loaded { cases, diagnostics, mark_field: None, rule_ids: None };
    }
    let (suite, found) = ftw::load(&foreign, overrides);
    let ftw::Suite { cases: tests, mark_field, rule_ids } = suite;
    cases.extend(tests);
    diagnostics.extend(found);
    Loaded { cases, diagnostics, mark_field, rule_ids }
}
