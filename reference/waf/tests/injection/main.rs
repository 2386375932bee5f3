//! `@detectSQLi` and `@detectXSS` say what libinjection says.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use edgeproof_diagnostics::{Source, Spanned};
use edgeproof_waf::seclang::{OperatorName, OperatorText, Template};
use edgeproof_waf::{Captures, Matched, Operator};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Both operators.
struct Detectors {
    sqli: Operator,
    xss: Operator,
}

impl Detectors {
    fn new() -> Self {
        let operator = |name| {
            let text = OperatorText { negated: false, name, argument: String::new() };
            let span = Source::new("rules.conf", "@").span(0..1);
            Operator::compile(&Spanned::new(text, span), Path::new("")).expect("no argument")
        };
        Self { sqli: operator(OperatorName::DetectSqli), xss: operator(OperatorName::DetectXss) }
    }

    /// The fingerprint and `xss`, a dash for either where it is not.
    fn verdict(&self, value: &[u8]) -> String {
        let mut captures = Captures::new();
        let mut ask = |operator: &Operator| {
            let no_macros = |_: &Template, _: &mut dyn FnMut(&[u8])| ();
            let found = operator.matches(value, &no_macros, Some(&mut captures)) == Matched::Match;
            found.then(|| captures.get(value, 0).unwrap_or_default().escape_ascii().to_string())
        };
        let fingerprint = ask(&self.sqli).unwrap_or_else(|| "-".to_owned());
        format!("{fingerprint} {}", if ask(&self.xss).is_some() { "xss" } else { "-" })
    }
}

/// What `\n`, `\x1f` and the like stand for.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let len = match rest.as_bytes() {
            [b'\\', b'x', ..] => {
                bytes.push(u8::from_str_radix(&rest[2..4], 16).expect("two digits"));
                4
            }
            [b'\\', letter, ..] => {
                let known =
                    [(b'n', b'\n'), (b'r', b'\r'), (b't', b'\t'), (b'0', 0), (b'\\', b'\\')];
                let (_, byte) = known.iter().find(|(name, _)| name == letter).expect("an escape");
                bytes.push(*byte);
                2
            }
            _ => {
                assert!(character.is_ascii_graphic() || character == ' ', "{text}");
                bytes.push(character as u8);
                1
            }
        };
        rest = &rest[len..];
    }
    bytes
}

#[test]
fn verdicts_are_those_recorded() {
    let detectors = Detectors::new();
    let mut different = Vec::new();
    let lines = include_str!("verdicts.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let fields: Vec<&str> = line.splitn(3, ' ').collect();
        let [fingerprint, xss, value] = fields[..] else { panic!("not a verdict: {line}") };
        let value = unescaped(value.strip_suffix('|').expect("a bar at the end"));
        let verdict = detectors.verdict(&value);
        if verdict != format!("{fingerprint} {xss}") {
            different.push(format!("{line}: {verdict}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Pieces of SQL and HTML, and bytes that part them.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "'", "\"", "`", "\\", " ", "\t", "\n", "\0", "\x0b", "/*", "*/", "/*!", "--", "#", ";", "(",
    ")", ",", ".", "=", "@", "@@v", "$1", "$$", "$a$", "{", "}", "[", "]", "?", ":", "::", ":=",
    "<=>", "!=", "||", "&&", "+", "-", "~", "%", "1", "0x1F", "1e5", "1.", ".5", "0b1", "x'1f'",
    "n'x'", "e'x'", "u&'x'", "q'[x]'", "a", "a_b", "or", "and", "union", "all", "select", "from",
    "not", "in", "like", "is", "null", "sleep(", "user", "database(", "if(", "case", "having",
    "group by", "into outfile", "exec", "waitfor", "collate", "binary", "int", "sp_password", "<",
    ">", "/", "<a ", "<b>", "</a", "<svg", "<script", "<style", "<x:y", "<!--", "-->", "--!>",
    "<!doctype", "<![CDATA[", "]]>", "<?", "<%", "%>", "src=", "href=", "onerror=", "on", "style=",
    "xmlns:x=", "xlink:href=", "attributename=", "from=", "to=", "data:", "javascript:", "java",
    "vbscript:", "&#106;", "&#x6a", "&#", "[if", "xml", "import", "entity",
];

const BETWEEN: &[&[u8]] = &[b"", b" ", b"/**/"];

fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    (vec(piece, 0..12), select(BETWEEN)).prop_map(|(pieces, between)| pieces.join(between))
}

/// Compares with libinjection itself, of which `EDGEPROOF_LIBINJECTION` names a program made of `oracle.c`.
#[test]
fn verdicts_are_those_of_libinjection() {
    let Some(program) = std::env::var_os("EDGEPROOF_LIBINJECTION") else {
        eprintln!("not run: EDGEPROOF_LIBINJECTION names no program that asks libinjection");
        return;
    };
    let mut runner = TestRunner::default();
    let made = |_| value().new_tree(&mut runner).expect("a value").current();
    let values: Vec<Vec<u8>> = (0..20_000).map(made).collect();
    let hex = |value: &Vec<u8>| value.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let asked = values.iter().map(hex).collect::<Vec<_>>().join("\n") + "\n";

    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    let writer = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("no panic").expect("it reads all");
    let answers: Vec<_> = output.stdout.split(|byte| *byte == b'\n').collect();
    assert_eq!(answers.len(), values.len() + 1, "one line for each value");

    let detectors = Detectors::new();
    let mut different = Vec::new();
    for (value, answer) in values.iter().zip(answers) {
        let verdict = detectors.verdict(value);
        if verdict.as_bytes() != answer {
            let answer = String::from_utf8_lossy(answer);
            different.push(format!("{}: {answer}, but here {verdict}", value.escape_ascii()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
