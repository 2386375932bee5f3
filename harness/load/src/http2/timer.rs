//! A moment to the microsecond: the runtime's own timer counts in milliseconds.

use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::plan::LoadError;

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
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).map_err(std::io::Error::from)?;
        // What should follow it is unsafe, for descriptors that may be closed meanwhile: this one is ours.
        #[allow(deprecated)]
        let registered = AsyncFd::with_interest(Descriptor(timer), Interest::READABLE)?;
        Ok(Self(registered))
    }

    /// Waits so long.
    pub(super) async fn after(&self, time: Duration) -> Result<(), LoadError> {
        // Nothing at all would disarm it. Setting it forgets an expiration that nobody waited for.
        let time = TimeSpec::from_duration(time.max(Duration::from_nanos(1)));
        let flags = TimerSetTimeFlags::empty();
        self.0.get_ref().0.set(Expiration::OneShot(time), flags).map_err(std::io::Error::from)?;
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|timer| Ok(timer.get_ref().0.wait()?)) {
                Ok(waited) => return Ok(waited?),
                Err(_not_yet) => {}
            }
        }
    }
}
