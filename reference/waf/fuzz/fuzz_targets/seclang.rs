//! SecLang as text: no panic, and what is read can be made ready to run or is refused with a reason.
#![no_main]

use std::path::Path;

use edgeproof_diagnostics::Source;
use edgeproof_waf::RuleSet;
use edgeproof_waf::seclang::parse_text;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus {
    let lower = text.to_ascii_lowercase();
    // What would read files of this machine, and wait for some of them for ever.
    if ["include", "fromfile", "pmf", "ipmatchf", "unicodemap"].iter().any(|word| lower.contains(word)) {
        return Corpus::Reject;
    }
    let source = Source::new("fuzz.conf", text);
    if let Ok(program) = parse_text(&source, Path::new("/nowhere")) {
        let _ = RuleSet::from_program(program).map_err(|mistakes| mistakes.to_string());
    }
    Corpus::Keep
});
