//! Every transformation: no panic, and `true` means that something has changed.
#![no_main]

use edgeproof_waf::{Transformation, UnicodeMap};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let unicode = UnicodeMap::us_ascii();
    let mut out = Vec::new();
    for step in Transformation::ALL {
        if step.apply(input, &mut out, &unicode) {
            assert_ne!(out, input, "{}", step.name());
        }
    }
});
