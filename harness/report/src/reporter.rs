//! A reporter for each format.

use std::{
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use edgeproof_runner::event::{CaseResult, Event, Verdict};

use crate::{
    Baseline, Format, Level, Outcome, Run,
    baseline::is_worse,
    events::EventLines,
    github, html,
    human::Human,
    json, junit, markdown, sarif, tap,
    waf::{self, WafReport},
};

/// Listens to a run and writes about it. Results come out in file order whatever the order in
/// which they came in.
pub trait Reporter: Send {
    /// Takes the next event.
    ///
    /// # Errors
    /// When the writer fails.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what is still to be written. To be called once, after the last event.
    ///
    /// # Errors
    /// When the writer fails.
    fn finish(&mut self) -> io::Result<()>;
}

/// How a report is to look; the caller has asked the terminal and the environment.
#[derive(Debug, Clone)]
pub struct Options {
    /// Write colours (human only).
    pub color: bool,
    /// Columns that a line may take (human only).
    pub width: usize,
    /// Show a progress bar on standard error (human only): set it for a terminal, never in a pipe.
    pub progress: bool,
    /// From where on a failure counts.
    pub gate: Level,
    /// What the paths of SARIF and GitHub annotations are made relative to: as they are where it is not said.
    pub root: Option<Root>,
    /// A former run: only changes matter.
    pub baseline: Option<Arc<Baseline>>,
}

/// The root of the files that annotations are about, both absolute and without `..`.
#[derive(Debug, Clone)]
pub struct Root {
    /// Where relative paths begin.
    pub current: PathBuf,
    /// The repository, where it is not the same: what is in it is named from there.
    pub repository: Option<PathBuf>,
}

impl Root {
    /// The path as the repository's readers name it, else as seen from here, if it is below either.
    fn relative(&self, path: &Path) -> Option<PathBuf> {
        let whole = without_dots(&self.current.join(path));
        let mut roots = self.repository.iter().chain([&self.current]);
        roots.find_map(|root| whole.strip_prefix(root).ok()).map(Path::to_owned)
    }
}

/// Without `.` and `..`, as far as the names alone tell.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

impl Default for Options {
    fn default() -> Self {
        Options {
            color: false,
            width: 80,
            progress: false,
            gate: Level::Must,
            root: None,
            baseline: None,
        }
    }
}

impl Options {
    /// Did this case fail in the baseline as it does now? Then it is nobody's news.
    pub(crate) fn failed_before(&self, case: &CaseResult) -> bool {
        let was = || self.baseline.as_deref()?.verdict(&case.id, &case.target);
        case.verdict == Verdict::Fail && was() == Some(Verdict::Fail)
    }

    /// Why a failure does not fail the run, in words: `None` where it does.
    pub(crate) fn uncounted(&self, case: &CaseResult) -> Option<String> {
        if !case.level.counts_at(self.gate) {
            return Some(format!("not counted ({})", case.level));
        }
        self.failed_before(case).then(|| "was failing already".to_owned())
    }

    /// A case that is skipped and fails the run by that, as it was judged in the baseline: in words.
    pub(crate) fn no_longer_played(&self, case: &CaseResult) -> Option<String> {
        let was = self.baseline.as_deref()?.verdict(&case.id, &case.target)?;
        let counts = case.verdict == Verdict::Skip && case.level.counts_at(self.gate);
        let reason = case.reason.as_deref().unwrap_or("no reason was given");
        (counts && is_worse(Some(was), Some(case.verdict)))
            .then(|| format!("{} in the baseline, skipped now: {reason}", was.as_str()))
    }

    /// What the baseline did not have comes first, else in the same order.
    pub(crate) fn news_first<'a>(&self, mut outcomes: Vec<Outcome<'a>>) -> Vec<Outcome<'a>> {
        outcomes.sort_by_key(|outcome| self.failed_before(outcome.case()));
        outcomes
    }

    /// A scenario's path as annotations want it: below `root` where it is there.
    pub(crate) fn relative(&self, file: &str) -> String {
        let below = self.root.as_ref().and_then(|root| root.relative(Path::new(file)));
        match below {
            Some(below) => below.to_string_lossy().into_owned(),
            None => file.trim_start_matches("./").to_owned(),
        }
    }
}

/// Makes the reporter for a format.
pub fn reporter<W: io::Write + Send + 'static>(
    format: Format,
    writer: W,
    options: Options,
) -> Box<dyn Reporter> {
    let render: Render<W> = match format {
        Format::Human => return Box::new(Human::new(writer, options)),
        Format::Events => return Box::new(EventLines::new(writer)),
        Format::WafRates => return Box::new(WafReport::new(writer, waf::table)),
        Format::WafChart => return Box::new(WafReport::new(writer, waf::chart)),
        Format::Json => |run, options, writer| json::render(run, options, writer),
        Format::Junit => |run, options, writer| junit::render(run, options, writer),
        Format::Tap => |run, options, writer| tap::render(run, options, writer),
        Format::Sarif => |run, options, writer| sarif::render(run, options, writer),
        Format::Github => |run, options, writer| github::render(run, options, writer),
        Format::Markdown => |run, options, writer| markdown::render(run, options, writer),
        Format::Html => |run, options, writer| html::render(run, options, writer),
    };
    Box::new(AtEnd { run: Run::default(), options, writer, render })
}

type Render<W> = fn(&Run, &Options, &mut W) -> io::Result<()>;

/// A format whose document can only be written when everything is known.
struct AtEnd<W> {
    run: Run,
    options: Options,
    writer: W,
    render: Render<W>,
}

impl<W: io::Write + Send> Reporter for AtEnd<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.run.listen(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        (self.render)(&self.run, &self.options, &mut self.writer)?;
        self.writer.flush()
    }
}
