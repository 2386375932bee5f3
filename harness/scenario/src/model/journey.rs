//! `journey:` users who do several things one after another.

use std::time::Duration;

use edgeproof_diagnostics::Span;

use super::{Capture, Request, Status};

/// `journey: { name, users, time, steps }`: users at a time, each doing the same steps again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct JourneySpec {
    /// The name under which its figures are reported.
    pub name: String,
    /// Users at a time; `{{index}}` counts them from 0.
    pub users: usize,
    /// How often each does all steps; without it they go on until the time is up.
    pub iterations: Option<u64>,
    /// The most real time; without it, the case's.
    pub time: Option<Duration>,
    /// What each does.
    pub steps: Vec<JourneyStep>,
}

/// One thing that a user does.
#[derive(Debug, Clone, PartialEq)]
pub struct JourneyStep {
    /// Where it stands.
    pub span: Span,
    /// The name under which its figures are reported: its number, from 1, if none is given.
    pub name: String,
    /// The request. Cookies that earlier answers set are added to it.
    pub request: Request,
    /// What its status must be; any other is an error.
    pub status: Status,
    /// What the same user remembers for later steps, until it begins anew. Only of the answer.
    pub capture: Vec<Capture>,
    /// Real time from … to … before the user goes on, drawn evenly.
    pub think: (Duration, Duration),
}
