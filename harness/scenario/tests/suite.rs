//! The suites of this repository bind without a mistake.

use std::path::{Path, PathBuf};

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::load;

#[test]
fn every_scenario_binds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (cases, diagnostics) = load(&[PathBuf::from("scenarios")], &root);
    assert!(!diagnostics.has_errors(), "\n{}", diagnostics.render(Colour::Never));
    assert!(cases.len() > 10, "{} cases", cases.len());
}
