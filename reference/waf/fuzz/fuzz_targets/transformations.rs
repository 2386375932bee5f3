//! Every transformation: no panic, and `true` means that something has changed.
#![no_main]

use edgeproof_waf::{Transformation, UnicodeMap};
use libfuzzer_sys::fuzz_target;

const NAMES: &str = "base64Decode base64DecodeExt base64Encode cmdLine compressWhitespace cssDecode escapeSeqDecode \
    hexDecode hexEncode htmlEntityDecode jsDecode length lowercase uppercase md5 normalizePath normalizePathWin \
    parityEven7bit parityOdd7bit parityZero7bit removeComments removeCommentsChar removeNulls removeWhitespace \
    replaceComments replaceNulls sha1 sqlHexDecode trim trimLeft trimRight urlDecode urlDecodeUni urlEncode utf8toUnicode";

fuzz_target!(|input: &[u8]| {
    let unicode = UnicodeMap::us_ascii();
    let mut out = Vec::new();
    for name in NAMES.split_whitespace() {
        let step = Transformation::named(name).unwrap_or_else(|| panic!("{name}"));
        if step.apply(input, &mut out, &unicode) {
            assert_ne!(out, input, "{name}");
        }
    }
});
