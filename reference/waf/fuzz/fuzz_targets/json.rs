//! A JSON body: what comes of it stays within its arguments' limit.
#![no_main]

use edgeproof_waf::body::{Arguments, Origin, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    for (depth, most) in [(3, 10), (10_000, 1000)] {
        let mut arguments = Arguments::new(most);
        let _ = json::parse(input, depth, &mut arguments.adding(Origin::Post));
        assert!(arguments.iter().count() <= most);
    }
});
