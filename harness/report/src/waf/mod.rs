//! How well a WAF tells attacks from innocent texts, at each of its settings: detection rate and
//! false-positive rate, from the scenarios that carry the tags for it.
//!
//! ```text
//! Event ─▶ Sample (attack or innocent; blocked, passed, or why nobody knows)
//!             │ by target, profile, paranoia level
//!             └─▶ Rates ─▶ Rate with its interval ─▶ table (Markdown), chart (SVG)
//! ```
//!
//! What counts is the wire and no verdict: a request that does not reach the origin is blocked. So a
//! failure that is listed as known counts as what it is. What a proxy refuses without any rule (a
//! recording with `--site waf=none`) is no merit of the rules, and is left out and listed.

mod chart;
mod count;
mod interval;
mod sample;
mod table;

use std::io::{self, Write};

use edgeproof_runner::event::Event;

pub(crate) use chart::chart;
pub(crate) use count::Rates;
pub(crate) use table::table;

use crate::Reporter;

/// One of the two documents, made when everything is known. Of each event only the samples are kept,
/// so that many recordings can be taken.
pub(crate) struct WafReport<W> {
    rates: Rates,
    writer: W,
    render: fn(&Rates) -> String,
}

impl<W> WafReport<W> {
    pub(crate) fn new(writer: W, render: fn(&Rates) -> String) -> Self {
        WafReport { rates: Rates::default(), writer, render }
    }
}

impl<W: Write + Send> Reporter for WafReport<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.rates.listen(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.write_all((self.render)(&self.rates).as_bytes())?;
        self.writer.flush()
    }
}
