//! No text brings the reader down, and whatever a rule holds, it reads back from print.

use edgeproof_waf::Transformation;
use edgeproof_waf::Variable;
use edgeproof_waf::seclang::{
    Action, AllowKind, AuditParts, AuditPartsChange, Collection, Ctl, Directive, Mode,
    OperatorName, OperatorText, Phase, Piece, RuleText, Selector, SetOperation, SetVar, Severity,
    Target, Template,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{bare, here, read};

/// Texts near enough to SecLang to get past the first word.
fn near_seclang() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => select(vec![
            "SecRule ", "SecAction ", "SecMarker ", "SecRuleUpdateTargetById ", "Include ",
            "SecRuleUpdateActionById ", "SecDefaultAction ", "SecRuleRemoveById ",
            "ARGS", "TX:a", "XML:/*", "&", "!", "|", ",", ":", "'", "\"", "\\", "\\\n", "\\\r\n",
            "\n", " ", "\t", "#", "@rx ", "@eq ", "%{", "}", "tx.a", "/", "(", "[", "id:1",
            "phase:2", "chain", "deny", "setvar:", "ctl:", "ruleRemoveTargetById=1;", "msg:'",
            "t:lowercase", "t:", "skipAfter:", "=", "-", "\u{feff}", "é", "\r", "\0", "\u{b}",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Any text that a file's line can hold.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[a-z'\"\\\\ ,|:/%{}=!&;.é-]{0,12}",
        "[\\x00-\\x09\\x0b\\x0c\\x0e-\\u{2ff}]{0,8}",
    ]
}

fn template() -> impl Strategy<Value = Template> {
    let names = vec![Variable::Tx, Variable::RequestHeaders, Variable::MatchedVar, Variable::Rule];
    let expression =
        (select(names), option::of("[a-z0-9_.'\" \\\\-]{0,6}")).prop_map(|(it, name)| {
            let selector = name.filter(|_| it.is_collection());
            Piece::Macro { variable: it, selector }
        });
    // No brace but between blanks: nothing may look like a macro, whatever is put before it.
    let plain = any_text().prop_map(|text| text.replace('{', ""));
    let text = prop_oneof![4 => plain, 1 => Just("a { %} % b".to_owned())];
    vec((text, option::of(expression)), 0..3).prop_map(|pairs| {
        let mut joined: Vec<Piece> = Vec::new();
        for (text, expression) in pairs {
            match joined.last_mut() {
                _ if text.is_empty() => (),
                Some(Piece::Text(before)) => before.push_str(&text),
                _ => joined.push(Piece::Text(text)),
            }
            joined.extend(expression);
        }
        Template::new(joined)
    })
}

/// A template that begins with a letter: no sign, no white space, not empty.
fn named_template() -> impl Strategy<Value = Template> {
    template()
        .prop_map(|template| {
            let begin = Piece::Text("n".to_owned());
            match template.pieces() {
                [Piece::Text(text), rest @ ..] => {
                    let text = Piece::Text(format!("n{}", text.replace(['=', '.'], "")));
                    Template::new([&[text], rest].concat())
                }
                rest => Template::new([&[begin], rest].concat()),
            }
        })
        // A name ends at the first equals sign, wherever it stands.
        .prop_filter("no equals sign", |template| !template.to_string().contains('='))
}

fn selector(variable: Variable) -> BoxedStrategy<Selector> {
    if variable == Variable::Xml {
        let path = prop_oneof![Just("/*".to_owned()), Just("//@*".to_owned()), "//[a-z' |,]{1,9}"];
        return path.prop_map(Selector::XPath).boxed();
    }
    if !variable.is_collection() {
        return Just(Selector::All).boxed();
    }
    let name = any_text().prop_filter("a name", |text| {
        let pattern = text.len() > 2 && text.starts_with('/') && text.ends_with('/');
        !text.is_empty() && !pattern && !text.contains("%{")
    });
    let pattern = prop_oneof![
        "\\^?[a-z '|,/\"-]{1,9}\\$?",
        Just(r"a\/b\d\\|'\.".to_owned()),
        Just("(?<!a)b".to_owned()),
    ];
    prop_oneof![
        Just(Selector::All),
        name.prop_map(|text| Selector::Name(text.into_bytes())),
        pattern.prop_map(Selector::Pattern),
    ]
    .boxed()
}

fn target() -> impl Strategy<Value = Target> {
    let variable = select(Variable::ALL);
    let parts = variable.prop_flat_map(|it| (Just(it), selector(it), 0..3));
    parts.prop_map(|(variable, selector, sign)| Target {
        variable,
        selector,
        count: sign == 1,
        exclude: sign == 2,
    })
}

fn operator() -> impl Strategy<Value = OperatorText> {
    let argument = any_text().prop_map(|text| {
        text.replace("%{", "%")
            .trim_start_matches(|it: char| matches!(it, ' ' | '\t'..='\r'))
            .to_owned()
    });
    let named = (any::<bool>(), select(OperatorName::ALL), argument);
    let named =
        named.prop_map(|(negated, name, argument)| OperatorText { negated, name, argument });
    let blank = "[ \t]{1,2}[a-z\\\\\"]{0,5}".prop_map(|argument| OperatorText {
        negated: false,
        name: OperatorName::Rx,
        argument,
    });
    prop_oneof![9 => named, 1 => blank]
}

fn ctl() -> impl Strategy<Value = Ctl> {
    let plain = || target().prop_map(|it| Target { count: false, exclude: false, ..it });
    let ids = || {
        vec((1..1000u64, 0..5u64), 1..3)
            .prop_map(|all| all.into_iter().map(|(first, more)| first..=first + more).collect())
    };
    let parts = "[A-KZ]{1,4}".prop_map(|it| AuditParts::of(&it).expect("letters"));
    prop_oneof![
        select(vec![Mode::On, Mode::Off, Mode::DetectionOnly]).prop_map(Ctl::RuleEngine),
        ids().prop_map(Ctl::RuleRemoveById),
        "[a-z'/,|\"-]{1,9}".prop_map(Ctl::RuleRemoveByTag),
        (ids(), vec(plain(), 1..3))
            .prop_map(|(ids, targets)| Ctl::RuleRemoveTargetById { ids, targets }),
        ("[a-z' ]{0,5}[a-z]", vec(plain(), 1..3)).prop_map(|(msg, targets)| {
            Ctl::RuleRemoveTargetByMsg { msg: msg.trim().to_owned(), targets }
        }),
        (0..u64::from(u32::MAX)).prop_map(Ctl::RequestBodyLimit),
        parts.clone().prop_map(|it| Ctl::AuditLogParts(AuditPartsChange::Add(it))),
        parts.prop_map(|it| Ctl::AuditLogParts(AuditPartsChange::Set(it))),
        any::<bool>().prop_map(Ctl::ForceRequestBodyVariable),
    ]
}

fn set_var() -> impl Strategy<Value = SetVar> {
    let operation = prop_oneof![
        template()
            .prop_filter("no sign", |it| !it.to_string().starts_with(['+', '-']))
            .prop_map(SetOperation::Set),
        template().prop_map(SetOperation::Add),
        template().prop_map(SetOperation::Subtract),
        Just(SetOperation::Delete),
    ];
    (select(Collection::ALL.to_vec()), named_template(), operation)
        .prop_map(|(collection, name, operation)| SetVar { collection, name, operation })
}

/// Actions that any first rule can have, but for its id and phase.
fn action() -> impl Strategy<Value = Action> {
    let transformations: Vec<_> =
        Transformation::names().filter_map(Transformation::named).collect();
    prop_oneof![
        select(vec![
            Action::Capture,
            Action::MultiMatch,
            Action::Log,
            Action::NoLog,
            Action::Pass,
            Action::Deny,
            Action::Allow(AllowKind::Request),
            Action::TransformNone,
            Action::SanitiseMatchedBytes { first: 1, last: 0 },
        ]),
        template().prop_map(Action::Msg),
        template().prop_map(Action::Tag),
        template().prop_map(Action::Pause),
        any_text().prop_map(Action::Ver),
        any_text().prop_map(Action::SkipAfter),
        any_text().prop_map(Action::SanitiseArg),
        select(Severity::ALL.to_vec()).prop_map(Action::Severity),
        select(transformations).prop_map(Action::Transform),
        (200..600u16).prop_map(Action::Status),
        set_var().prop_map(Action::SetVar),
        ctl().prop_map(Action::Ctl),
        (named_template(), option::of(template()))
            .prop_map(|(name, value)| Action::SetEnv { name, value }),
        named_template().prop_map(|key| Action::InitCol { collection: Collection::Ip, key }),
    ]
}

fn rule() -> impl Strategy<Value = Directive> {
    let actions = (1..u64::MAX / 2, select(Phase::ALL.to_vec()), vec(action(), 0..6));
    let actions = actions.prop_map(|(id, phase, more)| {
        let all = [Action::Id(id), Action::Phase(phase)].into_iter().chain(more);
        all.map(here).collect::<Vec<_>>()
    });
    (vec(target(), 1..5), operator(), actions).prop_map(|(targets, operator, actions)| {
        let targets = targets.into_iter().map(here).collect();
        Directive::Rule(RuleText { targets, operator: here(operator), actions })
    })
}

fn setting() -> impl Strategy<Value = Directive> {
    let targets = || vec(target().prop_map(here), 1..4);
    prop_oneof![
        any_text().prop_filter("a name", |it| !it.is_empty()).prop_map(Directive::Marker),
        any_text().prop_map(Directive::ComponentSignature),
        vec(any_text(), 0..3)
            .prop_map(|arguments| Directive::Kept { name: "SecTmpDir", arguments }),
        vec(any_text(), 1..3).prop_map(Directive::ResponseBodyMimeType),
        (0..128u8)
            .prop_filter("a line's", |it| !b"\r\n".contains(it))
            .prop_map(Directive::ArgumentSeparator),
        ("[a-z \"'-]{1,9}", targets(), option::of(target().prop_map(here))).prop_map(
            |(tag, targets, replaced)| Directive::UpdateTargetByTag { tag, targets, replaced }
        ),
        (1..u64::MAX, 0..9u32, vec(action().prop_map(here), 1..4)).prop_map(
            |(id, chain_offset, actions)| Directive::UpdateActionById { id, chain_offset, actions }
        ),
    ]
}

/// A piece of Debian's rules, with something else in its midst.
fn damaged_rules() -> impl Strategy<Value = String> {
    let folder = std::path::Path::new("/usr/share/modsecurity-crs/rules");
    let text = std::fs::read_to_string(folder.join("REQUEST-920-PROTOCOL-ENFORCEMENT.conf"));
    let text = text.expect("Debian's modsecurity-crs");
    let (start, length, cut) = (0..text.len(), 0..3000usize, 0..30usize);
    (start, length, cut, near_seclang()).prop_map(move |(start, length, cut, other)| {
        let characters = text.chars().skip(start).take(length);
        let (before, behind) = (length / 2, length / 2 + cut);
        let before: String = characters.clone().take(before).collect();
        let behind: String = characters.skip(behind).collect();
        [before, other, behind].concat()
    })
}

proptest! {
    #[test]
    fn no_damaged_rules_bring_the_reader_down(text in damaged_rules()) {
        if let Err(mistakes) = read(&text) {
            prop_assert!(mistakes.diagnostics().iter().all(|one| one.span().is_some()));
        }
    }

    #[test]
    fn no_text_brings_the_reader_down(text in near_seclang()) {
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.diagnostics().is_empty());
            let shown = mistakes.to_string();
            prop_assert!(shown.starts_with("error: "));
            for one in mistakes {
                prop_assert!(one.span().is_some(), "{one} has no place");
            }
        }
    }

    #[test]
    fn what_reads_clean_reads_back_from_print(text in near_seclang()) {
        if let Ok(program) = read(&text) {
            let printed = crate::printed(&program);
            let again = read(&printed);
            prop_assert!(again.is_ok(), "{printed}\n{}", again.expect_err("mistakes"));
            prop_assert_eq!(again.map(|it| bare(&it)), Ok(bare(&program)));
        }
    }

    #[test]
    fn rules_read_back_from_print(rule in rule()) {
        let printed = rule.to_string();
        let again = read(&printed).map(|program| bare(&program));
        prop_assert!(again.is_ok(), "{printed}\n{}", again.expect_err("mistakes"));
        prop_assert_eq!(again, Ok(vec![rule]), "{}", printed);
    }

    #[test]
    fn other_directives_read_back_from_print(setting in setting()) {
        let printed = setting.to_string();
        let again = read(&printed).map(|program| bare(&program));
        prop_assert!(again.is_ok(), "{printed}\n{}", again.expect_err("mistakes"));
        prop_assert_eq!(again, Ok(vec![setting]), "{}", printed);
    }
}
