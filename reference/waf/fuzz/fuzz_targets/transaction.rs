//! A whole transaction under the Core Rule Set (the folder in EDGEPROOF_CRS, else Debian's): no panic, and the same
//! rules match with everything that passes over rules and without it.
//!
//! Parts of the input end in a line of `%%`: the request line, the header, the body, the answer's body.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use edgeproof_diagnostics::Source;
use edgeproof_waf::seclang::parse_text;
use edgeproof_waf::{Collections, Connection, Moment, RequestLine, RuleSet, Transaction, Verdict};
use libfuzzer_sys::fuzz_target;

fn rules() -> RuleSet {
    let own = std::env::var("EDGEPROOF_CRS").ok().filter(|folder| !folder.is_empty());
    let (rules, setup) = match &own {
        Some(folder) => (format!("{folder}/rules"), format!("{folder}/crs-setup.conf.example")),
        None => ("/usr/share/modsecurity-crs/rules".to_owned(), "/etc/modsecurity/crs/crs-setup.conf".to_owned()),
    };
    let text = format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecRule REQUEST_HEADERS:Content-Type \"@contains json\" \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n\
         Include {setup}\n\
         SecAction \"id:3,phase:1,pass,nolog,setvar:tx.paranoia_level=4,setvar:tx.blocking_paranoia_level=4\"\n\
         Include {rules}/*.conf\n"
    );
    let source = Source::new("fuzz.conf", text);
    let program = parse_text(&source, Path::new("/")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    RuleSet::from_program(program).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

static QUICK: LazyLock<Arc<RuleSet>> = LazyLock::new(|| Arc::new(rules()));
static PLAIN: LazyLock<Arc<RuleSet>> = LazyLock::new(|| Arc::new(rules().without_prefilter()));

// The rules are loaded before the first input: its time would be theirs otherwise.
fuzz_target!(init: [&QUICK, &PLAIN].map(LazyLock::force), |input: &[u8]| {
    let quick = play(&QUICK, input);
    let plain = play(&PLAIN, input);
    assert_eq!(quick, plain, "the rules that match differ");
});

/// The ids of the rules that match, in order.
fn play(rules: &Arc<RuleSet>, input: &[u8]) -> Vec<u64> {
    let mut parts = split(input, b"\n%%\n");
    let mut part = || parts.next().unwrap_or_default();
    let (line, header, body, answer) = (part(), part(), part(), part());
    let ends = Connection { client: ([192, 0, 2, 7], 1).into(), server: ([192, 0, 2, 8], 80).into() };
    let store = Arc::new(Collections::default());
    let mut transaction = Transaction::new(rules, &store, ends, "id", Moment::utc(1_790_000_000));
    let mut words = line.split(|byte| *byte == b' ');
    let line = RequestLine { line, method: words.next(), target: words.next(), version: words.next() };
    let fields = split(header, b"\n").filter_map(|field| {
        let colon = field.iter().position(|byte| *byte == b':')?;
        Some((&field[..colon], field[colon + 1..].trim_ascii()))
    });
    assert_eq!(transaction.request(line, fields), Verdict::Pass);
    transaction.request_body(body);
    assert_eq!(transaction.request_end(), Verdict::Pass);
    let fields: [(&[u8], &[u8]); 1] = [(b"Content-Type", b"text/html")];
    transaction.response(b"HTTP/1.1", 200, b"OK", fields);
    transaction.response_body(answer);
    transaction.response_end();
    transaction.finish().fired
}

fn split<'t>(text: &'t [u8], at: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.windows(at.len()).position(|window| window == at) {
            Some(found) => {
                rest = Some(&text[found + at.len()..]);
                Some(&text[..found])
            }
            None => rest.take(),
        }
    })
}
