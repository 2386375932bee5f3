//! Ctrl-C and its kin: the first ends the load and its report is written, the second ends the program.

use edgeproof_load::Watch;
use edgeproof_runner::Interrupts;

use crate::failure::Failure;

/// Runs `work`; an interruption meanwhile stops the watch.
pub(crate) fn stops<T>(watch: &Watch, work: impl FnOnce() -> T) -> Result<T, Failure> {
    let broken = |error: std::io::Error| Failure::Broken(format!("no handler of signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let (over, is_over) = tokio::sync::oneshot::channel::<()>();
    let mut interrupts = {
        let _entered = runtime.enter();
        Interrupts::listen().map_err(broken)?
    };
    Ok(std::thread::scope(|scope| {
        scope.spawn(|| {
            runtime.block_on(async {
                let twice = async {
                    interrupts.next().await;
                    watch.stop();
                    interrupts.next().await;
                    std::process::exit(130);
                };
                tokio::select! {
                    _ = is_over => {}
                    () = twice => {}
                }
            });
        });
        let result = work();
        drop(over);
        result
    }))
}
