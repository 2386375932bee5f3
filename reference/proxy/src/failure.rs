//! Why an exchange with an origin did not come to its end, and what the client is told.

use edgeproof_http1::Error;
use edgeproof_upstream::Refusal;

use crate::body::PumpError;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the origin cannot be reached")]
    Unreachable,
    #[error("the origin did not accept a connection in time")]
    ConnectTimeout,
    #[error("the origin did not answer in time")]
    OriginTimeout,
    /// `unused`: before a byte of a response came.
    #[error("the origin closed the connection in the middle of an exchange")]
    OriginClosed { unused: bool },
    #[error("the origin's response cannot be read: {0}")]
    OriginBroken(Error),
    #[error("the origin changed protocols without being asked")]
    OriginUpgraded,
    #[error("the request's body did not arrive in time")]
    ClientTimeout,
    #[error("the request's body cannot be read: {0} ({section})", section = .0.section())]
    ClientBroken(Error),
    #[error("the request's body is too large")]
    TooLarge,
    #[error("the client is gone")]
    ClientGone,
    /// The process behind the site is not there.
    #[error(transparent)]
    NoProcess(#[from] Refusal),
}

impl Failure {
    /// The status for the client, if there is anybody to tell.
    pub(crate) fn status(self) -> Option<u16> {
        Some(match self {
            Self::Unreachable
            | Self::OriginClosed { .. }
            | Self::OriginBroken(_)
            | Self::OriginUpgraded => 502,
            Self::ConnectTimeout | Self::OriginTimeout => 504,
            Self::ClientTimeout => 408,
            Self::ClientBroken(error) => error.status(),
            Self::TooLarge => 413,
            Self::ClientGone => return None,
            Self::NoProcess(Refusal::Failed) => 502,
            Self::NoProcess(Refusal::BackingOff { .. } | Refusal::Closing) => 503,
            Self::NoProcess(Refusal::Silent) => 504,
        })
    }

    /// Seconds after which another attempt may do better.
    pub(crate) fn retry_after(self) -> Option<u64> {
        match self {
            Self::NoProcess(Refusal::BackingOff { retry_after }) => Some(retry_after),
            _ => None,
        }
    }

    /// Whether the client's own request is to blame: its connection cannot go on.
    pub(crate) fn is_of_client(self) -> bool {
        matches!(
            self,
            Self::ClientTimeout | Self::ClientBroken(_) | Self::TooLarge | Self::ClientGone
        )
    }

    /// What a failed transport of the response means.
    pub(crate) fn of_download(error: &PumpError) -> Self {
        match error {
            PumpError::Read => Self::OriginClosed { unused: false },
            PumpError::ReadTimeout => Self::OriginTimeout,
            PumpError::Decode(error) => Self::OriginBroken(*error),
            PumpError::TooLarge => Self::TooLarge,
            PumpError::Write => Self::ClientGone,
        }
    }

    /// What a failed transport of the request's body means; `None` if it is the origin that no
    /// longer listens: its response decides.
    pub(crate) fn of_upload(error: &PumpError) -> Option<Self> {
        match error {
            PumpError::Read => Some(Self::ClientGone),
            PumpError::ReadTimeout => Some(Self::ClientTimeout),
            PumpError::Decode(error) => Some(Self::ClientBroken(*error)),
            PumpError::TooLarge => Some(Self::TooLarge),
            PumpError::Write => None,
        }
    }
}
