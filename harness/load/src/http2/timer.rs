//! A moment to the microsecond: the runtime's own timer counts in milliseconds.

use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::timerfd::TimerFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::plan::LoadError;
use crate::timer;

struct Descriptor(TimerFd);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// A timer that the runtime waits for.
pub(super) struct Timer(AsyncFd<Descriptor>);

impl Timer {
    pub(super) fn new() -> Result<Self, LoadError> {
        let timer = timer::new()?;
        // What should follow it is unsafe, for descriptors that may be closed meanwhile: this one is ours.
        #[allow(deprecated)]
        let registered = AsyncFd::with_interest(Descriptor(timer), Interest::READABLE)?;
        Ok(Self(registered))
    }

    /// Waits so long.
    pub(super) async fn after(&self, time: Duration) -> Result<(), LoadError> {
        timer::set(&self.0.get_ref().0, time)?;
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|timer| Ok(timer.get_ref().0.wait()?)) {
                Ok(waited) => return Ok(waited?),
                Err(_not_yet) => {}
            }
        }
    }
}
