//! The rates as a drawing: a panel a target and profile, the paranoia levels across, percent upwards.
//! One SVG with its own colours for light and for dark surroundings.

use std::fmt::Write as _;

use super::count::{Rates, any, of_set};
use super::interval::Rate;
use super::sample::{Kind, Set};
use super::table::{NOTHING, whole};
use crate::visible::visible_line;

/// All lengths in units of the drawing.
const LEFT: f64 = 104.0;
const TOP: f64 = 92.0;
const WIDTH: f64 = 228.0;
const HEIGHT: f64 = 118.0;
/// Between panels beside each other, and below: there figures near 0 and the levels need room.
const GAP: f64 = 26.0;
const ROW_GAP: f64 = 42.0;
const BELOW: f64 = 44.0;
/// What the legend needs across.
const LEGEND: f64 = 740.0;
/// From a panel's edge to its first and last level.
const INSET: f64 = 24.0;

const STYLE: &str = "\
.surface{fill:#fcfcfb}.ink{fill:#0b0b0b}.quiet{fill:#52514e}.grid{stroke:#e1e0d9}.base{stroke:#c3c2b7}\
.attack{fill:#2a78d6;stroke:#2a78d6}.innocent{fill:#d95926;stroke:#d95926}.hollow{fill:#fcfcfb}\
.number{stroke:#fcfcfb;stroke-width:3;paint-order:stroke}\
line,polyline{fill:none;stroke-linecap:round}.line{stroke-width:2}.bar{stroke-width:1.5;opacity:.55}\
.grid,.base{stroke-width:1}polyline.attack,polyline.innocent{fill:none}\
text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif}.title{font-weight:600;font-size:15px}\
.name{font-weight:600}\
@media(prefers-color-scheme:dark){.surface,.hollow{fill:#1a1a19}.ink{fill:#fff}.quiet{fill:#c3c2b7}\
.grid{stroke:#2c2c2a}.base{stroke:#4a4945}.attack{fill:#3987e5;stroke:#3987e5}\
.innocent{fill:#e0693a;stroke:#e0693a}.attack.hollow,.innocent.hollow{fill:#1a1a19}\
.number{stroke:#1a1a19}polyline.attack,polyline.innocent{fill:none}}";

/// The whole drawing.
pub(crate) fn chart(rates: &Rates) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = drawing(&mut text, rates);
    text
}

fn drawing(out: &mut String, rates: &Rates) -> std::fmt::Result {
    let (targets, profiles, levels) = (rates.targets(), rates.profiles(), rates.levels());
    let width = (LEFT + targets.len() as f64 * (WIDTH + GAP)).max(LEGEND);
    let height = TOP + profiles.len() as f64 * (HEIGHT + ROW_GAP) + BELOW;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Detection and false-positive rates of each target, by \
         profile and paranoia level\"><style>{STYLE}</style>\
         <rect class=\"surface\" width=\"100%\" height=\"100%\"/>"
    )?;
    if profiles.is_empty() {
        write_at(out, (20.0, 40.0), "ink", NOTHING)?;
        return writeln!(out, "</svg>");
    }
    legend(out)?;
    for (column, target) in targets.iter().enumerate() {
        let x = LEFT + column as f64 * (WIDTH + GAP);
        write_at(out, (x, TOP - 12.0), "ink name", target)?;
    }
    for (row, profile) in profiles.iter().enumerate() {
        let y = TOP + row as f64 * (HEIGHT + ROW_GAP);
        // Between the labels of 100 and 50, which a long name would meet.
        write_at(out, (16.0, y + HEIGHT / 4.0 + 4.0), "ink name", profile)?;
        for (column, target) in targets.iter().enumerate() {
            let x = LEFT + column as f64 * (WIDTH + GAP);
            let panel = Panel { x, y, levels: &levels, first: column == 0 };
            panel.frame(out)?;
            // The attacks last: where both are at one place, they are what is looked for.
            for kind in [Kind::Innocent, Kind::Attack] {
                panel.series(out, rates, (target, profile), kind)?;
            }
        }
    }
    let below = height - 14.0;
    write_at(
        out,
        (LEFT, below),
        "quiet",
        "Across: paranoia level. Upwards: per cent of the cases.",
    )?;
    writeln!(out, "</svg>")
}

fn legend(out: &mut String) -> std::fmt::Result {
    write_at(
        out,
        (16.0, 26.0),
        "ink title",
        "What the firewalls block, by profile and paranoia level",
    )?;
    let y = 48.0;
    mark(out, Kind::Attack, (22.0, y - 4.0), false)?;
    write_at(out, (32.0, y), "quiet", "attacks: detection rate")?;
    mark(out, Kind::Innocent, (190.0, y - 4.0), false)?;
    write_at(out, (200.0, y), "quiet", "innocent texts: false-positive rate")?;
    mark(out, Kind::Attack, (424.0, y - 4.0), true)?;
    mark(out, Kind::Innocent, (438.0, y - 4.0), true)?;
    write_at(out, (448.0, y), "quiet", "held-out cases alone, with their 95 % interval")
}

/// One target at one profile.
struct Panel<'a> {
    x: f64,
    y: f64,
    levels: &'a [&'a str],
    first: bool,
}

impl Panel<'_> {
    fn frame(&self, out: &mut String) -> std::fmt::Result {
        for percent in [0.0, 0.5, 1.0] {
            let y = self.up(percent);
            let class = if percent == 0.0 { "base" } else { "grid" };
            let (from, to) = (self.x, self.x + WIDTH);
            writeln!(
                out,
                "<line class=\"{class}\" x1=\"{from}\" y1=\"{y:.1}\" x2=\"{to}\" y2=\"{y:.1}\"/>"
            )?;
            if self.first {
                let label = format!("{:.0}", percent * 100.0);
                anchored(out, (self.x - 8.0, y + 4.0), "quiet", "end", &label)?;
            }
        }
        for (place, level) in self.levels.iter().enumerate() {
            let at = (self.across(place), self.y + HEIGHT + 29.0);
            anchored(out, at, "quiet", "middle", level)?;
        }
        Ok(())
    }

    /// A line through all cases with its figures, and beside it what the held-out ones say.
    fn series(
        &self,
        out: &mut String,
        rates: &Rates,
        (target, profile): (&str, &str),
        kind: Kind,
    ) -> std::fmt::Result {
        let at = |level| rates.rate((target, profile, level), kind, any).and_then(Rate::share);
        let other = |level| {
            let other = if kind == Kind::Attack { Kind::Innocent } else { Kind::Attack };
            rates.rate((target, profile, level), other, any).and_then(Rate::share)
        };
        let shares = self.levels.iter().enumerate();
        let found: Vec<(usize, f64, Option<f64>)> =
            shares.filter_map(|(place, level)| Some((place, at(level)?, other(level)))).collect();
        let corner = |(place, share, _): &(usize, f64, Option<f64>)| {
            format!("{:.1},{:.1}", self.across(*place), self.up(*share))
        };
        let corners: Vec<String> = found.iter().map(corner).collect();
        writeln!(
            out,
            "<polyline class=\"line {}\" points=\"{}\"/>",
            class(kind),
            corners.join(" ")
        )?;
        for (place, level) in self.levels.iter().enumerate() {
            let held = rates.rate((target, profile, level), kind, of_set(Set::HeldOut));
            self.held_out(out, kind, self.across(place) + 9.0, held)?;
        }
        for (place, share, other) in found {
            let (x, y) = (self.across(place), self.up(share));
            mark(out, kind, (x, y), false)?;
            anchored(
                out,
                (x, y + beside(kind, share, other)),
                "quiet number",
                "middle",
                &whole(share),
            )?;
        }
        Ok(())
    }

    fn held_out(
        &self,
        out: &mut String,
        kind: Kind,
        x: f64,
        rate: Option<Rate>,
    ) -> std::fmt::Result {
        let Some(rate) = rate else { return Ok(()) };
        let (Some(share), Some((low, high))) = (rate.share(), rate.interval()) else {
            return Ok(());
        };
        let (low, high) = (self.up(low), self.up(high));
        writeln!(
            out,
            "<line class=\"bar {}\" x1=\"{x:.1}\" y1=\"{low:.1}\" x2=\"{x:.1}\" y2=\"{high:.1}\"/>",
            class(kind)
        )?;
        mark(out, kind, (x, self.up(share)), true)
    }

    fn across(&self, place: usize) -> f64 {
        let steps = (self.levels.len().max(2) - 1) as f64;
        self.x + INSET + place as f64 * (WIDTH - 2.0 * INSET) / steps
    }

    fn up(&self, share: f64) -> f64 {
        self.y + HEIGHT * (1.0 - share)
    }
}

/// Where a figure stands: away from the other line, and within the panel.
fn beside(kind: Kind, share: f64, other: Option<f64>) -> f64 {
    let above = match other {
        Some(other) if other != share => share > other,
        _ => kind == Kind::Attack,
    };
    if above { -8.0 } else { 17.0 }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Attack => "attack",
        Kind::Innocent => "innocent",
    }
}

/// Attacks are round, innocents square: the colour is not all that tells them apart.
fn mark(out: &mut String, kind: Kind, (x, y): (f64, f64), hollow: bool) -> std::fmt::Result {
    let (size, more) = if hollow { (3.0, " hollow") } else { (4.0, "") };
    let class = class(kind);
    match kind {
        Kind::Attack => writeln!(
            out,
            "<circle class=\"{class}{more}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size}\"/>"
        ),
        Kind::Innocent => writeln!(
            out,
            "<rect class=\"{class}{more}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{}\" height=\"{}\"/>",
            x - size,
            y - size,
            size * 2.0,
            size * 2.0
        ),
    }
}

fn write_at(out: &mut String, at: (f64, f64), class: &str, text: &str) -> std::fmt::Result {
    anchored(out, at, class, "start", text)
}

fn anchored(
    out: &mut String,
    (x, y): (f64, f64),
    class: &str,
    anchor: &str,
    text: &str,
) -> std::fmt::Result {
    let text = escaped(text);
    writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    )
}

fn escaped(text: &str) -> String {
    visible_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
