//! The counts per target and family, and how far each target conforms.

use edgeproof_runner::event::Verdict;

use crate::{
    Counts, Level,
    human::{
        Page,
        paint::{fit, left, right},
    },
    visible::visible_line,
};

/// A column of counts, with the space before it.
const COLUMN: usize = 7;
const HEADINGS: [&str; 6] = ["pass", "fail", "known", "fixed", "skip", "error"];

impl Page<'_> {
    pub(super) fn counts(&self) -> String {
        if self.summary.targets.is_empty() {
            return String::new();
        }
        let name = self.name_column(COLUMN * HEADINGS.len());
        let headings: String = HEADINGS.iter().map(|heading| right(heading, COLUMN)).collect();
        let mut text = format!("{}{}\n", " ".repeat(name), self.paint.dim(headings));
        for target in &self.summary.targets {
            text.push_str(&self.row(&target.target, name, &target.counts, true));
            for family in &target.families {
                let label = format!("  {}", family.family);
                text.push_str(&self.row(&label, name, &family.counts, false));
            }
        }
        if self.summary.targets.len() > 1 {
            text.push_str(&self.row("all", name, &self.summary.counts, true));
        }
        text
    }

    fn row(&self, label: &str, name: usize, counts: &Counts, bold: bool) -> String {
        let label = left(&fit(&visible_line(label), name), name);
        let mut line = if bold { self.paint.bold(label) } else { label };
        for verdict in Verdict::ALL {
            let count = counts.of(verdict);
            line.push_str(&match count {
                0 => self.paint.dim(right("·", COLUMN)),
                _ => self.paint.verdict(verdict, right(&count.to_string(), COLUMN)),
            });
        }
        line.push('\n');
        line
    }

    /// How many requirements of each level hold, of those that were played.
    pub(super) fn conformance(&self) -> String {
        let column = 12;
        let used = |level: &Level| {
            let mut targets = self.summary.targets.iter();
            targets.any(|target| target.levels.iter().any(|entry| entry.level == *level))
        };
        let levels: Vec<Level> = Level::ALL.into_iter().filter(used).collect();
        if levels.is_empty() {
            return String::new();
        }
        let name = self.name_column(column * levels.len());
        let headings: String = levels.iter().map(|level| right(level.as_str(), column)).collect();
        let title = left("Requirements that hold", name);
        let mut text = format!("{}{}\n", self.paint.bold(title), self.paint.dim(headings));
        for target in &self.summary.targets {
            text.push_str(&left(&fit(&format!("  {}", visible_line(&target.target)), name), name));
            for level in &levels {
                let counts = target.levels.iter().find(|entry| entry.level == *level);
                let counts = counts.map(|entry| entry.counts).unwrap_or_default();
                let cell = match counts.judged() {
                    0 => "·".to_owned(),
                    judged => format!("{} of {judged}", counts.held()),
                };
                let whole = counts.held() == counts.judged();
                let verdict = if whole { Verdict::Pass } else { Verdict::KnownFail };
                text.push_str(&self.paint.verdict(verdict, right(&cell, column)));
            }
            text.push('\n');
        }
        text
    }

    fn name_column(&self, others: usize) -> usize {
        self.width().saturating_sub(others).clamp(12, 38)
    }
}
