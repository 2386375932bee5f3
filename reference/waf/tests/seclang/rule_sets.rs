//! The rule sets that people use load clean, whole, and read back from print.

use std::fs;
use std::path::{Path, PathBuf};

use edgeproof_waf::seclang::{Directive, Program, parse_file};

use crate::{bare, printed, read};

fn clean(path: &Path) -> Program {
    parse_file(path).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Lines that begin a rule: an independent count.
fn rules_in(files: &[PathBuf]) -> usize {
    let text = |file: &PathBuf| fs::read_to_string(file).expect("a rule file");
    let begins =
        |line: &&str| ["SecRule ", "SecAction "].iter().any(|it| line.trim_start().starts_with(it));
    files.iter().map(|file| text(file).lines().filter(begins).count()).sum()
}

fn rules_of(program: &Program) -> usize {
    let is_rule = |it: &&_| matches!(it, Directive::Rule(_) | Directive::Action(_));
    program.directives.iter().map(|it| &it.value).filter(is_rule).count()
}

fn conf_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of rules");
    let mut files: Vec<_> = entries.map(|it| it.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "conf"));
    files.sort();
    files
}

fn reads_back(program: &Program) {
    let text = printed(program);
    let again = read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(bare(&again).len(), program.directives.len());
    for (once, twice) in bare(program).iter().zip(bare(&again)) {
        assert_eq!(*once, twice, "{once}");
    }
}

#[test]
fn debians_core_rule_set_loads_clean_whole_and_reads_back() {
    let program = clean(Path::new("/usr/share/modsecurity-crs/owasp-crs.load"));
    let mut files = conf_files(Path::new("/usr/share/modsecurity-crs/rules"));
    files.extend(conf_files(Path::new("/etc/modsecurity/crs")));
    assert_eq!(rules_of(&program), rules_in(&files));
    assert!(rules_of(&program) > 500, "only {}", rules_of(&program));
    reads_back(&program);
    let place = &program.directives.last().expect("directives").span;
    assert_eq!(program.folder(place), Path::new("/usr/share/modsecurity-crs/rules"));
}

#[test]
fn debians_recommended_settings_load_clean_and_read_back() {
    let program = clean(Path::new("/etc/nginx/modsecurity.conf"));
    let kept = |name| move |it: &Directive| matches!(it, Directive::Kept { name: known, .. } if *known == name);
    let has = |is: &dyn Fn(&Directive) -> bool| program.directives.iter().any(|it| is(&it.value));
    assert!(has(&kept("SecTmpDir")) && has(&kept("SecStatusEngine")));
    assert!(has(&|it| matches!(it, Directive::UnicodeMap { codepage: Some(20127), .. })));
    assert!(has(&|it| *it == Directive::ArgumentSeparator(b'&')));
    reads_back(&program);
}

#[test]
fn the_recommended_settings_of_modsecurity_2_load_clean_and_read_back() {
    let path = Path::new("/etc/modsecurity/modsecurity.conf-recommended");
    if !path.exists() {
        eprintln!("not run: {} comes with libapache2-mod-security2", path.display());
        return;
    }
    let program = clean(path);
    assert!(rules_of(&program) >= 6, "only {}", rules_of(&program));
    reads_back(&program);
}

#[test]
fn core_rule_set_4_loads_clean_whole_and_reads_back() {
    let Some(folder) = std::env::var_os("EDGEPROOF_CRS").map(PathBuf::from) else {
        eprintln!("not run: EDGEPROOF_CRS names no checkout of the Core Rule Set 4");
        return;
    };
    let setup = folder.join("crs-setup.conf.example");
    let mut files = vec![setup];
    files.extend(conf_files(&folder.join("rules")));
    for example in
        ["REQUEST-900-EXCLUSION-RULES-BEFORE-CRS", "RESPONSE-999-EXCLUSION-RULES-AFTER-CRS"]
    {
        files.push(folder.join(format!("rules/{example}.conf.example")));
    }
    let includes: String =
        files.iter().map(|it| format!("Include \"{}\"\n", it.display())).collect();
    let program = read(&includes).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(rules_of(&program), rules_in(&files));
    assert!(rules_of(&program) > 600, "only {}", rules_of(&program));
    reads_back(&program);
}
