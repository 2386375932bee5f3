//! Every example of the reference manual binds, and the manual names every key.

use std::fs;
use std::path::Path;

use edgeproof_diagnostics::{Colour, Diagnostics};
use edgeproof_scenario::{bind_text, load, schema};
use serde_json::Value;

fn manual() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenario-format.md");
    fs::read_to_string(path).unwrap()
}

fn examples(manual: &str) -> Vec<&str> {
    manual.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn assert_clean(example: &str, diagnostics: &Diagnostics) {
    assert!(diagnostics.is_empty(), "{}\n{example}", diagnostics.render(Colour::Never));
}

#[test]
fn every_example_binds() {
    let manual = manual();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shared")).unwrap();
    let mut cases = 0;
    for example in examples(&manual) {
        if example.starts_with("fragment: true") {
            fs::write(folder.path().join("shared/twin.yaml"), example).unwrap();
        } else if example.contains("include:") {
            fs::write(folder.path().join("case.yaml"), example).unwrap();
            let (bound, diagnostics) = load(&["case.yaml".into()], folder.path());
            assert_clean(example, &diagnostics);
            cases += bound.len();
        } else {
            let (bound, diagnostics) = bind_text("example.yaml", example);
            assert_clean(example, &diagnostics);
            cases += bound.len();
        }
    }
    assert!(cases >= 15, "{cases} cases");
}

#[test]
fn every_key_is_named() {
    let manual = manual();
    let schema = schema();
    let mut missing = Vec::new();
    for (form, definition) in schema["$defs"].as_object().unwrap() {
        let keys = definition.get("properties").and_then(Value::as_object);
        for key in keys.into_iter().flat_map(|keys| keys.keys()) {
            let spelled = [
                format!("`{key}`"),
                format!("`{key}:"),
                format!("{key}:"),
                format!(" {key},"),
                format!("{{ {key} "),
            ];
            if !spelled.iter().any(|text| manual.contains(text)) {
                missing.push(format!("{form}.{key}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
