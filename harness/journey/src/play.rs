//! goose, told what to play and when to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edgeproof_scenario::Part;
use edgeproof_scenario::model::Capture;
use goose::GooseAttack;
use goose::config::GooseConfiguration;
use goose::prelude::{GooseUser, Scenario, Transaction, TransactionFunction};
use tokio::sync::Notify;

use crate::hush::hush;
use crate::report::Report;
use crate::tally::Tally;
use crate::way::Way;
use crate::{JourneyError, Plan, visit};

/// What all users share.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    pub(crate) way: Way,
    /// What each step's captures take.
    pub(crate) parts: Vec<Vec<Part>>,
    tally: Mutex<Tally>,
    all_done: Notify,
}

/// Plays a journey and blocks until its end.
///
/// # Errors
/// When the plan is empty, or the system or goose gives no users. A target that refuses, resets, stalls or answers
/// with another status is a figure, not an error.
pub fn play(plan: Plan) -> Result<Report, JourneyError> {
    let numbers = [("users", plan.users), ("steps", plan.steps.len())];
    if let Some((name, _)) = numbers.into_iter().find(|(_, number)| *number == 0) {
        return Err(JourneyError::Empty(name));
    }
    if plan.iterations == Some(0) || plan.time.is_zero() {
        return Err(JourneyError::Empty("iterations"));
    }
    hush();
    let stage = Arc::new(Stage::new(plan)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let played = runtime.block_on(async {
        tokio::select! {
            biased;
            () = stage.all_done.notified() => Ok(()),
            () = tokio::time::sleep(stage.plan.time) => Ok(()),
            ended = attack(&stage) => ended,
        }
    });
    // Users who are still under way end with it.
    drop(runtime);
    played?;
    let tally = std::mem::replace(&mut *stage.tally(), Tally::begin(0)?);
    Ok(Report::of(&stage.plan, tally)?)
}

/// goose's own run, without an end.
async fn attack(stage: &Arc<Stage>) -> Result<(), JourneyError> {
    let shared = Arc::clone(stage);
    let enter: TransactionFunction = Arc::new(move |user: &mut GooseUser| {
        let stage = Arc::clone(&shared);
        Box::pin(async move { visit::enter(&stage, user).await })
    });
    let shared = Arc::clone(stage);
    let round: TransactionFunction = Arc::new(move |user: &mut GooseUser| {
        let stage = Arc::clone(&shared);
        Box::pin(async move {
            visit::round(&stage, user).await;
            Ok(())
        })
    });
    let journey = Scenario::new("journey")
        .set_host(&stage.way.base)
        .register_transaction(Transaction::new(enter).set_on_start())
        .register_transaction(Transaction::new(round));
    let attack = GooseAttack::initialize_with_config(configuration(&stage.plan))
        .map_err(|error| refused(&error))?;
    attack.register_scenario(journey).execute().await.map_err(|error| refused(&error))?;
    Ok(())
}

/// All users at once, and nothing of goose's own: no figures, no files, no controllers. Iterations are counted here
/// too: told of them, goose prints on standard output how many users there are.
fn configuration(plan: &Plan) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.users = Some(plan.users);
    configuration.hatch_rate = Some(AT_ONCE.to_owned());
    configuration.quiet = u8::MAX;
    configuration.no_metrics = true;
    configuration.no_print_metrics = true;
    configuration.no_telnet = true;
    configuration.no_websocket = true;
    configuration.no_gzip = true;
    configuration
}

/// Users a second, so many that goose does not wait between them.
const AT_ONCE: &str = "100000000";

fn refused(error: &goose::GooseError) -> JourneyError {
    JourneyError::Goose(error.to_string())
}

impl Stage {
    fn new(plan: Plan) -> Result<Self, JourneyError> {
        let parts = plan.steps.iter().map(|step| step.capture.iter().map(Capture::part).collect());
        let parts: Result<Vec<Vec<Part>>, _> = parts.collect();
        let way = Way::new(plan.address, &plan.host);
        way.client().build().map_err(|error| JourneyError::Goose(error.to_string()))?;
        Ok(Self {
            way,
            parts: parts.map_err(|error| JourneyError::Capture(error.to_string()))?,
            tally: Mutex::new(Tally::begin(plan.steps.len())?),
            all_done: Notify::new(),
            plan,
        })
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A user has done all that it should.
    pub(crate) fn user_done(&self) {
        let mut tally = self.tally();
        tally.done += 1;
        if tally.done == self.plan.users {
            self.all_done.notify_one();
        }
    }
}
