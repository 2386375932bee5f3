//! The table of requirements is complete and speaks of cases that exist; the page made from it is of today.
//!
//! That the cases named there prove anything is the business of `tests/mutants.rs`.

#[path = "table/coverage.rs"]
mod coverage;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use edgeproof_diagnostics::{Colour, Diagnostic, Diagnostics, did_you_mean};
use edgeproof_scenario::load;
use table::{Id, Proof, Requirement, root};

/// Every id with its level, as `ci/rfc-keywords` found them in the RFCs.
fn keywords() -> BTreeMap<Id, String> {
    let file = root().join("reports/requirements/keywords.txt");
    let text = std::fs::read_to_string(file).expect("the list of key words");
    let line = |line: &str| {
        let (id, level) = line.split_once(' ').expect("an id and a level");
        (id.parse().expect("an id"), level.to_owned())
    };
    text.lines().filter(|it| !it.starts_with('#')).map(line).collect()
}

/// Of RFC 9111 and RFC 9110 every key word has its row, and no row another level.
fn compare_with_keywords(requirements: &[Requirement], diagnostics: &Diagnostics) {
    let keywords = keywords();
    let rfcs: BTreeSet<u32> = keywords.keys().map(|id| id.rfc).collect();
    let mut missing: BTreeSet<&Id> = keywords.keys().collect();
    for row in requirements.iter().filter(|row| rfcs.contains(&row.id.value.rfc)) {
        missing.remove(&row.id.value);
        let mistake = match keywords.get(&row.id.value) {
            Some(level) if level == row.level.value => continue,
            Some(level) => {
                Diagnostic::error(format!("the RFC says {level} here")).at(&row.level.span)
            }
            None => Diagnostic::error("the RFC has no such key word").at(&row.id.span),
        };
        diagnostics.push(mistake);
    }
    for id in missing {
        diagnostics.push(Diagnostic::error(format!("no table has a row for {id}")));
    }
}

/// Every case named exists.
fn look_for_cases(requirements: &[Requirement], diagnostics: &Diagnostics) {
    let (cases, mistakes) = load(&[root().join("scenarios")], Path::new("."));
    assert!(!mistakes.has_errors(), "{}", mistakes.render(Colour::Never));
    let known: BTreeSet<&str> = cases.iter().map(|case| case.id.0.as_str()).collect();
    for row in requirements {
        let Proof::Cases(pairs) = &row.proof else { continue };
        for case in pairs.iter().flat_map(|pair| &pair.cases) {
            if !known.contains(case.value.as_str()) {
                let near = did_you_mean(&case.value, known.iter().copied());
                let message = format!("there is no case `{}`{near}", case.value);
                diagnostics.push(Diagnostic::error(message).at(&case.span));
            }
        }
    }
}

#[test]
fn the_tables_are_complete_and_their_cases_exist() {
    let diagnostics = Diagnostics::new();
    let requirements = table::read(&diagnostics);
    compare_with_keywords(&requirements, &diagnostics);
    look_for_cases(&requirements, &diagnostics);
    assert!(diagnostics.is_empty(), "\n{}", diagnostics.render(Colour::Never));
}

/// With `EDGEPROOF_UPDATE=1` the page is written instead.
#[test]
fn the_page_is_of_today() {
    let file = root().join("reports/rfc9111-coverage.md");
    let page = coverage::page(&table::requirements());
    if std::env::var_os("EDGEPROOF_UPDATE").is_some_and(|it| it == "1") {
        std::fs::write(&file, &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = page.lines().zip(found.lines()).position(|(new, old)| new != old);
    assert!(
        page == found,
        "reports/rfc9111-coverage.md is not what the tables say, from line {} on; make it again:\n\
         EDGEPROOF_UPDATE=1 cargo test -p edgeproof --test requirements",
        differs.unwrap_or(page.lines().count().min(found.lines().count())) + 1
    );
}
