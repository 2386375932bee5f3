//! A count of the bytes that a parser looked at or wrote, so that tests can hold it to be linear
//! without a clock. Outside of tests there is no counter and no cost.

#[cfg(test)]
thread_local! {
    static TAKEN: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes that `steps` bytes were looked at or written.
#[inline]
pub(super) fn took(steps: usize) {
    #[cfg(test)]
    TAKEN.with(|taken| taken.set(taken.get() + steps as u64));
    #[cfg(not(test))]
    let _ = steps;
}

/// What `work` gives, and the steps that it took.
#[cfg(test)]
pub(super) fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = TAKEN.with(std::cell::Cell::get);
    let result = work();
    (result, TAKEN.with(std::cell::Cell::get) - before)
}
