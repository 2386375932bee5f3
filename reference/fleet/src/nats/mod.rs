//! The edge: what goes over NATS. Nothing here decides.

mod access;
mod store;

pub use access::{Access, AccessError};
pub use store::{Store, StoreError};
pub(crate) use store::{is_passing, names, publish, roster, text};

use crate::time::Moment;

/// A time of the server's clock.
pub(crate) fn moment(time: async_nats::datetime::DateTime) -> Moment {
    Moment(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}
