//! The prefilter changes nothing but time: over random requests, made of pieces that attacks and their disguises are
//! made of, the same rules of a whole Core Rule Set fire with it and without. The rule set is that of
//! the checkout that EDGEPROOF_CRS names, else Debian's (`modsecurity-crs`), at paranoia level 4; not played where there
//! is neither.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use edgeproof_diagnostics::Source;
use edgeproof_waf::seclang::parse_text;
use edgeproof_waf::{Collections, Connection, Moment, RequestLine, RuleSet, Transaction};
use proptest::prelude::*;

/// The rules and their settings.
fn find() -> Option<(PathBuf, PathBuf)> {
    let (rules, setup) = match std::env::var_os("EDGEPROOF_CRS") {
        Some(checkout) => {
            let checkout = Path::new(&checkout).canonicalize().expect("the checkout");
            (checkout.join("rules"), checkout.join("crs-setup.conf.example"))
        }
        None => (
            "/usr/share/modsecurity-crs/rules".into(),
            "/etc/modsecurity/crs/crs-setup.conf".into(),
        ),
    };
    (rules.is_dir() && setup.is_file()).then_some((rules, setup))
}

/// The rule set with the prefilter and without.
static RULE_SETS: LazyLock<Option<[Arc<RuleSet>; 2]>> = LazyLock::new(|| {
    let Some((rules, setup)) = find() else {
        eprintln!("not played: modsecurity-crs is not installed");
        return None;
    };
    let load = || load(&rules, &setup);
    Some([Arc::new(load()), Arc::new(load().without_prefilter())])
});

fn load(rules: &Path, setup: &Path) -> RuleSet {
    let text = format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecAction \"id:1,phase:1,pass,nolog,setvar:tx.paranoia_level=4,\
         setvar:tx.blocking_paranoia_level=4,\
         setvar:tx.crs_validate_utf8_encoding=1\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@beginsWith application/json\" \
         \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" \
         \"id:3,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n\
         Include {}\nInclude {}/*.conf\n",
        setup.display(),
        rules.display(),
    );
    let program = parse_text(&Source::new("entry.conf", text), Path::new("/"));
    let program = program.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    RuleSet::from_program(program).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A request, as far as it is random.
#[derive(Clone, Debug)]
struct Request {
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// Whatever rules look for, in parts, and what hides it.
const PIECES: &[&str] = &[
    "a",
    "id",
    "7",
    " ",
    "+",
    "%20",
    "%00",
    "%0a",
    "\n",
    "%",
    "%u0027",
    "'",
    "\"",
    "%27",
    "&#39;",
    "&lt;",
    "<",
    ">",
    "</",
    "script",
    "SCRIPT",
    "onerror",
    "=",
    "alert(1)",
    "javascript:",
    "svg",
    "img",
    "src",
    "union",
    "UNION",
    "select",
    "Select",
    "from",
    "or",
    "OR",
    "1=1",
    "--",
    "/**/",
    "#",
    ";",
    "|",
    "&",
    "`",
    "$(",
    ")",
    "{",
    "}",
    "cat",
    "c\\at",
    "wget",
    "/etc/passwd",
    "../",
    "..%2f",
    "..\\",
    "%2e%2e/",
    "/bin/sh",
    "id_rsa",
    ".env",
    "http://",
    "192.0.2.1",
    "ftp://",
    "file://",
    "php://",
    "<?php",
    "eval(",
    "base64_decode",
    "system",
    "phpinfo",
    "O:8:",
    "sleep(5)",
    "benchmark",
    "waitfor",
    "delay",
    "xp_cmdshell",
    "information_schema",
    "jndi",
    "${",
    "java.lang",
    "Runtime",
    "rO0AB",
    "YWxlcnQ",
    "\\x3c",
    "\\u003c",
    "sqlmap",
    "nikto",
    "curl/7",
    "Mozilla/5.0",
    "Set-Cookie:",
    "HTTP/1.1",
    "\r\n",
    "\u{e9}",
    "\u{ff1c}",
    "\u{80}",
    "é",
];

fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..most).prop_map(|pieces| pieces.concat())
}

fn request() -> impl Strategy<Value = Request> {
    let body = prop_oneof![
        text(6)
            .prop_map(|value| ("application/x-www-form-urlencoded", format!("{value}&b={value}"))),
        (text(3), text(6)).prop_map(|(name, value)| {
            ("application/json", serde_json::json!({ name: [value, 1] }).to_string())
        }),
        (text(3), text(6)).prop_map(|(name, value)| {
            let part = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--x--\r\n"
            );
            ("multipart/form-data; boundary=x", part)
        }),
        text(6).prop_map(|value| ("text/xml", format!("<a b='1'>{value}</a>"))),
        text(6).prop_map(|value| ("text/plain", value)),
    ];
    (text(4), text(8), text(4), text(4), text(4), body).prop_map(
        |(path, query, cookie, referer, agent, (media_type, body))| Request {
            target: format!("/{path}?q={query}&{query}"),
            headers: vec![
                ("Host", "shop.example".to_owned()),
                ("User-Agent", agent),
                ("Referer", referer),
                ("Cookie", format!("c={cookie}; {cookie}")),
                ("Content-Type", media_type.to_owned()),
                ("Content-Length", body.len().to_string()),
            ],
            body,
        },
    )
}

/// What matched, in order: each rule with what it says.
fn play(rules: &Arc<RuleSet>, request: &Request) -> (Vec<u64>, Vec<edgeproof_waf::Match>) {
    let ends =
        Connection { client: ([192, 0, 2, 7], 1).into(), server: ([192, 0, 2, 8], 80).into() };
    let store = Arc::new(Collections::default());
    let now = Moment::utc(1_790_000_000);
    let mut transaction = Transaction::new(rules, &store, ends, "an-id", now);
    let line = format!("POST {} HTTP/1.1", request.target);
    let line = RequestLine {
        line: line.as_bytes(),
        method: Some(b"POST"),
        target: Some(request.target.as_bytes()),
        version: Some(b"HTTP/1.1"),
    };
    let headers = request.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    transaction.request(line, headers);
    transaction.request_body(request.body.as_bytes());
    transaction.request_end();
    // What came in goes out, so that the rules for answers have something to find, too.
    let headers = [(&b"Content-Type"[..], &b"text/html"[..])];
    transaction.response(b"HTTP/1.1", 200, b"OK", headers);
    transaction.response_body(request.body.as_bytes());
    transaction.response_end();
    let outcome = transaction.finish();
    (outcome.fired, outcome.matches)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_rules_of_a_core_rule_set_fire_without_the_prefilter(request in request()) {
        if let Some([with, without]) = &*RULE_SETS {
            let (fast, slow) = (play(with, &request), play(without, &request));
            prop_assert_eq!(fast.0, slow.0);
            prop_assert_eq!(fast.1, slow.1);
        }
    }
}
