//! Whether requests were served: what it costs to refuse is not what it costs to serve.

use crate::figures::Shot;

/// Where more than this share fails, a server does not serve.
pub(crate) const MOST_FAILED: f64 = 0.01;

/// A server that answers a smaller share of what is offered is overloaded: that rate does not hold, and its time says
/// nothing of its law.
pub(crate) const KEPT_UP: f64 = 0.95;

/// Of requests that failed in any number nothing can be foretold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unserved {
    /// None was answered.
    #[error("none of its requests was answered")]
    None,
    /// Too many failed.
    #[error("{:.1} % of its {requests} requests failed", share * 100.0)]
    Failed {
        /// As a share.
        share: f64,
        /// All requests.
        requests: u64,
    },
}

/// Whether something can be foretold from these requests.
///
/// # Errors
/// When none was answered, or more than 1 % failed.
pub fn served(shot: &Shot) -> Result<(), Unserved> {
    let (share, requests) = (shot.share_failed(), shot.requests + shot.errors);
    match shot.requests {
        0 => Err(Unserved::None),
        _ if share > MOST_FAILED => Err(Unserved::Failed { share, requests }),
        _ => Ok(()),
    }
}
