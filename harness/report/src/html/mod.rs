//! One self-contained page: the matrix of targets and cases, and behind each cell what happened.
//!
//! The matrix is plain HTML, escaped by the template. What a case's panel shows lies beside it as
//! JSON that no browser runs ([`embed`]), and reaches the page only as text nodes. A
//! Content-Security-Policy forbids every script but the page's own (by its hash) and all network.

mod data;
mod matrix;

use std::io::{self, Write};

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    ExitCode, Options, Run, Summary, exit_code,
    html::matrix::{Again, Card, Changes, Figures, Group, Reason},
    number::{date, duration, plural},
    visible::{sentence, visible_line},
};

const SCRIPT: &str = include_str!("../../templates/report.js");
const STYLE: &str = include_str!("../../templates/report.css");

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: &'static str,
    script: &'static str,
    script_hash: String,
    tool: String,
    started: String,
    date: String,
    lasted: String,
    good: bool,
    headline: String,
    code: u8,
    gate: &'static str,
    results: String,
    cards: Vec<Card>,
    changes: Option<Changes>,
    figures: Figures,
    groups: Vec<Group>,
    levels: Vec<&'static str>,
    cases: usize,
    known: Vec<Reason>,
    skipped: Vec<Reason>,
    played_again: Vec<Again>,
    unavailable: Vec<(String, String)>,
    failed_targets: Vec<(String, String)>,
    notes: Vec<String>,
    facts: String,
    details: Vec<String>,
}

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let page = page(run, options)?;
    let text = page.render().map_err(io::Error::other)?;
    writer.write_all(text.as_bytes())
}

fn page(run: &Run, options: &Options) -> io::Result<Page> {
    let summary = Summary::of(run, options.baseline.as_deref());
    let code = exit_code(&summary, options.gate);
    let cases = data::cases(run);
    let groups = matrix::groups(run, &cases);
    let details = cases.iter().map(embed).collect::<Result<Vec<_>, _>>()?;
    let difference = options.baseline.as_deref().map(|baseline| baseline.difference(run));
    Ok(Page {
        style: STYLE,
        script: SCRIPT,
        script_hash: STANDARD.encode(Sha256::digest(SCRIPT)),
        tool: visible_line(&run.tool),
        started: visible_line(&run.started),
        date: visible_line(&date(&run.started)),
        lasted: run.duration_ms.map(duration).unwrap_or_default(),
        good: code == ExitCode::Good,
        headline: sentence(&summary.headline(options.gate)),
        code: code.code(),
        gate: options.gate.as_str(),
        results: plural(summary.counts.total(), "result"),
        cards: summary.targets.iter().map(|counts| Card::of(run, counts)).collect(),
        changes: difference.as_ref().map(Changes::of),
        figures: Figures::of(run),
        levels: matrix::levels(&summary),
        cases: cases.len(),
        groups,
        known: matrix::reasons(run, edgeproof_runner::event::Verdict::KnownFail),
        skipped: matrix::reasons(run, edgeproof_runner::event::Verdict::Skip),
        played_again: matrix::played_again(run),
        unavailable: matrix::unavailable(run),
        failed_targets: matrix::failed_targets(run),
        notes: matrix::notes(run),
        facts: embed(&data::Facts::of(run))?,
        details,
    })
}

/// JSON that may stand in a script element: `<` and `>` are escaped, so that neither `</script>`
/// nor `<!--` can occur (HTML §4.12.1.3), and U+2028/2029, which were no JavaScript once.
fn embed(value: &impl serde::Serialize) -> io::Result<String> {
    let json = serde_json::to_string(value)?;
    Ok(json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}
