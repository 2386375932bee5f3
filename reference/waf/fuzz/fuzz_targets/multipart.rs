//! A multipart body; its first line is the Content-Type.
#![no_main]

use edgeproof_waf::body::multipart::{Limits, Multipart};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let body = input.get(end + 1..).unwrap_or_default();
    for content_type in [Some(&input[..end]), Some(&b"multipart/form-data; boundary=b"[..]), None] {
        let _ = Multipart::parse(body, content_type, Limits::default());
    }
});
