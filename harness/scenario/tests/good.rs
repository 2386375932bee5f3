//! What a file means: ids, rows, includes, needs, shared parts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::model::{Action, BodySpec, Case, Check, Level, Step, Value};
use edgeproof_scenario::{bind_text, explain, listing, load};

fn good(file: &str) -> Vec<Case> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (cases, diagnostics) = load(&[PathBuf::from(format!("good/{file}.yaml"))], &tests);
    assert!(diagnostics.is_empty(), "\n{}", diagnostics.render(Colour::Never));
    cases
}

#[test]
fn a_case_in_words() {
    insta::assert_snapshot!("explain_max-age", explain(&good("max-age")[0]));
    insta::assert_snapshot!("explain_everything", explain(&good("everything")[0]));
    insta::assert_debug_snapshot!("listing_everything", listing(&good("everything")[0]));
}

#[test]
fn a_row_is_a_case_of_its_own() {
    let cases = good("each");
    let ids: Vec<String> = cases.iter().map(|case| case.id.to_string()).collect();
    assert_eq!(ids, ["each#braces", "each#2"]);
    assert_eq!(cases[0].name, "{{host}} passes as it stands");
    assert_eq!(cases[1].spec, "RFC 9110 §2");
    assert_eq!((cases[0].level, cases[1].level), (Level::Must, Level::May));
    let Action::Send(request) = &cases[0].steps[0].action else { panic!() };
    assert_eq!(request.target.as_literal().unwrap(), b"/%7B%7Bhost%7D%7D");
    let BodySpec::Bytes(body) = &request.body else { panic!() };
    assert_eq!(body.as_literal().unwrap(), br#"{"text":"{{host}}"}"#);
    let Action::Send(request) = &cases[1].steps[0].action else { panic!() };
    assert_eq!(request.target.as_literal().unwrap(), b"/%FF");
    assert_eq!(cases[1].row[0], ("what".to_owned(), vec![0xff]));
    let checks: Vec<&Check> = cases[1].steps[0].expect.iter().map(|it| &it.check).collect();
    assert!(matches!(checks[1], Check::Time { above: Some(above), .. } if above.as_secs() == 60));
}

#[test]
fn shared_parts_stand_in() {
    let cases = good("cases");
    let ids: Vec<String> = cases.iter().map(|case| case.id.to_string()).collect();
    assert_eq!(ids, ["cases/get", "cases/head#1", "cases/head#2"]);
    let needs =
        |case: &Case| -> Vec<String> { case.needs.iter().map(|need| need.value.clone()).collect() };
    assert_eq!(needs(&cases[0]), ["cache", "access-log", "http"]);
    assert_eq!(needs(&cases[1]), ["http2", "cache", "http"]);
    assert_eq!((cases[0].level, cases[1].level), (Level::Should, Level::Must));
    assert_eq!(cases[1].tags, ["own", "shared"]);
    assert!(cases[0].site.cache.is_some() && cases[1].site.cache.is_none());
}

#[test]
fn fragments_are_put_in_and_numbered_with_the_rest() {
    let case = good("everything").remove(0);
    assert_eq!(case.id.to_string(), "everything");
    let paths: Vec<&str> =
        case.steps[..3].iter().map(|step| step.expect[0].path.as_str()).collect();
    assert_eq!(
        paths,
        ["steps[0].expect.origin_requests", "steps[1].expect.status", "steps[2].expect.status"]
    );
    assert!(case.steps[0].span.source().path().ends_with("look.yaml"));
    assert_eq!(case.total_advance(), Duration::from_secs(3600));
    let edgeproof_scenario::model::Origin::Rules(rules) = &case.origin else { panic!() };
    assert_eq!(rules.last().unwrap().on.path.as_deref(), Some("/prime"));
}

#[test]
fn a_request_is_what_it_says() {
    let case = good("everything").remove(0);
    let request = |step: &Step| match &step.action {
        Action::Send(request) => request.clone(),
        other => panic!("{other:?}"),
    };
    let first = request(&case.steps[2]);
    assert_eq!(
        (first.version.as_str(), first.target.as_literal().unwrap()),
        ("HTTP/1.0", b"/doc".to_vec())
    );
    let form = request(&case.steps[3]);
    let BodySpec::Bytes(body) = &form.body else { panic!() };
    assert_eq!(body.to_display(), "q=a+b%26{{seen|form}}&r=1&r=2");
    let headers: Vec<String> = form.headers.iter().map(|(name, _)| name.to_display()).collect();
    assert_eq!(headers, ["host", "x-tag", "x-tag", "x-{{code}}", "Content-Type"]);
    let BodySpec::Bytes(json) = request(&case.steps[4]).body else { panic!() };
    assert_eq!(json.to_display(), r#"{"a":[1,true,null,"1","{{tag|json}}"],"b":"0x10"}"#);
    let Action::Raw { bytes, answers, .. } = &case.steps[6].action else { panic!() };
    assert_eq!(*answers, 2);
    let bytes = bytes.render(|_| Some(b"h".to_vec())).unwrap();
    assert_eq!(bytes, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n\x00\xff");
}

#[test]
fn an_assertion_has_the_place_of_its_line() {
    let case = good("max-age").remove(0);
    let age = &case.steps[2].expect[1];
    assert_eq!(age.path, "steps[2].expect.headers.age");
    assert_eq!(age.span.text(), "age: { between: [30, 32] }");
    assert_eq!(age.check, Check::Header("age".to_owned(), Value::Between(30.0, 32.0)));
}

#[test]
fn needs_follow_from_what_a_case_does() {
    let needs = |steps: &str| -> Vec<String> {
        let (cases, diagnostics) =
            bind_text("a.yaml", &format!("name: n\nspec: s\nsteps: [{steps}]\n"));
        assert!(!diagnostics.has_errors(), "{}", diagnostics.render(Colour::Never));
        cases[0].needs.iter().map(|need| need.value.clone()).collect()
    };
    assert_eq!(needs("{ ssh: handshake, expect: { ssh: { banner: x } } }"), ["ssh"]);
    let asks =
        |probe: &str| needs(&format!("{{ ssh: {probe}, expect: {{ ssh: {{ banner: x }} }} }}"));
    assert_eq!(asks("{ wait: stranger }"), ["ssh", "ssh-limits"]);
    assert_eq!(asks("{ wait: quiet }"), ["ssh", "ssh-accounts", "ssh-short-idle"]);
    assert_eq!(asks("{ forward: local }"), ["ssh", "ssh-accounts"]);
    assert_eq!(asks("{ reach: 127.0.0.1 }"), ["ssh", "ssh-guard"]);
    assert_eq!(needs("{ ssh: config, expect: { config: { usepam: x } } }"), ["sshd-config"]);
    assert_eq!(
        needs("{ send: { path: /, tls: true }, expect: { access_log: { count: 1 } } }"),
        ["http", "tls", "access-log"]
    );
    assert_eq!(needs("{ expect: { waf_log: { count: 0 } } }"), ["waf-log"]);
    assert_eq!(needs("{ expect: { waf_rules: { includes: [1] } } }"), ["waf-log"]);
}

#[test]
fn a_site_for_any_host_stands_alone() {
    let mistakes = |site: &str, origin: &str| {
        let steps = "steps: [{ send: GET /, expect: { status: 200 } }]";
        let text = format!("name: n\nspec: s\nsite: {site}\n{origin}{steps}\n");
        bind_text("a.yaml", &text).1.render(Colour::Never)
    };
    let any = "{ any_host: true, waf: { profile: regression } }";
    assert_eq!(mistakes(any, "origin: reflect\n"), "");
    for (site, origin, told) in [
        (any, "", "a site for every host needs `origin: reflect`"),
        ("{ any_host: true, host: a.test }", "origin: reflect\n", "has no host of its own"),
        ("{ waf: { profile: regression } }", "", "is for a site with `any_host: true`"),
    ] {
        let shown = mistakes(site, origin);
        assert!(shown.contains(told), "{shown}");
    }
}

#[test]
fn an_id_is_counted_from_the_suite() {
    let id = |path: &str| {
        let case = "name: n\nspec: s\nsteps: [{ send: GET /, expect: { status: 200 } }]";
        bind_text(path, case).0[0].id.clone()
    };
    assert_eq!(id("/x/scenarios/cache/vary/star.yaml").to_string(), "cache/vary/star");
    assert_eq!(id("/x/scenarios/cache/vary/star.yaml").family(), "cache");
    assert_eq!(id("elsewhere/star.yaml").to_string(), "star");
}
