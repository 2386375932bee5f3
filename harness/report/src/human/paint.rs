//! Colours by parameter, and text that keeps to its columns.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use edgeproof_diagnostics::no_command;
use edgeproof_runner::event::Verdict;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Colours or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn in_style(self, style: Style, text: impl Display) -> String {
        match self.color {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }

    pub(super) fn bold(self, text: impl Display) -> String {
        self.in_style(Style::new().bold(), text)
    }

    pub(super) fn dim(self, text: impl Display) -> String {
        self.in_style(Style::new().dimmed(), text)
    }

    pub(super) fn verdict(self, verdict: Verdict, text: impl Display) -> String {
        self.in_style(style_of(verdict), text)
    }

    /// A rendered diagnostic: its first line and its carets stand out.
    pub(super) fn diagnostic(self, line: &str, first: bool) -> String {
        let trimmed = line.trim_start_matches([' ', '|', '│']);
        if first {
            self.in_style(style_of(Verdict::Fail), line)
        } else if trimmed.starts_with('^') {
            self.in_style(AnsiColor::Red.on_default(), line)
        } else if trimmed.starts_with("-->") {
            self.dim(line)
        } else {
            line.to_owned()
        }
    }
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => AnsiColor::Green.on_default(),
        Verdict::Fail => AnsiColor::Red.on_default().bold(),
        Verdict::KnownFail => AnsiColor::Yellow.on_default(),
        Verdict::Fixed => AnsiColor::Cyan.on_default(),
        Verdict::Skip => Style::new().dimmed(),
        Verdict::Error => AnsiColor::Magenta.on_default().bold(),
    }
}

/// Spaces after the text up to the column.
pub(super) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// Spaces before the text.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.width())))
}

/// Cut to the column, with an ellipsis where something is lost.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        out.push(character);
    }
    out + "…"
}

/// Words in lines of at most so many columns, each after `indent` spaces; a longer word stays whole.
pub(super) fn wrap(text: &str, columns: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let width = word.width();
        if used > 0 && indent + used + 1 + width <= columns {
            out.push(' ');
            used += 1;
        } else {
            if used > 0 {
                out.push('\n');
            }
            out.push_str(&" ".repeat(indent));
            used = 0;
        }
        out.push_str(word);
        used += width;
    }
    out.push('\n');
    no_command(&out)
}
