//! Ctrl-C: the first ends the load and its report is written, the second ends the program.

use edgeproof_load::Watch;

use crate::failure::Failure;

/// Runs `work`; an interruption meanwhile stops the watch.
pub(crate) fn stops<T>(watch: &Watch, work: impl FnOnce() -> T) -> Result<T, Failure> {
    let broken = |error: std::io::Error| Failure::Broken(format!("no handler of signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let (over, is_over) = tokio::sync::oneshot::channel::<()>();
    let mut interrupt = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(broken)?
    };
    Ok(std::thread::scope(|scope| {
        scope.spawn(|| {
            runtime.block_on(async {
                let twice = async {
                    interrupt.recv().await;
                    watch.stop();
                    interrupt.recv().await;
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
