use std::path::Path;

use edgeproof_diagnostics::{Diagnostic, Source, Spanned};

use super::{ByteSet, Captures, Operator, Outcome};
use crate::seclang::{OperatorName, OperatorText, Template};

/// `@name argument` as a rule file would have it.
fn compiled(name: OperatorName, argument: &str, base: &Path) -> Result<Operator, Diagnostic> {
    let source = Source::new("rules.conf", format!("SecRule ARGS \"@op {argument}\" \"id:1\""));
    let span = source.span(14..18 + argument.len());
    let text = OperatorText { negated: false, name, argument: argument.to_owned() };
    Operator::compile(&Spanned::new(text, span), base)
}

fn operator(name: OperatorName, argument: &str) -> Operator {
    compiled(name, argument, Path::new("/")).unwrap_or_else(|error| panic!("{error}"))
}

fn mistake(name: OperatorName, argument: &str) -> String {
    compiled(name, argument, Path::new("/")).expect_err("a mistake").to_string()
}

type CallBack<'c> = &'c mut dyn FnMut(&[u8]);

/// Gives every macro the value `value`, as settings of a transaction would.
fn expand_to(value: &'static str) -> impl Fn(&Template, CallBack<'_>) {
    move |template, use_it| {
        let pieces = template.pieces().iter().map(|piece| match piece {
            crate::seclang::Piece::Text(text) => text,
            crate::seclang::Piece::Macro { .. } => value,
        });
        use_it(pieces.collect::<String>().as_bytes());
    }
}

fn matches(operator: &Operator, value: &str) -> bool {
    operator.matches(value.as_bytes(), &expand_to(""), None) == Outcome::Match
}

#[test]
fn each_operator_asks_its_own_question() {
    use OperatorName as Name;
    for (name, argument, yes, no) in [
        (Name::Rx, "^a.c$", "abc", "abcd"),
        (Name::Pm, "one two", "xTWOx", "three"),
        (Name::Lt, "5", "4", "5"),
        (Name::Le, "5", "5", "6"),
        (Name::Eq, "5", " 5x", "6"),
        (Name::Ge, "5", "5", "-5"),
        (Name::Gt, "0", "1", "none"),
        (Name::Streq, "a", "a", "A"),
        (Name::Strmatch, "a|20|b", "xa bx", "a|20|b"),
        (Name::Within, "GET POST", "GET", "PUT"),
        (Name::Contains, "b", "abc", "ac"),
        (Name::ContainsWord, "b", "a b c", "abc"),
        (Name::BeginsWith, "ab", "abc", "xabc"),
        (Name::EndsWith, "bc", "abc", "abcx"),
        (Name::IpMatch, "127.0.0.0/8,::1", "127.1.2.3", "128.0.0.1"),
        (Name::ValidateByteRange, "32-126", "a\n", "a"),
        (Name::ValidateUrlEncoding, "", "%4", "%41"),
        (Name::DetectSqli, "", "1' OR '1'='1", "hello"),
        (Name::DetectXss, "", "<script>alert(1)</script>", "hello"),
    ] {
        let operator = operator(name, argument);
        assert!(matches(&operator, yes), "{operator:?} {yes}");
        assert!(!matches(&operator, no), "{operator:?} {no}");
    }
    let utf8 = operator(Name::ValidateUtf8Encoding, "");
    let outcome = |value: &[u8]| utf8.matches(value, &expand_to(""), None);
    assert_eq!((outcome(b"\xff"), outcome(b"a")), (Outcome::Match, Outcome::NoMatch));
}

#[test]
fn what_needs_no_value_is_always_the_same() {
    for value in ["", "127.0.0.1"] {
        assert!(matches(&operator(OperatorName::UnconditionalMatch, ""), value));
        for never in [OperatorName::NoMatch, OperatorName::Rbl, OperatorName::GeoLookup] {
            assert!(!matches(&operator(never, "list.example"), value));
        }
    }
}

#[test]
fn arguments_may_have_macros() {
    use OperatorName as Name;
    let outcome = |name, argument, value: &str, setting| {
        operator(name, argument).matches(value.as_bytes(), &expand_to(setting), None)
            == Outcome::Match
    };
    assert!(outcome(Name::Within, "|%{tx.x}|", "|b|", "a|b|c"));
    assert!(!outcome(Name::Within, "|%{tx.x}|", "|d|", "a|b|c"));
    assert!(outcome(Name::EndsWith, ".%{tx.x}", "www.example", "example"));
    assert!(outcome(Name::Ge, "%{tx.x}", "5", "5"));
    assert!(outcome(Name::Eq, "%{tx.x}", "0", ""), "nothing is 0");
    assert!(!outcome(Name::Gt, "%{tx.x}", "7", "10"));
    // `@pm` and `@ipMatch` have none: the text is what it is.
    assert!(outcome(Name::Pm, "%{tx.x}", "%{TX.X}", "a"));
}

#[test]
fn macros_in_a_pattern_stand_for_text_and_alternatives() {
    let rx = operator(OperatorName::Rx, "^(?:%{tx.x})$");
    let outcome = |value: &str, setting| {
        rx.matches(value.as_bytes(), &expand_to(setting), None) == Outcome::Match
    };
    assert!(outcome("utf-8", "utf-8|iso-8859-1"));
    assert!(outcome("iso-8859-1", "utf-8|iso-8859-1"));
    assert!(!outcome("utf-88", "utf-8|iso-8859-1"));
    assert!(outcome("a.b(c)", "a.b(c)") && !outcome("aXb(c)", "a.b(c)"));
    assert!(!outcome("a", "{"), "text");
    assert!(!outcome("*", "*"), "a pattern that cannot be read matches nothing");
    assert!(outcome("", ""));
    assert!(mistake(OperatorName::Rx, "(%{tx.x}").contains("this `(` is never closed"));
}

#[test]
fn captures_are_of_the_last_match() {
    let mut captures = Captures::new();
    let mut run = |operator: &Operator, value: &[u8]| {
        operator.matches(value, &expand_to(""), Some(&mut captures));
        (0..captures.len())
            .map(|group| captures.get(value, group).unwrap_or_default().escape_ascii().to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    let rx = operator(OperatorName::Rx, "(a)(x)?(b)");
    assert_eq!(run(&rx, b"cab"), "ab,a,,b");
    assert_eq!(run(&rx, b"none"), "");
    assert_eq!(run(&operator(OperatorName::Pm, "Two one"), b"onetwo"), "one");
    assert_eq!(run(&operator(OperatorName::Pm, "Two three"), b"onetwo"), "Two");
    assert_eq!(run(&operator(OperatorName::Contains, "t"), b"two"), "");
    assert_eq!(run(&operator(OperatorName::DetectSqli, ""), b"1' OR '1'='1"), "s&sos");
    assert_eq!(run(&operator(OperatorName::DetectXss, ""), b"<script>"), "<script>");
    let eleven = operator(OperatorName::Rx, "(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)");
    assert_eq!(run(&eleven, b"abcdefghijk"), "abcdefghijk,a,b,c,d,e,f,g,h,i");
}

#[test]
fn literals_are_those_a_value_must_hold() {
    use OperatorName as Name;
    let literals = |name, argument| {
        let operator = operator(name, argument);
        let literals = operator.required_literals()?.iter();
        Some(literals.map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>())
    };
    let some = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
    assert_eq!(literals(Name::Rx, "(?i)SELECT|UNION"), some(&["select", "union"]));
    assert_eq!(literals(Name::Pm, "One two"), some(&["One", "two"]));
    for name in [Name::Streq, Name::Contains, Name::ContainsWord, Name::BeginsWith, Name::EndsWith]
    {
        assert_eq!(literals(name, "Ab"), some(&["Ab"]), "{name:?}");
        assert_eq!(literals(name, ""), None, "{name:?}");
        assert_eq!(literals(name, "a%{tx.x}"), None, "{name:?}");
    }
    assert_eq!(literals(Name::NoMatch, ""), some(&[]));
    for (name, argument) in [
        (Name::Within, "GET POST"),
        (Name::Eq, "0"),
        (Name::Rx, "^%{tx.x}$"),
        (Name::UnconditionalMatch, ""),
        (Name::ValidateByteRange, "1"),
        (Name::DetectSqli, ""),
    ] {
        assert_eq!(literals(name, argument), None, "{name:?}");
    }
}

#[test]
fn bytes_that_are_not_there_say_that_nothing_matches() {
    use OperatorName as Name;
    for (name, argument, yes, no) in [
        (Name::Rx, r"(?i)a+(?:b|[0-9]{2})\b", "aB", "aC"),
        (Name::Rx, r"(a)\1(?!c)", "a", "b"),
        (Name::Rx, "a*", "b", ""),
        (Name::Pm, "one two", "TwO", "TwN"),
        (Name::Contains, "ab", "ba", "aB"),
        (Name::ValidateUrlEncoding, "", "%", "a"),
        (Name::ValidateByteRange, "97-122", "aB", "ab"),
    ] {
        let operator = operator(name, argument);
        let can = |text: &str| operator.can_match(&ByteSet::in_text(text.as_bytes()));
        assert!(can(yes), "{argument} {yes}");
        assert!(no.is_empty() || !can(no), "{argument} {no}");
    }
    for name in [Name::Within, Name::Eq, Name::DetectSqli, Name::UnconditionalMatch] {
        assert!(operator(name, "1").can_match(&ByteSet::default()), "{name:?}");
    }
    assert!(!operator(Name::NoMatch, "").can_match(&ByteSet::in_text(b"a")));
}

#[test]
fn files_are_read_from_the_rule_files_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.data"), "# words\none\n").expect("written");
    std::fs::write(folder.path().join("b.data"), "two three\n").expect("written");
    std::fs::write(folder.path().join("ips"), "192.0.2.0/24\n").expect("written");
    std::fs::write(folder.path().join("bad"), "::1\nhost\n").expect("written");
    let compiled = |name, argument| compiled(name, argument, folder.path());
    let pm = compiled(OperatorName::PmFromFile, "a.data b.data").expect("two files");
    assert!(matches(&pm, "xONEx") && matches(&pm, "two three") && !matches(&pm, "two"));
    let ips = compiled(OperatorName::IpMatchFromFile, "ips").expect("a file");
    assert!(matches(&ips, "192.0.2.7") && !matches(&ips, "192.0.3.7"));
    let missing = compiled(OperatorName::PmFromFile, "a.data none.data").expect_err("no file");
    assert_eq!(missing.span().map(|span| span.text().to_owned()).as_deref(), Some("none.data"));
    let path = folder.path().join("none.data");
    assert!(missing.message.starts_with(&format!("cannot read {}: ", path.display())));
    let bad = compiled(OperatorName::IpMatchFromFile, "bad").expect_err("no address");
    assert_eq!(bad.message, "`host` is neither an address nor a network");
    assert!(bad.notes[0].starts_with("it stands in line 2 of "));
}

#[test]
fn mistakes_are_pointed_at() {
    use OperatorName as Name;
    let shown = [
        mistake(Name::Rx, "a(b"),
        mistake(Name::Rx, "[[:foo:]]"),
        mistake(Name::Pm, " "),
        mistake(Name::PmFromFile, "https://example.org/list"),
        mistake(Name::PmFromFile, ""),
        mistake(Name::Strmatch, r"a\nb"),
        mistake(Name::IpMatch, "10.0.0.1,10.0.0.300"),
        mistake(Name::ValidateByteRange, "1-10,300"),
    ];
    insta::assert_snapshot!(shown.join("\n\n"));
}
