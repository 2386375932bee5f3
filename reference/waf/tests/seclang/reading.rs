//! What is read.

use edgeproof_waf::Transformation;
use edgeproof_waf::Variable;
use edgeproof_waf::seclang::{
    Action, AllowKind, AuditMode, AuditParts, AuditPartsChange, Collection, Ctl, Directive, Mode,
    OperatorName, OperatorText, Phase, Piece, Processor, RuleText, Selector, SetOperation, SetVar,
    Severity, Target, Template,
};

use crate::{directives, read};

fn rule(text: &str) -> RuleText {
    match directives(text).remove(0) {
        Directive::Rule(rule) => rule,
        other => panic!("{other:?}"),
    }
}

fn targets(written: &str) -> Vec<Target> {
    let rule = rule(&format!("SecRule {written} x id:1"));
    rule.targets.into_iter().map(|it| it.value).collect()
}

fn operator(written: &str) -> OperatorText {
    rule(&format!("SecRule ARGS \"{written}\" id:1")).operator.value
}

/// The actions behind an id.
fn actions(written: &str) -> Vec<Action> {
    let rule = rule(&format!("SecRule ARGS x \"id:1,{written}\""));
    rule.actions.into_iter().skip(1).map(|it| it.value).collect()
}

fn action(written: &str) -> Action {
    actions(written).remove(0)
}

fn template(text: &str) -> Template {
    Template::parse(text).expect("a template")
}

fn target(variable: Variable, selector: Selector) -> Target {
    Target { variable, selector, count: false, exclude: false }
}

fn name(name: &str) -> Selector {
    Selector::Name(name.as_bytes().to_vec())
}

fn pattern(pattern: &str) -> Selector {
    Selector::Pattern(pattern.to_owned())
}

#[test]
fn targets_have_signs_selectors_and_separators() {
    let args = |selector| target(Variable::Args, selector);
    assert_eq!(
        targets(r#""args|!ARGS:User,&REQUEST_HEADERS:/^x-/ | ARGS:'a, \'b\' \\\\'|ARGS:""#),
        [
            args(Selector::All),
            Target { exclude: true, ..args(name("User")) },
            Target { count: true, ..target(Variable::RequestHeaders, pattern("^x-")) },
            args(name(r"a, 'b' \")),
            args(Selector::All),
        ]
    );
}

#[test]
fn selectors_are_names_patterns_or_xpath() {
    let tx = |selector| [target(Variable::Tx, selector)];
    assert_eq!(targets("TX:0"), tx(name("0")));
    assert_eq!(targets(r"TX:/a\/b/"), tx(pattern(r"a\/b")));
    assert_eq!(targets(r#""TX:'/^a b,c\\\\d/'""#), tx(pattern(r"^a b,c\d")));
    assert_eq!(targets("TX:/(?<!a)b/"), tx(pattern("(?<!a)b")));
    assert_eq!(targets("TX:/a"), tx(name("/a")));
    assert_eq!(targets("TX://"), tx(name("//")));
    assert_eq!(
        targets("XML:/*|XML://@*|TX:/a/"),
        [
            target(Variable::Xml, Selector::XPath("/*".to_owned())),
            target(Variable::Xml, Selector::XPath("//@*".to_owned())),
            target(Variable::Tx, pattern("a")),
        ]
    );
}

#[test]
fn an_operator_is_rx_unless_it_is_named() {
    let rx = |negated, argument: &str| OperatorText {
        negated,
        name: OperatorName::Rx,
        argument: argument.to_owned(),
    };
    assert_eq!(operator("^a b "), rx(false, "^a b "));
    assert_eq!(operator(" a"), rx(false, " a"));
    assert_eq!(operator("!a"), rx(true, "a"));
    assert_eq!(operator(r#"@rx  a\"\d\\b"#), rx(false, r#"a"\d\b"#));
    assert_eq!(operator("@rx"), rx(false, ""));
    assert_eq!(operator("%{2,}[%{a}]"), rx(false, "%{2,}[%{a}]"));
    let within = |negated| OperatorText {
        negated,
        name: OperatorName::Within,
        argument: "%{tx.a} b".to_owned(),
    };
    assert_eq!(operator("! @WITHIN %{tx.a} b"), within(true));
    assert_eq!(operator(" @within %{tx.a} b"), within(false));
    for (written, name) in [
        ("pmf", OperatorName::PmFromFile),
        ("ipMatchF", OperatorName::IpMatchFromFile),
        ("strMatch", OperatorName::Strmatch),
        ("detectSQLi", OperatorName::DetectSqli),
    ] {
        assert_eq!(operator(&format!("@{written} a")).name, name);
    }
}

/// The actions of the first rule of a chain.
fn of_chain(written: &str) -> Vec<Action> {
    actions(&format!("{written},chain\"\nSecRule ARGS x \"t:none"))
}

#[test]
fn actions_are_read_in_any_case_and_with_or_without_quotes() {
    assert_eq!(
        of_chain("PHASE:'request', capture,multimatch, deny t:none,t:lowercase,t:'normalisePath'"),
        [
            Action::Phase(Phase::RequestBody),
            Action::Capture,
            Action::MultiMatch,
            Action::Deny,
            Action::TransformNone,
            Action::Transform(Transformation::Lowercase),
            Action::Transform(Transformation::NormalizePath),
            Action::Chain,
        ]
    );
    assert_eq!(
        actions(
            "log,nolog,auditlog,noauditlog,pass,block,drop,sanitizeMatched,skip:3,skipAfter:'A B'"
        ),
        [
            Action::Log,
            Action::NoLog,
            Action::AuditLog,
            Action::NoAuditLog,
            Action::Pass,
            Action::Block,
            Action::Drop,
            Action::SanitiseMatched,
            Action::Skip(3),
            Action::SkipAfter("A B".to_owned()),
        ]
    );
}

#[test]
fn texts_have_macros_and_escapes() {
    let text = |text: &str| Piece::Text(text.to_owned());
    let of = |variable, selector: Option<&str>| Piece::Macro {
        variable,
        selector: selector.map(str::to_owned),
    };
    assert_eq!(
        action(r#"msg:'a, \'b\' \"c\" 5% %{tx.0} %{MATCHED_VAR}'"#),
        Action::Msg(Template::new(vec![
            text("a, 'b' \"c\" 5% "),
            of(Variable::Tx, Some("0")),
            text(" "),
            of(Variable::MatchedVar, None),
        ]))
    );
    assert_eq!(action("logdata:%{rule.msg}"), Action::LogData(template("%{RULE.msg}")));
    assert_eq!(action("tag:'a/b'"), Action::Tag(template("a/b")));
    assert_eq!(action("ver:'OWASP_CRS/4.0'"), Action::Ver("OWASP_CRS/4.0".to_owned()));
    assert_eq!(action("rev:2"), Action::Rev("2".to_owned()));
    assert_eq!(action("redirect:'http://%{request_headers.host}/'"), {
        Action::Redirect(template("http://%{REQUEST_HEADERS.host}/"))
    });
}

#[test]
fn phases_and_severities_have_numbers_and_names() {
    for (written, phase) in [
        ("1", Phase::RequestHeaders),
        ("2", Phase::RequestBody),
        ("3", Phase::ResponseHeaders),
        ("4", Phase::ResponseBody),
        ("5", Phase::Logging),
        ("request", Phase::RequestBody),
        ("response", Phase::ResponseBody),
        ("Logging", Phase::Logging),
    ] {
        assert_eq!(action(&format!("phase:{written}")), Action::Phase(phase));
    }
    for severity in Severity::ALL {
        let wanted = Action::Severity(severity);
        assert_eq!(action(&format!("severity:{}", severity.number())), wanted);
        assert_eq!(action(&format!("severity:'{}'", severity.name().to_lowercase())), wanted);
    }
}

#[test]
fn setvar_sets_adds_subtracts_and_deletes() {
    let change = |collection, name: &str, operation| {
        Action::SetVar(SetVar { collection, name: template(name), operation })
    };
    for (written, wanted) in [
        ("setvar:tx.a=b", change(Collection::Tx, "a", SetOperation::Set(template("b")))),
        ("setvar:TX.a", change(Collection::Tx, "a", SetOperation::Set(template("1")))),
        ("setvar:tx.a=", change(Collection::Tx, "a", SetOperation::Set(template("")))),
        ("setvar:!ip.a", change(Collection::Ip, "a", SetOperation::Delete)),
        (
            "setvar:'tx.a=+%{tx.critical}'",
            change(Collection::Tx, "a", SetOperation::Add(template("%{tx.critical}"))),
        ),
        ("setvar:tx.a=-2", change(Collection::Tx, "a", SetOperation::Subtract(template("2")))),
        (
            "setvar:'global.a_%{MATCHED_VAR_NAME}=b=.%{tx.1}/'",
            change(
                Collection::Global,
                "a_%{matched_var_name}",
                SetOperation::Set(template("b=.%{tx.1}/")),
            ),
        ),
    ] {
        assert_eq!(action(written), wanted, "{written}");
    }
}

#[test]
fn persistent_collections_and_other_actions_with_values() {
    for (written, wanted) in [
        ("allow", Action::Allow(AllowKind::All)),
        ("allow:phase", Action::Allow(AllowKind::Phase)),
        ("allow:REQUEST", Action::Allow(AllowKind::Request)),
        ("status:403", Action::Status(403)),
        ("maturity:'9'", Action::Maturity(9)),
        ("accuracy:0", Action::Accuracy(0)),
        (
            "initcol:ip=%{REMOTE_ADDR}_%{tx.ua_hash}",
            Action::InitCol {
                collection: Collection::Ip,
                key: template("%{remote_addr}_%{tx.ua_hash}"),
            },
        ),
        (
            "expirevar:'ip.a=%{tx.time}'",
            Action::ExpireVar {
                collection: Collection::Ip,
                name: template("a"),
                seconds: template("%{tx.time}"),
            },
        ),
        (
            "deprecatevar:session.score=60/300",
            Action::DeprecateVar {
                collection: Collection::Session,
                name: template("score"),
                amount: 60,
                seconds: 300,
            },
        ),
        ("setsid:%{request_cookies.id}", Action::SetSid(template("%{request_cookies.id}"))),
        ("setuid:a", Action::SetUid(template("a"))),
        ("setrsc:a", Action::SetRsc(template("a"))),
        ("setenv:A=b", Action::SetEnv { name: template("A"), value: Some(template("b")) }),
        ("setenv:A", Action::SetEnv { name: template("A"), value: Some(template("1")) }),
        ("setenv:!A", Action::SetEnv { name: template("A"), value: None }),
        ("sanitiseArg:password", Action::SanitiseArg("password".to_owned())),
        ("sanitizeRequestHeader:a", Action::SanitiseRequestHeader("a".to_owned())),
        ("sanitiseResponseHeader:a", Action::SanitiseResponseHeader("a".to_owned())),
        ("sanitiseMatchedBytes", Action::SanitiseMatchedBytes { first: 0, last: 0 }),
        ("sanitiseMatchedBytes:1/4", Action::SanitiseMatchedBytes { first: 1, last: 4 }),
        ("pause:500", Action::Pause(template("500"))),
        ("xmlns:a=urn:b", Action::Xmlns { prefix: "a".to_owned(), uri: "urn:b".to_owned() }),
    ] {
        assert_eq!(action(written), wanted, "{written}");
    }
}

#[test]
fn ctl_changes_every_setting() {
    let parts = |letters| AuditParts::of(letters).expect("letters");
    let password = vec![target(Variable::Args, name("password"))];
    for (written, wanted) in [
        ("ruleEngine=off", Ctl::RuleEngine(Mode::Off)),
        ("ruleEngine=DetectionOnly", Ctl::RuleEngine(Mode::DetectionOnly)),
        ("ruleRemoveById=5", Ctl::RuleRemoveById(vec![5..=5])),
        ("'ruleRemoveById=5-9,12'", Ctl::RuleRemoveById(vec![5..=9, 12..=12])),
        ("ruleRemoveByTag=attack-.*", Ctl::RuleRemoveByTag("attack-.*".to_owned())),
        ("'ruleRemoveByMsg=a b'", Ctl::RuleRemoveByMsg("a b".to_owned())),
        (
            "ruleRemoveTargetById=1-2;ARGS:password",
            Ctl::RuleRemoveTargetById { ids: vec![1..=2], targets: password.clone() },
        ),
        (
            "'ruleRemoveTargetByTag=t;ARGS:/^a/,TX'",
            Ctl::RuleRemoveTargetByTag {
                tag: "t".to_owned(),
                targets: vec![
                    target(Variable::Args, pattern("^a")),
                    target(Variable::Tx, Selector::All),
                ],
            },
        ),
        (
            "'ruleRemoveTargetByMsg=a b;ARGS:password'",
            Ctl::RuleRemoveTargetByMsg { msg: "a b".to_owned(), targets: password.clone() },
        ),
        ("requestBodyAccess=On", Ctl::RequestBodyAccess(true)),
        ("requestBodyLimit=10", Ctl::RequestBodyLimit(10)),
        ("responseBodyAccess=Off", Ctl::ResponseBodyAccess(false)),
        ("responseBodyLimit=10", Ctl::ResponseBodyLimit(10)),
        ("requestBodyProcessor=json", Ctl::RequestBodyProcessor(Processor::Json)),
        ("forceRequestBodyVariable=On", Ctl::ForceRequestBodyVariable(true)),
        ("auditEngine=RelevantOnly", Ctl::AuditEngine(AuditMode::RelevantOnly)),
        ("auditLogParts=+E", Ctl::AuditLogParts(AuditPartsChange::Add(parts("E")))),
        ("auditLogParts=-EF", Ctl::AuditLogParts(AuditPartsChange::Remove(parts("FE")))),
        ("auditLogParts=ABZ", Ctl::AuditLogParts(AuditPartsChange::Set(parts("ABZ")))),
        ("debugLogLevel=3", Ctl::DebugLogLevel(3)),
    ] {
        assert_eq!(action(&format!("ctl:{written}")), Action::Ctl(wanted), "{written}");
    }
}

#[test]
fn directives_without_rules() {
    use Directive::{ArgumentSeparator, Kept, Marker, RemoveById, RemoveByTag, UnicodeMap};
    let text = "SecMarker \"END OF A\"\n\
        secruleremovebyid 1 5-9 \"12,13\"\n\
        SecRuleRemoveByTag a \"b c\"\n\
        SecArgumentSeparator &\n\
        SecUnicodeMapFile unicode.mapping 20127\n\
        SecXmlExternalEntity Off\n\
        SecResponseBodyMimeType text/plain text/html\n\
        SecRuleUpdateActionById 5:1 \"deny,status:404\"\n";
    assert_eq!(
        directives(text),
        [
            Marker("END OF A".to_owned()),
            RemoveById(vec![1..=1, 5..=9, 12..=12, 13..=13]),
            RemoveByTag("a".to_owned()),
            RemoveByTag("b c".to_owned()),
            ArgumentSeparator(b'&'),
            UnicodeMap { file: "unicode.mapping".to_owned(), codepage: Some(20127) },
            Kept { name: "SecXmlExternalEntity", arguments: vec!["Off".to_owned()] },
            Directive::ResponseBodyMimeType(vec!["text/plain".to_owned(), "text/html".to_owned()]),
            Directive::UpdateActionById {
                id: 5,
                chain_offset: 1,
                actions: vec![crate::here(Action::Deny), crate::here(Action::Status(404))],
            },
        ]
    );
}

#[test]
fn updates_of_targets() {
    let user = Target { exclude: true, ..target(Variable::Args, name("user")) };
    let uri = target(Variable::RequestUri, Selector::All);
    assert_eq!(
        directives("SecRuleUpdateTargetById 1-5 \"!ARGS:user,REQUEST_URI\" \"REQUEST_URI\""),
        [Directive::UpdateTargetById {
            ids: vec![1..=5],
            targets: vec![crate::here(user.clone()), crate::here(uri.clone())],
            replaced: Some(crate::here(uri)),
        }]
    );
    assert_eq!(
        directives("SecRuleUpdateTargetByTag a.* !ARGS:user"),
        [Directive::UpdateTargetByTag {
            tag: "a.*".to_owned(),
            targets: vec![crate::here(user)],
            replaced: None,
        }]
    );
}

#[test]
fn places_are_those_of_the_file_also_behind_continuations_and_escapes() {
    let text = "\u{feff}# é\r\nSecRule \"ARGS|\\\r\n  TX:a\" \"@rx \\\"é\" \\\r\n  \"id:1,\\\r\n  msg:'\\\\'é',\\\r\n  deny\"\r\n";
    let program = read(text).expect("clean");
    let place = &program.directives[0].span;
    assert!(place.text().starts_with("SecRule \"ARGS|") && place.text().ends_with("deny\""));
    let Directive::Rule(rule) = &program.directives[0].value else { panic!("a rule") };
    let written = |span: &edgeproof_diagnostics::Span| span.text().to_owned();
    let targets: Vec<_> = rule.targets.iter().map(|it| written(&it.span)).collect();
    assert_eq!(targets, ["ARGS", "TX:a"]);
    assert_eq!(written(&rule.operator.span), "@rx \\\"é");
    let actions: Vec<_> = rule.actions.iter().map(|it| written(&it.span)).collect();
    assert_eq!(actions, ["id:1", "msg:'\\\\'é'", "deny"]);
}
