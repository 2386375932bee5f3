//! An XML body.
#![no_main]

use edgeproof_waf::body::xml::Xml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Xml::parse(input);
});
