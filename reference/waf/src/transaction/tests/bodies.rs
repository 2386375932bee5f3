//! Bodies of requests and answers.

use std::sync::Arc;

use super::{Request, Verdict, fired, play, play_on, rules};
use crate::transaction::{BodyVerdict, Collections, Connection, Moment, RequestLine, Transaction};

const FORM: &str = "application/x-www-form-urlencoded";

/// Rules that show what a body gave.
const SHOW: &str = r#"
    SecRule REQUEST_HEADERS:Content-Type "@contains xml" "id:100,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
    SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:101,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
    SecRule ARGS_POST|FILES|FILES_SIZES|XML:/*|XML://@*|MULTIPART_PART_HEADERS "@unconditionalMatch" \
        "id:102,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
    SecRule REQBODY_ERROR "!@eq 0" "id:103,phase:2,pass,msg:'%{REQBODY_PROCESSOR}: %{REQBODY_ERROR_MSG}'"
"#;

fn shown(request: &Request) -> Vec<String> {
    let matches = play(SHOW, request).outcome.matches;
    matches.iter().map(|one| one.message.escape_ascii().to_string()).collect()
}

#[test]
fn forms_are_arguments() {
    let shown = shown(&Request::post(FORM, "a=1&b=%20x"));
    assert_eq!(shown, ["ARGS_POST:a=1", "ARGS_POST:b= x"]);
}

#[test]
fn json_is_arguments_or_an_error() {
    let json = "application/json";
    assert_eq!(
        shown(&Request::post(json, r#"{"a":[1,{"b":"x"}]}"#)),
        ["ARGS_POST:json.a.array_0=1", "ARGS_POST:json.a.array_1.b=x", "ARGS_POST:json.a="]
    );
    assert_eq!(
        shown(&Request::post(json, r#"{"a":1"#)),
        ["ARGS_POST:json.a=1", "JSON: JSON parsing error: the text ends too early (byte 6)"]
    );
    assert!(shown(&Request::post(json, "")).is_empty());
}

#[test]
fn xml_has_paths() {
    assert_eq!(
        shown(&Request::post("text/xml", "<a x='1'>t<b y='2'>u</b></a>")),
        ["XML=tu", "XML=1", "XML=2"]
    );
    let broken = shown(&Request::post("text/xml", "<a>t</a><b>"));
    assert!(broken.contains(&"XML=t".to_owned()), "{broken:?}");
    assert!(broken.last().unwrap().starts_with("XML: XML parser error"), "{broken:?}");
}

#[test]
fn parts_are_arguments_and_files() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.php\"\r\n\
                Content-Type: text/plain\r\n\r\nabc\r\n--b--\r\n";
    let shown = shown(&Request::post("multipart/form-data; boundary=b", body));
    assert_eq!(
        shown,
        [
            "ARGS_POST:a=1",
            "FILES:f=x.php",
            "FILES_SIZES:f=3",
            "MULTIPART_PART_HEADERS:a=Content-Disposition: form-data; name=\\\"a\\\"",
            "MULTIPART_PART_HEADERS:f=Content-Disposition: form-data; name=\\\"f\\\"; filename=\\\"x.php\\\"",
            "MULTIPART_PART_HEADERS:f=Content-Type: text/plain",
        ]
    );
    let text = r#"
        SecRule FILES_TMP_CONTENT "@streq abc" "id:1,phase:2,pass"
        SecRule FILES_COMBINED_SIZE "@eq 3" "id:2,phase:2,pass"
        SecRule FILES_NAMES "@streq f" "id:3,phase:2,pass"
        SecRule MULTIPART_NAME|MULTIPART_FILENAME "@rx ^(?:f|x.php)$" "id:4,phase:2,pass"
        SecRule MULTIPART_STRICT_ERROR "@eq 1" "id:5,phase:2,pass"
    "#;
    let request = Request::post("multipart/form-data; boundary=b", body);
    assert_eq!(fired(text, &request), [1, 2, 3, 4, 4]);
    let loose = body.replace("\r\n", "\n");
    assert_eq!(
        *fired(text, &Request::post("multipart/form-data; boundary=b", loose)).last().unwrap(),
        5
    );
}

#[test]
fn a_body_that_cannot_be_read_is_an_error() {
    let shown = shown(&Request::post("multipart/form-data; boundary=b", "nothing"));
    assert_eq!(
        shown,
        ["MULTIPART: Multipart parsing error: Multipart: No boundaries found in payload."]
    );
}

#[test]
fn more_arguments_than_the_limit_are_an_error() {
    let text = r#"
        SecArgumentsLimit 3
        SecRule &ARGS "@eq 3" "id:1,phase:2,pass"
        SecRule REQBODY_ERROR "@eq 1" "id:2,phase:2,pass"
    "#;
    let request = |target: &str, body: &str| Request {
        target: target.to_owned(),
        ..Request::post(FORM, body)
    };
    assert_eq!(fired(text, &request("/?a&b", "c")), [1]);
    assert_eq!(fired(text, &request("/?a&b", "c&d")), [1, 2]);
    assert_eq!(fired(text, &request("/?a&b&c&d", "")), [1, 2]);
}

fn begin(text: &str) -> Transaction {
    let ends =
        Connection { client: ([192, 0, 2, 7], 1).into(), server: ([192, 0, 2, 8], 80).into() };
    let store = Arc::new(Collections::default());
    let mut transaction = Transaction::new(&rules(text), &store, ends, "id", Moment::utc(0));
    let line = RequestLine {
        line: b"POST / HTTP/1.1",
        method: Some(b"POST"),
        target: Some(b"/"),
        version: Some(b"HTTP/1.1"),
    };
    let headers = [(&b"Content-Type"[..], FORM.as_bytes()), (b"Transfer-Encoding", b"chunked")];
    assert_eq!(transaction.request(line, headers), Verdict::Pass);
    transaction
}

#[test]
fn a_body_over_its_limit_is_refused_or_looked_at_in_part() {
    let rule = r#"
        SecRequestBodyLimit 10
        SecRule ARGS:a "@streq 1234567" "id:1,phase:2,pass"
        SecRule INBOUND_DATA_ERROR "@eq 1" "id:2,phase:2,pass""#;
    let reject = BodyVerdict::Reject { status: 413 };
    let mut refused = begin(rule);
    assert!(refused.wants_request_body());
    assert_eq!(refused.announce_body(10), BodyVerdict::Continue);
    assert_eq!(refused.request_body(b"a=1234567"), BodyVerdict::Continue);
    assert_eq!(refused.request_body(b"&b"), reject);
    assert_eq!(refused.request_end(), Verdict::TooLong);
    assert!(refused.finish().fired.is_empty());
    assert_eq!(begin(rule).announce_body(11), reject);
    let settings = "SecRequestBodyLimitAction ProcessPartial\n";
    for settings in [settings, "SecRuleEngine DetectionOnly\n"] {
        let mut partial = begin(&format!("{settings}{rule}"));
        assert_eq!(partial.announce_body(11), BodyVerdict::Continue);
        assert_eq!(partial.request_body(b"a=1234567"), BodyVerdict::Continue);
        assert_eq!(partial.request_body(b"&b=1"), BodyVerdict::Enough);
        assert!(!partial.wants_request_body());
        assert_eq!(partial.request_body(b"x"), BodyVerdict::Enough);
        assert_eq!(partial.request_end(), Verdict::Pass);
        assert_eq!(partial.finish().fired, [1, 2]);
    }
}

#[test]
fn what_is_no_file_has_a_limit_of_its_own() {
    let text = "SecRequestBodyNoFilesLimit 100";
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{content}\r\n--b--\r\n")
    };
    let of = |name: &str| {
        let body = part(name, &"x".repeat(200));
        play(text, &Request::post("multipart/form-data; boundary=b", body)).outcome.verdict
    };
    assert_eq!(of("name=\"a\""), Verdict::TooLong);
    assert_eq!(of("name=\"a\"; filename=\"b\""), Verdict::Pass);
    assert_eq!(play(text, &Request::post(FORM, "a".repeat(100))).outcome.verdict, Verdict::TooLong);
    assert_eq!(play(text, &Request::post(FORM, "a".repeat(99))).outcome.verdict, Verdict::Pass);
}

#[test]
fn answers_are_looked_at_by_their_media_type() {
    let text = r#"
        SecResponseBodyMimeType text/html text/plain
        SecRule RESPONSE_STATUS "@streq 500" "id:1,phase:3,pass"
        SecRule RESPONSE_HEADERS:Content-Type "@contains html" "id:2,phase:3,pass"
        SecRule RESPONSE_BODY "@contains error" "id:3,phase:4,pass"
        SecRule RESPONSE_CONTENT_TYPE|RESPONSE_PROTOCOL|STATUS_LINE "@rx ^(?:TEXT|HTTP/1.1|500 OK)" "id:4,phase:3,pass"
    "#;
    let request = Request::get("/");
    let of = |media_type: &str| fired(text, &request.clone().answered(500, media_type, "an error"));
    assert_eq!(of("TEXT/HTML ; charset=x"), [1, 4, 4, 4, 3]);
    assert_eq!(of("text/plain"), [1, 4, 4, 3]);
    assert_eq!(of("application/json"), [1, 4, 4]);
    assert_eq!(fired(text, &Request { status: 500, ..request.clone() }), [1, 4, 4]);
}

#[test]
fn an_answer_over_its_limit_is_refused_or_looked_at_in_part() {
    let rule = r#"
        SecResponseBodyLimit 4
        SecRule RESPONSE_BODY "@streq abcd" "id:1,phase:4,pass"
        SecRule OUTBOUND_DATA_ERROR "@eq 1" "id:2,phase:4,pass""#;
    let answer = |text: &str| {
        let mut transaction = begin(text);
        transaction.request_end();
        transaction.response(b"HTTP/1.1", 200, b"OK", [(&b"Content-Type"[..], &b"text/plain"[..])]);
        let verdicts = [transaction.response_body(b"abc"), transaction.response_body(b"def")];
        transaction.response_end();
        (verdicts, transaction.finish().fired)
    };
    let refused = [BodyVerdict::Continue, BodyVerdict::Reject { status: 500 }];
    assert_eq!(answer(rule).0, refused);
    let partial = [BodyVerdict::Continue, BodyVerdict::Enough];
    let text = format!("SecResponseBodyLimitAction ProcessPartial\n{rule}");
    assert_eq!(answer(&text), (partial, vec![1, 2]));
}

#[test]
fn each_part_of_a_body_is_seen_however_it_is_cut() {
    let text = r#"SecRule ARGS:a "@streq 123456789012345" "id:1,phase:2,pass""#;
    let rules = rules(text);
    let store = Arc::new(Collections::default());
    let request = Request::post(FORM, "a=123456789012345");
    assert_eq!(play_on(&rules, &store, &request, &[]).outcome.fired, [1]);
}
