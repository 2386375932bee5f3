//! Which request is next.

use crate::plan::LoadPlan;
use crate::random::Random;

/// Moments come from the same seed: numbers of their own keep what is drawn apart from when it is sent.
const OWN: u64 = 0xD1B5_4A32_D192_ED03;

/// Draws from the plan's mix by weight.
pub(crate) struct Draw {
    /// Sums of the weights up to each request; empty where there is only one.
    sums: Vec<u64>,
    random: Random,
}

impl Draw {
    pub(crate) fn new(plan: &LoadPlan, thread: usize) -> Self {
        let mut sum = 0;
        let sums = plan.mix.iter().map(|request| {
            sum += u64::from(request.weight);
            sum
        });
        let sums = if plan.mix.len() > 1 { sums.collect() } else { Vec::new() };
        Self { sums, random: Random::of_thread(plan.seed, thread, OWN) }
    }

    pub(crate) fn next(&mut self) -> usize {
        let Some(total) = self.sums.last() else { return 0 };
        let drawn = self.random.below(*total as usize) as u64;
        self.sums.partition_point(|sum| *sum <= drawn)
    }
}
