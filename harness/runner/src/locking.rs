//! Locks of the standard library, where what they guard is whole at any time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks also after a panic of another holder: the data behind it are counters and lists.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
