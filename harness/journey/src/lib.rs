//! Users who do several things one after another: log in, read, post, with think times, cookies and what they were
//! told before.
//!
//! ```text
//! Plan ─▶ goose (users, each with its cookies) ─▶ visit (a user's steps) ─▶ tally ─▶ Report, figures as those of a load
//! ```
//!
//! goose plays the users; what they measure is counted here, in microseconds and with the same figures as
//! [`edgeproof_load`] has. It is a closed loop: a user whose page is slow comes later to the next.
//! One thread plays all users, so that the generator's own processor time is known.

#![forbid(unsafe_code)]

mod hush;
mod play;
mod report;
mod tally;
mod visit;
mod way;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_load::LoadError;
use edgeproof_scenario::model::JourneyStep;

pub use play::play;
pub use report::{Report, StepReport};

/// A bounded journey.
#[derive(Clone)]
pub struct Plan {
    /// Where the target listens.
    pub address: SocketAddr,
    /// The site's host name. Cookies are set for it.
    pub host: String,
    /// Users at a time.
    pub users: usize,
    /// How often each does all steps; without it they go on until the time is up.
    pub iterations: Option<u64>,
    /// The most real time. Requests in flight then are counted as unfinished.
    pub time: Duration,
    /// What each does. A step that does not come to what it must ends the user's round, and the user begins anew.
    pub steps: Vec<JourneyStep>,
    /// The values of variables that no step captures; `index` is the user's number, whatever this says.
    pub known: Lookup,
}

/// The values of variables by their names.
pub type Lookup = Arc<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("address", &self.address)
            .field("host", &self.host)
            .field("users", &self.users)
            .field("iterations", &self.iterations)
            .field("time", &self.time)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// Why a journey could not be played at all.
#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    /// A number of the plan is zero.
    #[error("a journey needs at least one of `{0}`, found none")]
    Empty(&'static str),
    /// A capture's regex is none.
    #[error("a capture of the journey: {0}")]
    Capture(String),
    /// goose refused.
    #[error("the journey could not be played: {0}")]
    Goose(String),
    /// The figures could not be kept.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system gave no runtime.
    #[error("the journey could not be played: {0}")]
    System(#[from] std::io::Error),
}
