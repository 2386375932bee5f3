//! How long a client of a closed loop thinks before its next request.

use std::time::Duration;

use crate::plan::{LoadPlan, Pace};
use crate::random::Random;

/// Numbers of their own keep the times apart from what else is drawn with the same seed.
const OWN: u64 = 0x2545_F491_4F6C_DD1D;

/// One thread's clients: exponential times, as users have who do not know of each other (E. D. Lazowska et al.,
/// "Quantitative System Performance", 1984, §4.2: the terminal workload).
#[derive(Debug)]
pub(crate) struct Think {
    mean: Duration,
    random: Random,
}

impl Think {
    /// None where nobody thinks.
    pub(crate) fn of(plan: &LoadPlan, thread: usize) -> Option<Self> {
        let Pace::Closed { think, .. } = plan.pace else { return None };
        let random = Random::of_thread(plan.seed, thread, OWN);
        (!think.is_zero()).then_some(Self { mean: think, random })
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.mean.mul_f64(self.random.exponential())
    }
}
