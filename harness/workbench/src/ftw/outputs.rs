//! `output` of a stage.

use edgeproof_diagnostics::{Node, Spanned, Value};
use edgeproof_scenario::compile_regex;

use super::inputs::present;
use super::model::Output;
use super::read::Reader;

const OUTPUT: [&str; 10] = [
    "status",
    "response_contains",
    "html_contains",
    "log_contains",
    "no_log_contains",
    "log",
    "expect_error",
    "retry_once",
    "isolated",
    "description",
];
const LOG: [&str; 4] = ["expect_ids", "no_expect_ids", "match_regex", "no_match_regex"];

/// `output` as it is written.
pub(super) fn output<'a>(reader: &Reader<'a>, node: &'a Node) -> Output {
    if node.is_null() {
        return Output::default();
    }
    reader.known_keys(node, &OUTPUT, "`output`");
    let get = |key| present(node, key);
    let flag = |key| get(key).filter(|it| reader.value(it).bool() == Some(true));
    let contains = get("response_contains").or_else(|| get("html_contains"));
    let mut output = Output {
        status: get("status").and_then(|it| status(reader, it)),
        response_contains: contains.and_then(|it| regex(reader, it)),
        retry_once: flag("retry_once").is_some(),
        expect_error: flag("expect_error").map(|it| it.span.first_line()),
        ..Output::default()
    };
    if let Some(log) = get("log") {
        reader.known_keys(log, &LOG, "`log`");
        output.expect_ids = present(log, "expect_ids").and_then(|it| ids(reader, it));
        output.no_expect_ids = present(log, "no_expect_ids").and_then(|it| ids(reader, it));
        output.match_regex = present(log, "match_regex").and_then(|it| regex(reader, it));
        output.no_match_regex = present(log, "no_match_regex").and_then(|it| regex(reader, it));
    }
    // The older keys count where the newer ones say nothing.
    if output.expect_ids.is_none() && output.match_regex.is_none() {
        output.match_regex = get("log_contains").and_then(|it| regex(reader, it));
    }
    if output.no_expect_ids.is_none() && output.no_match_regex.is_none() {
        output.no_match_regex = get("no_log_contains").and_then(|it| regex(reader, it));
    }
    if let Some(node) = flag("isolated") {
        match output.expect_ids.as_ref().map_or(0, |ids| ids.value.len()) {
            1 => output.isolated = Some(node.span.first_line()),
            _ => {
                let message = "`isolated` needs exactly one id in `log.expect_ids`";
                reader.value(node).reject::<()>(message);
            }
        }
    }
    output
}

/// One status code or several; 0 says nothing.
fn status<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Spanned<Vec<u16>>> {
    if node.as_u64() == Some(0) {
        return None;
    }
    let codes = reader.value(node).one_or_more()?.into_iter();
    let codes: Vec<Option<u64>> = codes.map(|code| code.u64_in(100..=999)).collect();
    let codes: Option<Vec<u64>> = codes.into_iter().collect();
    let codes: Vec<u16> = codes?.into_iter().filter_map(|code| u16::try_from(code).ok()).collect();
    (!codes.is_empty()).then(|| Spanned::new(codes, node.span.first_line()))
}

fn ids<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Spanned<Vec<u64>>> {
    let ids: Vec<Option<u64>> =
        reader.value(node).one_or_more()?.into_iter().map(Value::u64).collect();
    let ids: Vec<u64> = ids.into_iter().collect::<Option<_>>()?;
    (!ids.is_empty()).then(|| Spanned::new(ids, node.span.first_line()))
}

/// A regex that compiles; the empty one says nothing.
fn regex<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Spanned<String>> {
    let pattern = reader.text(node).filter(|pattern| !pattern.is_empty())?;
    match compile_regex(&pattern) {
        Ok(_) => Some(Spanned::new(pattern, node.span.first_line())),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.value(node).reject(format!("bad regex: {last}"))
        }
    }
}
