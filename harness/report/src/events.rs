//! The events as they are, one JSON object a line: the recording from which every format can be made.

use std::{borrow::Cow, io};

use edgeproof_runner::event::Event;

use crate::Reporter;

pub(crate) struct EventLines<W> {
    writer: W,
}

impl<W> EventLines<W> {
    pub(crate) fn new(writer: W) -> Self {
        EventLines { writer }
    }
}

impl<W: io::Write + Send> Reporter for EventLines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(&measurable(event))?;
        line.push(b'\n');
        self.writer.write_all(&line)?;
        // Who watches sees it now, and a run that is killed has told what it found.
        self.writer.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// JSON has no word for NaN or infinity and serde_json writes `null`, which could not be read
/// again; a figure that is no number measured nothing, so it is left out.
fn measurable(event: &Event) -> Cow<'_, Event> {
    let Event::CaseFinished(case) = event else { return Cow::Borrowed(event) };
    let finite = |figure: &edgeproof_runner::event::Figure| {
        figure.value.is_finite() && figure.samples.iter().all(|sample| sample.is_finite())
    };
    if case.figures.iter().all(finite) {
        return Cow::Borrowed(event);
    }
    let mut case = case.clone();
    case.figures.retain(finite);
    Cow::Owned(Event::CaseFinished(case))
}
