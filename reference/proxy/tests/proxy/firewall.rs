//! The firewall on the wire: what is denied, when, how it is logged and kept.

use std::os::unix::fs::PermissionsExt;

use edgeproof_proxy::{Quarantine, QuarantineBounds, Settings, StartError};

use crate::support::{Conn, OK, Origin, Proxy, field, status};

/// A proxy whose firewall has these rules.
fn guarded(origin: &Origin, rules: &str, waf: &str, site: &str) -> Proxy {
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nthreads: 1\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n    \
         clock: {{ start: \"2018-07-16T12:04:07+02:00\" }}\n    \
         waf: {{ conf: DIR/rules.conf, log: DIR/waf.log, {waf} }}\n{site}\n",
        origin.address
    );
    Proxy::from_yaml_and(&text, &[("rules.conf", rules)])
}

/// Its rule file read again, with the same clock.
fn reload(proxy: &mut Proxy, origin: &Origin) -> Result<(), StartError> {
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nsites: [{{ hosts: [a.test], upstream: 'http://{}', waf: {{ conf: {} }}, \
         clock: {{ start: '2018-07-16T12:04:07+02:00' }} }}]",
        origin.address,
        proxy.file("rules.conf").display()
    );
    let settings = Settings::from_yaml("new.yaml", &text).unwrap();
    let server = proxy.server.as_mut().unwrap();
    server.reload(&settings)?;
    proxy.address = server.addresses()[0];
    Ok(())
}

const IN_ARGUMENTS: &str = "SecRuleEngine On\nSecRequestBodyAccess On\n\
    SecRule ARGS \"@contains attack\" \"id:7,phase:2,deny,status:403,log,msg:'An attack'\"\n";

fn post(body: &str) -> String {
    let kind = "application/x-www-form-urlencoded";
    let length = body.len();
    format!(
        "POST /form HTTP/1.1\r\nHost: a.test\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn an_attack_is_denied_and_logged_and_the_connection_goes_on() {
    let origin = Origin::answering(OK);
    let mut proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    let mut client = proxy.client();
    let (head, body) =
        client.send("GET /a?x=an+attack HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
    assert_eq!((status(&head), field(&head, "connection")), (403, None));
    assert!(body.starts_with("403 Forbidden: "), "{body}");
    let (head, _) = client.send(post("x=an+attack")).response();
    assert_eq!((status(&head), field(&head, "connection")), (403, None));
    let (head, _) = client.send(post("x=a+friend")).response();
    assert_eq!((status(&head), origin.seen().len()), (200, 1));
    insta::assert_snapshot!(proxy.stop_and_read("waf.log"), @r#"
    [16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "GET /a?x=an+attack HTTP/1.1" - 7 | An attack with value: an attack
    [16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "POST /form HTTP/1.1" - 7 | An attack with value: an attack
    "#);
}

#[test]
fn no_request_can_forge_a_line() {
    let origin = Origin::answering(OK);
    let mut proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    proxy.exchange(
        "GET /?x=attack%0a[waf]%1b%22\\ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
    );
    insta::assert_snapshot!(proxy.stop_and_read("waf.log"), @r#"[16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "GET /?x=attack%0a[waf]%1b%22\x5C HTTP/1.1" - 7 | An attack with value: attack\x0A[waf]\x1B\x22\x5C"#);
}

/// It is answered as HTTP/1.1, but a rule about versions judges the one that was sent.
#[test]
fn a_version_is_seen_as_it_was_sent() {
    let origin = Origin::answering(OK);
    let rules = "SecRuleEngine On\n\
        SecRule REQUEST_PROTOCOL \"!@within HTTP/1.0 HTTP/1.1\" \"id:7,phase:1,pass,log,msg:'A version'\"\n";
    let mut proxy = guarded(&origin, rules, "", "");
    for version in ["1.1", "1.2"] {
        let mut client = proxy.client();
        let (head, _) =
            client.send(format!("GET / HTTP/{version}\r\nHost: a.test\r\n\r\n")).response();
        assert_eq!(status(&head), 200);
    }
    insta::assert_snapshot!(proxy.stop_and_read("waf.log"), @r#"[16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "GET / HTTP/1.2" - 7 | A version with value: HTTP/1.2"#);
}

#[test]
fn lines_can_have_the_form_of_modsecurity() {
    let origin = Origin::answering(OK);
    let mut proxy = guarded(&origin, IN_ARGUMENTS, "log_format: modsecurity", "");
    proxy.get("/a?x=attack%22]", "");
    let log =
        proxy.stop_and_read("waf.log").replace(proxy.directory.path().to_str().unwrap(), "DIR");
    let (line, id) = log.split_once("[unique_id ").unwrap();
    assert_eq!(id.trim_end().len(), "\"\"]".len() + 24);
    insta::assert_snapshot!(line);
}

#[test]
fn a_chunked_body_is_seen_whole_and_sent_on_as_it_came() {
    let origin = Origin::scripted(|origin| {
        origin.request();
        let body = origin.conn.exactly("4\r\nx=ab\r\n3\r\ncde\r\n0\r\n\r\n".len());
        assert!(body.contains("x=ab") && body.contains("cde"), "{body}");
        origin.conn.send(OK);
    });
    let proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    let head = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    let mut client = proxy.client();
    let denied = format!("{head}6\r\nx=atta\r\n2\r\nck\r\n0\r\n\r\n");
    assert_eq!(status(&client.send(denied).response().0), 403);
    let (head, _) = client.send(format!("{head}4\r\nx=ab\r\n3\r\ncde\r\n0\r\n\r\n")).response();
    assert_eq!((status(&head), origin.seen().len()), (200, 1));
}

#[test]
fn nothing_reaches_the_origin_before_the_verdict_and_then_the_rest_streams() {
    let (came, has_come) = std::sync::mpsc::channel();
    let origin = Origin::scripted(move |origin| {
        origin.conn.head();
        came.send(origin.conn.exactly(8)).unwrap();
        origin.conn.exactly(4);
        origin.conn.send(OK);
    });
    let rules = "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 8\n\
                 SecRequestBodyNoFilesLimit 1000\nSecRequestBodyLimitAction ProcessPartial\n";
    let proxy = guarded(&origin, rules, "", "");
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 12\r\n\r\n01234567");
    // One byte more than the limit: the rules have seen enough.
    client.send("8");
    assert_eq!(has_come.recv().unwrap(), "01234567");
    assert_eq!(status(&client.send("901").response().0), 200);
}

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let origin = Origin::answering(OK);
    let proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    let mut client = proxy.client();
    let head = post("x=ok").replace("\r\n\r\nx=ok", "\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(status(&client.send(head).head()), 100);
    assert_eq!(status(&client.send("x=ok").response().0), 200);
    assert_eq!(field(&origin.last(), "expect"), None);
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let origin = Origin::answering(OK);
    let rules = "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 8\n";
    let proxy = guarded(&origin, rules, "", "");
    assert_eq!(status(&proxy.exchange(&post("x=1234567"))), 413);
    assert!(origin.seen().is_empty());
}

#[test]
fn rules_only_tell_in_detection_only() {
    let origin = Origin::answering(OK);
    let rules = IN_ARGUMENTS.replace("Engine On", "Engine DetectionOnly");
    let mut proxy = guarded(&origin, &rules, "", "");
    assert_eq!(status(&proxy.get("/?x=attack", "").0), 200);
    assert!(proxy.stop_and_read("waf.log").contains("- 7 | An attack"));
}

#[test]
fn redirects_and_drops_do_what_they_say() {
    let origin = Origin::answering(OK);
    let rules = "SecRuleEngine On\n\
        SecRule ARGS:x \"@streq go\" \"id:1,phase:1,redirect:'https://b.test/%{ARGS.x}',status:302\"\n\
        SecRule ARGS:x \"@streq die\" \"id:2,phase:1,drop\"\n";
    let proxy = guarded(&origin, rules, "", "");
    let (head, _) = proxy.get("/?x=go", "");
    assert_eq!((status(&head), field(&head, "location")), (302, Some("https://b.test/go")));
    assert_eq!(proxy.exchange("GET /?x=die HTTP/1.1\r\nHost: a.test\r\n\r\n"), "");
    assert!(origin.seen().is_empty());
}

#[test]
fn a_request_that_is_refused_is_seen_by_phase_1() {
    let origin = Origin::answering(OK);
    let rules = "SecRuleEngine On\n\
        SecRule REQUEST_LINE \"@rx .\" \"id:1,phase:1,deny,log,msg:'A line'\"\n";
    let mut proxy = guarded(&origin, rules, "audit_log: DIR/audit.json", "");
    let text = proxy.exchange("GET / HTTP/1.1\r\nHost: a.test\r\nBad Name: x\r\n\r\n");
    assert_eq!(status(&text), 400);
    insta::assert_snapshot!(proxy.stop_and_read("waf.log"), @r#"[16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "GET / HTTP/1.1" - 1 | A line with value: GET / HTTP/1.1"#);
}

const IN_ANSWERS: &str = "SecRuleEngine On\nSecResponseBodyAccess On\nSecResponseBodyMimeType text/html\n\
    SecRule RESPONSE_HEADERS:X-Leak \"@streq yes\" \"id:3,phase:3,deny,status:502\"\n\
    SecRule RESPONSE_BODY \"@contains secret\" \"id:4,phase:4,deny,status:403\"\n";

fn html(body: &str, fields: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    )
}

#[test]
fn answers_are_held_back_until_the_rules_agree() {
    let origin = Origin::scripted(|origin| {
        while let Some((head, _)) = origin.request() {
            let answer = match head.split(' ').nth(1) {
                Some("/leak") => html("fine", "X-Leak: yes\r\n"),
                Some("/secret") => html("a secret", ""),
                Some("/chunks") => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\
                    Transfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nret\r\n0\r\n\r\n"
                    .to_owned(),
                Some("/text") => html("a secret", "").replace("text/html", "text/plain"),
                _ => html("fine", ""),
            };
            origin.conn.send(answer);
        }
    });
    let proxy = guarded(&origin, IN_ANSWERS, "", "");
    let mut client = proxy.client();
    let mut ask = |path: &str| {
        let (head, body) =
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n")).response();
        (status(&head), body.contains("fine") || body.contains("secret"))
    };
    assert_eq!(ask("/"), (200, true));
    assert_eq!(ask("/leak"), (502, false));
    assert_eq!(ask("/secret"), (403, false));
    assert_eq!(ask("/chunks"), (403, false));
    assert_eq!(ask("/text"), (200, true));
    assert_eq!(ask("/"), (200, true));
}

#[test]
fn stored_answers_pass_the_same_rules() {
    let origin = Origin::answering(html("a secret", "Cache-Control: max-age=60\r\n"));
    let proxy = guarded(&origin, IN_ANSWERS, "", "    cache: { policy: rfc9111 }");
    for _ in 0..2 {
        let (head, body) = proxy.get("/", "");
        assert_eq!((status(&head), body.contains("secret")), (403, false));
    }
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn what_is_denied_is_kept_whole_in_the_quarantine() {
    let origin = Origin::answering(OK);
    let rules = format!(
        "{IN_ARGUMENTS}SecRule REQUEST_HEADERS:X-Bad \"@streq yes\" \"id:8,phase:1,deny,log,msg:'A header'\"\n"
    );
    let proxy = guarded(&origin, &rules, "mode: quarantine, quarantine: { folder: DIR/held }", "");
    assert_eq!(status(&proxy.client().send(post("x=attack")).response().0), 403);
    let by_header = post("x=fine").replace("Host:", "X-Bad: yes\r\nHost:");
    assert_eq!(status(&proxy.client().send(&by_header).response().0), 403);
    let folder = proxy.file("held");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let quarantine = Quarantine::open(&folder, QuarantineBounds::default()).unwrap();
    let kept = quarantine.list().unwrap();
    let rules: Vec<u64> = kept.iter().map(|held| held.matches[0].rule).collect();
    assert_eq!(rules, [7, 8]);
    assert!(kept.iter().all(|held| !held.is_cut && held.site == "a.test"));
    let texts =
        kept.iter().map(|held| String::from_utf8(quarantine.show(&held.id).unwrap().1).unwrap());
    assert_eq!(texts.collect::<Vec<_>>(), [post("x=attack"), by_header]);
}

#[test]
fn the_logs_share_an_id() {
    let origin = Origin::answering(OK);
    let rules = format!(
        "{IN_ARGUMENTS}SecAuditEngine RelevantOnly\nSecAuditLogParts ABIFHZ\nSecComponentSignature own/1\n"
    );
    let mut proxy = guarded(
        &origin,
        &rules,
        "audit_log: DIR/audit.json",
        "    access_log: { file: DIR/a.log, format: '{unique_id}' }",
    );
    proxy.client().send(post("x=attack")).response();
    proxy.get("/", "");
    let access = proxy.stop_and_read("a.log");
    let id = access.lines().next().unwrap();
    let audit = std::fs::read_to_string(proxy.file("audit.json")).unwrap();
    assert_eq!((audit.lines().count(), access.lines().count()), (1, 2));
    let port = audit.split("\"remote_port\":").nth(1).unwrap().split(',').next().unwrap();
    let local = proxy.address.port().to_string();
    let audit = audit.replace(id, "ID").replace(port, "PORT").replace(&local, "LOCAL");
    let audit = audit.replace(proxy.directory.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(audit.replace(",\"", ",\n\""));
}

#[test]
fn the_audit_log_can_be_shown_on_a_terminal() {
    let origin = Origin::answering(OK);
    let rules = format!("{IN_ARGUMENTS}SecAuditEngine RelevantOnly\nSecAuditLogParts ABCFHZ\n");
    let mut proxy = guarded(&origin, &rules, "audit_log: DIR/audit.json", "");
    let text = "x=attack \u{9b}31m\u{7f}\u{85}\u{202e}\u{1f600}\u{e9}";
    proxy.client().send(post(text)).response();
    let audit = proxy.stop_and_read("audit.json");
    assert!(audit.trim_end().bytes().all(|byte| matches!(byte, b' '..=b'~')), "{audit:?}");
    let read: serde_json::Value = serde_json::from_str(&audit).unwrap();
    assert_eq!(read["request"]["body"][0], text);
}

#[test]
fn a_broken_rule_file_leaves_the_old_rules_in_place() {
    let origin = Origin::answering(OK);
    let mut proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    std::fs::write(
        proxy.directory.path().join("rules.conf"),
        "SecRule ARGS \"@contian x\" \"id:1\"\n",
    )
    .unwrap();
    let error = reload(&mut proxy, &origin).unwrap_err().to_string();
    assert!(
        error.contains("did you mean `@contains`?") && error.contains("rules.conf:1:15"),
        "{error}"
    );
    assert_eq!(status(&proxy.get("/?x=attack", "").0), 403);
    let rules = IN_ARGUMENTS.replace("attack", "other");
    std::fs::write(proxy.directory.path().join("rules.conf"), rules).unwrap();
    reload(&mut proxy, &origin).unwrap();
    assert_eq!(status(&proxy.get("/?x=attack", "").0), 200);
    assert_eq!(status(&proxy.get("/?x=other", "").0), 403);
}

#[test]
fn what_rules_remember_of_a_client_lives_through_a_reload() {
    let origin = Origin::answering(OK);
    let rules = "SecRuleEngine On\n\
        SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}\"\n\
        SecRule IP:COUNT \"@ge 2\" \"id:2,phase:1,deny,status:429\"\n\
        SecAction \"id:3,phase:1,pass,nolog,setvar:ip.count=+1\"\n";
    let mut proxy = guarded(&origin, rules, "", "");
    let ask = |proxy: &Proxy| status(&proxy.get("/", "").0);
    assert_eq!(ask(&proxy), 200);
    reload(&mut proxy, &origin).unwrap();
    assert_eq!((ask(&proxy), ask(&proxy)), (200, 429));
}

#[test]
fn a_connection_is_whole_after_every_kind_of_request() {
    let origin = Origin::answering(OK);
    let proxy = guarded(&origin, IN_ARGUMENTS, "", "");
    let mut client: Conn = proxy.client();
    for (request, expected) in [
        ("TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n", 200),
        ("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", 200),
    ] {
        let head = client.send(request).head();
        assert_eq!(status(&head), expected, "{request}");
        if !request.starts_with("HEAD") {
            client.exactly(field(&head, "content-length").map_or(0, |it| it.parse().unwrap()));
        }
    }
    assert_eq!(status(&client.send(post("x=1")).response().0), 200);
}
