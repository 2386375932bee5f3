//! What variables hold.

use super::{NONE, Request, fired, play, rules, tx};
use crate::transaction::Moment;
use crate::variable::Variable;

/// The value of a macro in a phase.
fn value(phase: u8, name: &str, request: &Request) -> String {
    let text =
        format!(r#"SecAction "id:1,phase:{phase},pass,nolog,setvar:'tx.value=%{{{name}}}'""#);
    tx(&text, request, "value").unwrap()
}

#[test]
fn the_request_line_and_its_parts() {
    let request = Request::get("http://shop.example/a%20b/c.php/x?q=1&r=%32");
    let cases = [
        ("REQUEST_LINE", "GET http://shop.example/a%20b/c.php/x?q=1&r=%32 HTTP/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_URI_RAW", "http://shop.example/a%20b/c.php/x?q=1&r=%32"),
        ("REQUEST_URI", "/a%20b/c.php/x?q=1&r=%32"),
        ("REQUEST_FILENAME", "/a%20b/c.php/x"),
        ("REQUEST_BASENAME", "x"),
        ("QUERY_STRING", "q=1&r=%32"),
        ("ARGS.r", "2"),
        ("ARGS_NAMES", "q"),
        ("ARGS_GET.q", "1"),
        ("ARGS_COMBINED_SIZE", "4"),
        ("REQUEST_HEADERS.host", "shop.example"),
        ("SERVER_NAME", "shop.example"),
        ("SERVER_ADDR", "198.51.100.1"),
        ("SERVER_PORT", "443"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_HOST", "192.0.2.7"),
        ("REMOTE_PORT", "40000"),
        ("UNIQUE_ID", "an-id"),
        ("WEBAPPID", "default"),
        ("REMOTE_USER", ""),
        ("FULL_REQUEST_LENGTH", "78"),
    ];
    for (name, wanted) in cases {
        assert_eq!(value(1, name, &request), wanted, "{name}");
    }
    assert_eq!(value(2, "REQUEST_FILENAME", &request), "/a b/c.php/x");
    assert_eq!(value(2, "REQUEST_URI", &request), "/a b/c.php/x?q=1&r=%32");
    assert_eq!(value(2, "PATH_INFO", &request), "/x");
}

#[test]
fn the_server_has_one_name_however_it_is_written() {
    for host in ["Shop.Example", "SHOP.example.", "shop.example:8080", "shop.example.:80"] {
        let headers = vec![("Host".to_owned(), host.to_owned())];
        let request = Request { headers, ..Request::get("/") };
        assert_eq!(value(1, "SERVER_NAME", &request), "shop.example", "{host}");
        assert_eq!(value(1, "REQUEST_HEADERS.Host", &request), host);
    }
}

#[test]
fn header_fields_of_one_name_are_one_value_but_cookies_are_read_line_by_line() {
    let request = Request::get("/")
        .with("X-A", "1")
        .with("Cookie", "a=1; b=2")
        .with("x-a", "2")
        .with("Cookie", "c=3");
    assert_eq!(value(1, "REQUEST_HEADERS.X-A", &request), "1, 2");
    assert_eq!(value(1, "REQUEST_COOKIES.c", &request), "3");
    assert_eq!(value(1, "REQUEST_COOKIES.b", &request), "2");
    let text = r#"
        SecRule &REQUEST_HEADERS "@eq 3" "id:1,phase:1,pass"
        SecRule REQUEST_COOKIES_NAMES "@unconditionalMatch" "id:2,phase:1,pass"
        SecRule REQUEST_HEADERS_NAMES "@streq X-A" "id:3,phase:1,pass"
    "#;
    assert_eq!(fired(text, &request), [1, 2, 2, 2, 3]);
}

#[test]
fn time_is_told_from_outside() {
    let now = Moment { utc_offset: 7200, ..Moment::utc(1_531_555_461) };
    let request = Request { now, ..Request::get("/") };
    let cases = [
        ("TIME", "20180714100421"),
        ("TIME_DAY", "14"),
        ("TIME_EPOCH", "1531555461"),
        ("TIME_HOUR", "10"),
        ("TIME_MIN", "04"),
        ("TIME_MON", "07"),
        ("TIME_SEC", "21"),
        ("TIME_WDAY", "6"),
        ("TIME_YEAR", "2018"),
        ("DURATION", "0"),
    ];
    for (name, wanted) in cases {
        assert_eq!(value(3, name, &request), wanted, "{name}");
    }
}

#[test]
fn a_rule_knows_itself() {
    let text = r#"SecRule ARGS "@rx x" "id:7,phase:1,pass,rev:2,severity:ERROR,msg:'m %{tx.a}',chain"
        SecRule RULE:id "@eq 7" "setvar:'tx.all=%{RULE.id} %{RULE.rev} %{RULE.severity} %{RULE.msg}'""#;
    assert_eq!(tx(text, &Request::get("/?a=x"), "all").as_deref(), Some("7 2 3 m %{TX.a}"));
}

#[test]
fn invalid_encodings_are_flagged() {
    let text = r#"SecRule URLENCODED_ERROR "@eq 1" "id:1,phase:2,pass""#;
    assert_eq!(fired(text, &Request::get("/?a=%4")), [1]);
    assert_eq!(fired(text, &Request::get("/?a=%41")), NONE);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(fired(text, &Request::post(form, "a=%zz")), [1]);
}

#[test]
fn a_pattern_that_gives_up_is_flagged() {
    let text = r#"
        SecRule ARGS "@rx ^(?:(a+)+\1)+$" "id:1,phase:1,pass"
        SecRule MSC_PCRE_LIMITS_EXCEEDED "@eq 1" "id:2,phase:1,pass"
        SecRule TX:/^MSC_/ "@streq 1" "id:3,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get(&format!("/?a={}", "a".repeat(60) + "b"))), [2, 3]);
    assert_eq!(fired(text, &Request::get("/?a=ab")), NONE);
}

#[test]
fn every_variable_can_be_looked_at_and_written_in_every_phase() {
    let mut text = String::new();
    let mut id = 0;
    for &variable in Variable::ALL {
        for phase in 1..=5 {
            id += 1;
            let selector = match variable {
                Variable::Env | Variable::Rule => ":id",
                Variable::Xml => ":/*",
                _ => "",
            };
            text.push_str(&format!(
                "SecRule {0}{selector} \"@rx ^\" \"id:{id},phase:{phase},pass,msg:'%{{{0}}}'\"\n",
                variable.name()
            ));
        }
    }
    let body =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nabc\r\n--b--\r\n";
    let request = Request::post("multipart/form-data; boundary=b", body)
        .with("Cookie", "a=1")
        .answered(200, "text/plain", "text");
    let rules = rules(&text);
    let played = play(&text, &Request { target: "/a.php/b?x=1".to_owned(), ..request });
    let never: Vec<_> = Variable::ALL
        .iter()
        .enumerate()
        .filter(|(at, _)| {
            !(1..=5).any(|phase| played.outcome.fired.contains(&(*at as u64 * 5 + phase)))
        })
        .map(|(_, variable)| variable.name())
        .collect();
    assert_eq!(rules.rules().count(), Variable::ALL.len() * 5);
    insta::assert_compact_debug_snapshot!(never, @r#"["ARGS_POST", "ARGS_POST_NAMES", "AUTH_TYPE", "ENV", "FILES_TMPNAMES", "GEO", "GLOBAL", "IP", "MATCHED_VARS", "MATCHED_VARS_NAMES", "REMOTE_USER", "REQUEST_BODY", "RESOURCE", "SESSION", "SESSIONID", "TX", "USER", "USERID", "WEBSERVER_ERROR_LOG", "XML"]"#);
}
