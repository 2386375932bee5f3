//! The time that a process's log, idle time and back-off go by.

use std::pin::Pin;

use jiff::{Timestamp, Zoned};

/// A site's clock.
pub trait Clock: Send + Sync + 'static {
    /// The time now, in the site's zone.
    fn now(&self) -> Zoned;

    /// Ends once the clock shows `instant` or later.
    fn reaches(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
