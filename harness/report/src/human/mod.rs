//! For people at a terminal: a progress bar while it runs, then each failure with what went over
//! the wire, then the table.

mod closing;
mod failure;
mod paint;
mod table;

use std::io;

use edgeproof_runner::event::{Event, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{Options, Reporter, Run, Summary, human::paint::Paint};

pub(crate) struct Human<W> {
    run: Run,
    options: Options,
    writer: W,
    bar: ProgressBar,
    failed: usize,
}

impl<W: io::Write> Human<W> {
    pub(crate) fn new(writer: W, options: Options) -> Self {
        let target = match options.progress {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        Human { run: Run::default(), options, writer, bar, failed: 0 }
    }

    fn progress(&mut self, event: &Event) {
        match event {
            Event::RunStarted { planned, .. } => {
                let template = "{bar:24.cyan/dim} {pos}/{len} {elapsed} {wide_msg}";
                let style = ProgressStyle::with_template(template);
                self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                self.bar.set_length(*planned as u64);
            }
            Event::CaseFinished(result) => {
                if matches!(result.verdict, Verdict::Fail | Verdict::Error) {
                    self.failed += 1;
                }
                let id = crate::visible::visible_line(&result.id);
                let failed = self.failed;
                self.bar.set_message(match failed {
                    0 => id,
                    _ => format!("{failed} failed · {id}"),
                });
                self.bar.inc(1);
            }
            Event::RunFinished { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
    }
}

impl<W: io::Write + Send> Reporter for Human<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.progress(event);
        self.run.listen(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        let page = Page::of(&self.run, &self.options);
        self.writer.write_all(page.text().as_bytes())?;
        self.writer.flush()
    }
}

/// What all parts of the text need.
struct Page<'a> {
    run: &'a Run,
    options: &'a Options,
    outcomes: Vec<crate::Outcome<'a>>,
    summary: Summary,
    paint: Paint,
}

impl<'a> Page<'a> {
    fn of(run: &'a Run, options: &'a Options) -> Self {
        Page {
            run,
            options,
            outcomes: run.outcomes(),
            summary: Summary::of(run, options.baseline.as_deref()),
            paint: Paint { color: options.color },
        }
    }

    /// The whole text; parts that have nothing to say leave nothing.
    fn text(&self) -> String {
        let mut parts = self.failures();
        parts.extend(self.target_failures());
        parts.push(self.counts());
        parts.push(self.conformance());
        parts.push(self.figures());
        parts.push(self.flakes());
        parts.push(self.played_again());
        parts.push(self.known());
        parts.push(self.fixed());
        parts.push(self.skips());
        parts.push(self.unavailable());
        parts.push(self.changes());
        parts.push(self.notes());
        parts.push(self.verdict());
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    fn width(&self) -> usize {
        self.options.width.clamp(40, 160)
    }
}
