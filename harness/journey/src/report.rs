//! What a journey came to.

use edgeproof_load::{LoadError, LoadReport};

use crate::Plan;
use crate::tally::Tally;

/// The figures of a journey.
#[derive(Debug, Clone)]
pub struct Report {
    /// Of all steps together. Its octets are those of content; its `mean_us` is users × real time / requests, think
    /// times included.
    pub total: LoadReport,
    /// Of each.
    pub steps: Vec<StepReport>,
    /// How often a user did all steps.
    pub rounds: u64,
}

/// The figures of one step.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Its name, or its number from 1.
    pub name: String,
    /// Its figures.
    pub load: LoadReport,
}

impl Report {
    pub(crate) fn of(plan: &Plan, tally: Tally) -> Result<Self, LoadError> {
        let rounds = tally.rounds;
        let ((total, in_flight), steps) = tally.end();
        let mut each = Vec::with_capacity(steps.len());
        for (step, (recorder, in_flight)) in plan.steps.iter().zip(steps) {
            let load = recorder.end(plan.users, in_flight.forsaken, in_flight.unfinished)?;
            each.push(StepReport { name: step.name.clone(), load });
        }
        let total = total.end(plan.users, in_flight.forsaken, in_flight.unfinished)?;
        Ok(Self { total, steps: each, rounds })
    }
}
