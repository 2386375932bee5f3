//! Reading target.yaml: every mistake in one go, each with its place.

use std::path::Path;
use std::time::Duration;

use crate::support::{folder, load};
use edgeproof_diagnostics::Colour;
use edgeproof_scenario::model::{AccessLog, CacheSite, SiteSpec, WafSite};
use edgeproof_target::{ClockKind, TargetSpec, UrlError};

const GOOD: &str = r#"
title: A proxy
available: { commands: [sh, no-such-program], hint: apt-get install it }
declares: [http, cache]
clock: wait
max_wait: 3s
expresses:
  - cache
  - cache.policy: [rfc9111]
  - access_log
  - access_log.format: ["{status}"]
services:
  http:
    process: { command: [proxy, "{{ port.http }}"] }
    address: 127.0.0.1:{{ port.http }}
known_failures:
  - { case: cache/vary/star, reason: it ignores it }
"#;

#[test]
fn a_good_file_is_read() {
    let folder = folder(&[("target.yaml", GOOD)]);
    let spec = load(folder.path());
    assert_eq!(spec.name, folder.path().file_name().unwrap().to_str().unwrap());
    assert_eq!(
        (spec.title.as_str(), spec.kind(), spec.clock),
        ("A proxy", "process", ClockKind::Wait)
    );
    assert_eq!(spec.max_wait, Some(Duration::from_secs(3)));
    assert_eq!(spec.known_failures.entries().len(), 1);
    assert_eq!(
        spec.available().unwrap_err().to_string(),
        "no-such-program not installed (apt-get install it)"
    );
}

#[test]
fn what_cannot_be_expressed_is_a_reason_to_skip() {
    let folder = folder(&[("target.yaml", GOOD)]);
    let expresses = load(folder.path()).expresses;
    let cache = |cache| SiteSpec { cache: Some(cache), ..SiteSpec::default() };
    let policy =
        |policy: &str| cache(CacheSite { policy: Some(policy.into()), ..CacheSite::default() });
    assert_eq!(expresses.site(&SiteSpec::default()), Ok(()));
    assert_eq!(expresses.site(&policy("rfc9111")), Ok(()));
    assert_eq!(
        expresses.site(&policy("hosting")),
        Err("its configuration cannot express site.cache.policy: hosting".into())
    );
    let ttl = cache(CacheSite { ttl: Some(Duration::from_secs(1)), ..CacheSite::default() });
    assert_eq!(expresses.site(&ttl), Err("its configuration cannot express site.cache.ttl".into()));
    let waf = WafSite { profile: "full".into(), mode: "block".into(), paranoia: None };
    let waf = SiteSpec { waf: Some(waf), ..SiteSpec::default() };
    assert_eq!(expresses.site(&waf), Err("its configuration cannot express site.waf".into()));
    let format = |format: &str| SiteSpec {
        access_log: Some(AccessLog { format: Some(format.into()), preset: None, dialect: None }),
        ..SiteSpec::default()
    };
    assert_eq!(expresses.site(&format("{status}")), Ok(()));
    assert!(expresses.site(&format("{duration}")).is_err());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let folder = folder(&[(
        "target.yaml",
        r#"title: A proxy
declare: [http]
declares: [HTTP]
clock: sundial
max_wait: 3
expresses: [cache.polciy]
files:
  ../escape: nothing.j2
services:
  http:
    process: { command: ["{{ port.http"], env: { A: "{% if %}" } }
    url: http://127.0.0.1:80
    ready: { http: /, line: "(" }
    stop: { signal: TREM }
known_failures:
  - { case: cache/, reason: "" }
  - { case: cache/x, expectation: "steps[0].expect.status" }
"#,
    )]);
    let text = TargetSpec::load(folder.path()).unwrap_err().render(Colour::Never);
    let text = text.replace(&folder.path().display().to_string(), "TARGET");
    insta::assert_snapshot!(text);
}

#[test]
fn targets_can_share_a_list_of_known_failures() {
    let shared = "- { case: cache/age, expectation: \"steps[2].expect.headers.age\", reason: none is sent }\n";
    let including = GOOD.replace("known_failures:", "known_failures:\n  - include: shared.yaml");
    let good = folder(&[("target.yaml", &including), ("shared.yaml", shared)]);
    let spec = load(good.path());
    let cases: Vec<&str> =
        spec.known_failures.entries().iter().map(|entry| entry.case.as_str()).collect();
    assert_eq!(cases, ["cache/age", "cache/vary/star"]);

    let missing = folder(&[("target.yaml", &including)]);
    let text = TargetSpec::load(missing.path()).unwrap_err().render(Colour::Never);
    assert!(text.contains("cannot read") && text.contains("- include: shared.yaml"), "{text}");

    // A shared list includes no other, and its mistakes are shown where they are.
    let wrong = "- { case: cache/*, reason: all of it }\n- include: shared.yaml\n";
    let wrong = folder(&[("target.yaml", &including), ("shared.yaml", wrong)]);
    let text = TargetSpec::load(wrong.path()).unwrap_err().render(Colour::Never);
    assert!(text.contains("shared.yaml:1:") && text.contains("never for a whole family"), "{text}");
    assert!(text.contains("unknown key `include` in a known failure"), "{text}");
}

#[test]
fn a_folder_without_the_file_is_told() {
    let folder = folder(&[]);
    let text = TargetSpec::load(folder.path()).unwrap_err().render(Colour::Never);
    assert!(text.contains("target.yaml") && text.contains("ci/targets/README.md"), "{text}");
}

#[test]
fn urls_are_checked() {
    let target =
        |url: &str, remote| TargetSpec::from_url(url, &[], remote).map(|spec| spec.declares);
    assert_eq!(target("http://127.0.0.1:8080/", false), Ok(vec!["http".into()]));
    assert_eq!(target("https://localhost:8443", false), Ok(vec!["http".into(), "tls".into()]));
    assert_eq!(target("ssh://[::1]:2222", false), Ok(vec!["ssh".into()]));
    assert!(matches!(target("ftp://127.0.0.1", false), Err(UrlError::Scheme(_))));
    assert!(matches!(target("127.0.0.1:80", false), Err(UrlError::Scheme(_))));
    assert!(matches!(target("http://127.0.0.1/blog", false), Err(UrlError::Path(_))));
    assert!(matches!(target("http://192.0.2.1", false), Err(UrlError::Remote { .. })));
    assert_eq!(target("http://192.0.2.1", true), Ok(vec!["http".into()]));
}

#[test]
fn a_url_with_a_log_of_its_waf_has_a_waf() {
    let url = TargetSpec::from_url("http://127.0.0.1:8080", &[], false).unwrap();
    let waf = WafSite { profile: WafSite::REGRESSION.into(), mode: "alert".into(), paranoia: None };
    let site = SiteSpec { any_host: true, waf: Some(waf), ..SiteSpec::default() };
    assert!(url.expresses.site(&site).is_err());
    let logged = url.clone().with_waf_log(Path::new("/var/log/waf.log")).unwrap();
    assert_eq!(logged.declares, ["http", "waf", "waf-log"]);
    assert_eq!(logged.expresses.site(&site), Ok(()));
    let braces = url.with_waf_log(Path::new("/var/{{log}}"));
    assert!(matches!(braces.map(|spec| spec.name), Err(UrlError::Log(_))));
}

#[test]
fn a_log_that_is_declared_must_be_somewhere() {
    let text = GOOD.replace("[http, cache]", "[http, access-log]");
    let broken = folder(&[("target.yaml", &text)]);
    let shown = TargetSpec::load(broken.path()).unwrap_err().render(Colour::Never);
    assert!(shown.contains("`access-log` needs `logs.access`"), "{shown}");
    let mended = folder(&[("target.yaml", &format!("{text}logs: {{ access: a.log }}\n"))]);
    load(mended.path());
}

#[test]
fn a_misspelt_ability_is_a_warning_in_a_file_and_an_error_in_words() {
    let text = GOOD.replace("[http, cache]", "[http, acess-log, geo-blocking]");
    let folder = folder(&[("target.yaml", &text)]);
    let spec = load(folder.path());
    assert_eq!(spec.declares, ["http", "acess-log", "geo-blocking"]);
    let [warning] = spec.warnings.as_slice() else { panic!("{:?}", spec.warnings) };
    let shown = warning.render(Colour::Never);
    assert!(
        shown.contains("did you mean `access-log`?") && shown.contains("target.yaml:4:"),
        "{shown}"
    );

    let declaring =
        |word: &str| TargetSpec::from_url("http://127.0.0.1:80", &[word.to_owned()], false);
    let error = declaring("acess-log").unwrap_err();
    assert_eq!(error, UrlError::Ability { found: "acess-log".into(), meant: "access-log" });
    assert!(error.to_string().contains("did you mean `access-log`?"));
    assert_eq!(declaring("geo-blocking").unwrap().declares, ["http", "geo-blocking"]);
}
