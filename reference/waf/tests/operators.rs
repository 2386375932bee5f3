//! Every operator of the rule sets that people use compiles.

use std::path::Path;

use edgeproof_waf::Operator;
use edgeproof_waf::seclang::{Directive, OperatorName, Program, parse_file};

fn read(path: &Path) -> Program {
    parse_file(path).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Compiles the operators of all rules, and counts those and the patterns among them.
fn compile(program: &Program, counts: &mut Counts) {
    for directive in &program.directives {
        let Directive::Rule(rule) = &directive.value else { continue };
        let folder = program.folder(&rule.operator.span);
        if let Err(mistake) = Operator::compile(&rule.operator, folder) {
            panic!("{mistake}");
        }
        counts.operators += 1;
        counts.patterns += u32::from(rule.operator.value.name == OperatorName::Rx);
    }
}

#[derive(Debug, Default)]
struct Counts {
    operators: u32,
    patterns: u32,
}

#[test]
fn debians_core_rule_set_compiles() {
    let path = Path::new("/usr/share/modsecurity-crs/owasp-crs.load");
    if !path.exists() {
        eprintln!("not run: Debian's modsecurity-crs is not installed");
        return;
    }
    let mut counts = Counts::default();
    compile(&read(path), &mut counts);
    assert!(counts.operators > 500 && counts.patterns > 250, "{counts:?}");
}

#[test]
fn a_core_rule_set_of_choice_compiles() {
    let Some(folder) = std::env::var_os("EDGEPROOF_CRS") else {
        eprintln!("not run: EDGEPROOF_CRS names no folder of the Core Rule Set");
        return;
    };
    let mut counts = Counts::default();
    for entry in Path::new(&folder).join("rules").read_dir().expect("a folder of rules") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "conf") {
            compile(&read(&path), &mut counts);
        }
    }
    assert!(counts.operators > 500 && counts.patterns > 250, "{counts:?}");
}
