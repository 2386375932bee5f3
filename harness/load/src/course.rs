//! What an open loop sends and when: by a schedule, or as a log tells.

use std::time::{Duration, Instant};

use crate::replay::Share;
use crate::schedule::Moments;

/// A request that is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    /// Which of the plan's requests; `None` is drawn.
    pub(crate) request: Option<usize>,
}

/// One thread's part.
#[derive(Debug)]
pub(crate) enum Course<'a> {
    Planned(Moments<'a>),
    Told(Share<'a>),
}

impl Course<'_> {
    /// Until when requests are due, if nothing ends them before.
    pub(crate) fn ends(&self, started: Instant, deadline: Instant) -> Instant {
        let lasts = match self {
            Course::Planned(moments) => moments.lasts(),
            Course::Told(share) => share.lasts(),
        };
        deadline.min(started + lasts)
    }

    /// The next, where it is due before the deadline.
    pub(crate) fn next_due(&mut self, started: Instant, deadline: Instant) -> Option<Due> {
        let (after, request): (Duration, _) = match self {
            Course::Planned(moments) => (moments.next()?, None),
            Course::Told(share) => share.next().map(|(after, request)| (after, Some(request)))?,
        };
        let at = started + after;
        (at < deadline).then_some(Due { at, request })
    }
}
