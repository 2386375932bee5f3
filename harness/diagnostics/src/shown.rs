//! Text of others made fit to be shown.

use annotate_snippets::normalize_untrusted_str;

/// A name on its line: control characters, line ends too, are shown by their pictures (`␛`, `␊`).
pub fn one_line(text: &str) -> String {
    normalize_untrusted_str(text).replace('\n', "␊").replace('\r', "␍")
}

/// Text in which no line is a command to a CI service. GitHub takes every line of a job's output that begins with
/// `::` and a word, spaces before it or not, and has another `::` for a workflow command
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>); such a line gets a
/// backslash before it.
pub fn no_command(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        if is_command(line) {
            out.push('\\');
        }
        out.push_str(line);
    }
    out
}

fn is_command(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("::") else { return false };
    rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains("::")
}
