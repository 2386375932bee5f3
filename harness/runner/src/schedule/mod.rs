//! Which cases are played on which target, when, and what their verdicts are.
//!
//! ```text
//! cases × targets × repeats ─select─▶ skip (reason)
//!                              └────▶ plays ─▶ waves (no host name twice) ─▶ start target ─▶ in parallel,
//!                                               then one after another ─▶ verdict ─▶ events
//!                                               (failed as the machine did not serve it ─▶ played again,
//!                                                with what it found in the result's `earlier`)
//! ```

mod finished;
mod machine;
mod options;
mod pair;
mod plan;
mod select;
mod sharing;
mod stage;
mod target_run;
mod verdict;

use std::sync::Arc;
use std::time::Instant;

use edgeproof_scenario::model::{Case, Setting};
use edgeproof_target::TargetSpec;
use tokio::sync::{mpsc, watch};

pub use options::{RunError, RunOptions};
pub use pair::{Fired, Pair, PairError, Shot};

use crate::Interrupts;
use crate::event::{EVENT_VERSION, Event, TargetInfo};
use crate::logs::RuleIds;
use crate::origin::OriginServer;

/// Plays all cases on all targets and hands every event to `sink`, on the calling thread. Blocks until
/// the end; what [`Interrupts`] listens for ends it early and orderly.
///
/// Results have the numbers of file order, target by target, and are the same for every `jobs`.
///
/// # Errors
/// The harness itself cannot run: no runtime, no listener for the origin. Whatever happens to targets
/// and cases is an event.
pub fn run(
    cases: &[Case],
    targets: &[TargetSpec],
    options: &RunOptions,
    sink: &mut dyn FnMut(Event),
) -> Result<(), RunError> {
    RuleIds::new(options.rule_ids.as_deref()).map_err(RunError::RuleIds)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let outcome = runtime.block_on(async {
        let (events, mut coming) = mpsc::unbounded_channel();
        let cases = cases.iter().map(|case| Arc::new(set(case, &options.settings))).collect();
        let targets = targets.iter().cloned().map(Arc::new).collect();
        let work = tokio::spawn(conduct(cases, targets, options.clone(), events));
        while let Some(event) = coming.recv().await {
            sink(event);
        }
        work.await.map_err(|error| RunError::Broken(error.to_string()))?
    });
    // A load or a name look-up that still blocks must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// The case with what holds for all sites of the run.
fn set(case: &Case, settings: &[Setting]) -> Case {
    let mut case = case.clone();
    settings.iter().for_each(|setting| setting.apply(&mut case.site));
    case
}

async fn conduct(
    cases: Vec<Arc<Case>>,
    targets: Vec<Arc<TargetSpec>>,
    options: RunOptions,
    events: mpsc::UnboundedSender<Event>,
) -> Result<(), RunError> {
    let began = Instant::now();
    let origin = OriginServer::start(options.origin_address()).await.map_err(RunError::Origin)?;
    let stopping = stop_when_asked();
    let (available, missing) = sort_out(&targets, &options).await?;
    let each = cases.len() * options.repeat.max(1);
    emit(&events, started(&targets, available.len() * each, &options));
    for event in missing {
        emit(&events, event);
    }
    let machine = machine::Machine::watch().map_err(RunError::Runtime)?;
    let house = target_run::House {
        origin: &origin,
        machine: &machine,
        options: &options,
        events: &events,
        stopping: &stopping,
    };
    for (number, target) in available.iter().enumerate() {
        if !*stopping.borrow() {
            house.play_all(target, &cases, number * each).await;
        }
    }
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    emit(&events, Event::RunFinished { duration_ms, interrupted: *stopping.borrow() });
    Ok(())
}

/// Nobody listens any more only when the caller is gone.
fn emit(events: &mpsc::UnboundedSender<Event>, event: Event) {
    let _ = events.send(event);
}

fn stop_when_asked() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        match Interrupts::listen() {
            Ok(mut interrupts) => interrupts.next().await,
            // Without handlers the system ends the process; there is nothing to wait for.
            Err(_) => std::future::pending().await,
        }
        tell.send_replace(true);
        // Kept, so that the receivers stay valid to the end of the run.
        tell.closed().await;
    });
    told
}

fn started(targets: &[Arc<TargetSpec>], planned: usize, options: &RunOptions) -> Event {
    let info = |target: &Arc<TargetSpec>| TargetInfo {
        name: target.name.clone(),
        title: target.title.clone(),
        kind: target.kind().to_owned(),
        clock: target.clock.as_str().to_owned(),
        declares: target.declares.clone(),
        negative_control: target.negative_control,
    };
    Event::RunStarted {
        version: EVENT_VERSION,
        tool: options.tool.clone(),
        started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        planned,
        targets: targets.iter().map(info).collect(),
    }
}

/// The targets that can be had here, and what is said of the others.
async fn sort_out(
    targets: &[Arc<TargetSpec>],
    options: &RunOptions,
) -> Result<(Vec<Arc<TargetSpec>>, Vec<Event>), RunError> {
    let (mut available, mut missing) = (Vec::new(), Vec::new());
    for target in targets {
        let asked = Arc::clone(target);
        // May ask a container engine, which blocks.
        let answer = tokio::task::spawn_blocking(move || asked.available())
            .await
            .map_err(|error| RunError::Broken(error.to_string()))?;
        match answer {
            Ok(()) => available.push(Arc::clone(target)),
            Err(why) => missing.push(Event::TargetUnavailable {
                target: target.name.clone(),
                reason: why.to_string(),
                required: options.require.contains(&target.name),
            }),
        }
    }
    Ok((available, missing))
}
