//! A timer that wakes a poll to the microsecond: epoll itself counts in milliseconds.

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::plan::LoadError;

/// Its token: no connection has it.
pub(crate) const TIMER: Token = Token(usize::MAX);

/// A timer that is not set.
pub(crate) fn new() -> Result<TimerFd, LoadError> {
    let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
    Ok(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).map_err(std::io::Error::from)?)
}

/// Sets it; an expiration that nobody waited for is forgotten.
pub(crate) fn set(timer: &TimerFd, after: Duration) -> Result<(), LoadError> {
    // Nothing at all would disarm it.
    let after = TimeSpec::from_duration(after.max(Duration::from_nanos(1)));
    let set = timer.set(Expiration::OneShot(after), TimerSetTimeFlags::empty());
    Ok(set.map_err(std::io::Error::from)?)
}

pub(crate) struct Timer(TimerFd);

impl Timer {
    pub(crate) fn new(poll: &Poll) -> Result<Self, LoadError> {
        let timer = new()?;
        let descriptor = timer.as_fd().as_raw_fd();
        poll.registry().register(&mut SourceFd(&descriptor), TIMER, Interest::READABLE)?;
        Ok(Self(timer))
    }

    pub(crate) fn set(&self, after: Duration) -> Result<(), LoadError> {
        set(&self.0, after)
    }
}
