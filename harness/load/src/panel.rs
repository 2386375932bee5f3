//! Drawings of one figure over another as SVG, light or dark as its reader's screen is.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const PANEL: f64 = 220.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 34.0;
const GAP: f64 = 64.0;
const BELOW: f64 = 50.0;
const STYLE: &str = "\
text{font:12px sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}\
.point{fill:#1f6feb}.fit{stroke:#d97706;fill:none;stroke-width:1.5}\
.slo{stroke:#c0392b;stroke-dasharray:6 4}.knee{stroke:#2d8a4e;stroke-dasharray:2 3}\
.worse{stroke:#c0392b;stroke-width:1.5}.better{stroke:#2d8a4e;stroke-width:1.5}\
.back{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#777}.grid{stroke:#333}\
.point{fill:#79b8ff}.fit{stroke:#fbbf24}.slo{stroke:#ff7b72}.knee{stroke:#56d364}\
.worse{stroke:#ff7b72}.better{stroke:#56d364}.back{fill:#111}}";

/// Begins a file of so many drawings, one below the other, for whoever cannot see them with a title.
pub(crate) fn opening(title: &str, panels: usize) -> String {
    let height = TOP + panels as f64 * (PANEL + GAP) - GAP + BELOW;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    )
}

/// One drawing, from zero to the most on both axes.
pub(crate) struct Panel {
    /// 0 is the uppermost.
    pub(crate) place: usize,
    pub(crate) most_x: f64,
    pub(crate) most_y: f64,
}

impl Panel {
    fn top(&self) -> f64 {
        TOP + self.place as f64 * (PANEL + GAP)
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (WIDTH - LEFT - 20.0) * (value / self.most_x).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.top() + PANEL * (1.0 - (value / self.most_y).clamp(0.0, 1.0))
    }

    pub(crate) fn line(&self, out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (self.x(from.0), self.y(from.1), self.x(to.0), self.y(to.1));
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    /// A point that says what it is to whoever rests on it.
    pub(crate) fn named_point(&self, out: &mut String, x: f64, y: f64, name: &str) {
        let (x, y, name) = (self.x(x), self.y(y), escaped(name));
        let _ = writeln!(
            out,
            "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"><title>{name}</title></circle>"
        );
    }

    /// A word at a place of the drawing.
    pub(crate) fn note(&self, out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
        Self::text(out, self.x(x), self.y(y) - 5.0, anchor, &escaped(text));
    }

    fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
        let _ =
            writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    pub(crate) fn axes(&self, out: &mut String, above: &str, below: &str) {
        Self::text(out, LEFT, self.top() - 12.0, "start", above);
        for step in 0..=4 {
            let share = f64::from(step) / 4.0;
            let (x, y) = (self.most_x * share, self.most_y * share);
            let class = if step == 0 { "axis" } else { "grid" };
            self.line(out, class, (0.0, y), (self.most_x, y));
            Self::text(out, LEFT - 8.0, self.y(y) + 4.0, "end", &short(y));
            Self::text(out, self.x(x), self.top() + PANEL + 18.0, "middle", &short(x));
        }
        Self::text(out, self.x(self.most_x), self.top() + PANEL + 36.0, "end", below);
    }
}

/// Text as XML has it.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// The next of 1, 2, 4, 5 or 8 times a power of ten, so that quarters of it are round.
pub(crate) fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(value)
}

pub(crate) fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", v / 1e6),
        v if v >= 1e3 => format!("{}k", v / 1e3),
        v => format!("{v}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, round) in
            [(0.0, 1.0), (0.3, 0.4), (7.0, 8.0), (10.0, 10.0), (123.0, 200.0), (4100.0, 5000.0)]
        {
            assert!((nice(value) - round).abs() < 1e-9, "{value} {}", nice(value));
        }
        assert_eq!([short(2500.0), short(1e6), short(0.5)], ["2.5k", "1M", "0.5"]);
    }
}
