//! Telling something that waits to stop.

use tokio::sync::watch;

/// Tells to stop: becomes true.
pub type Stop = watch::Receiver<bool>;

/// Waits until it is told. Where nobody is left who could, for ever.
pub(crate) async fn told(stop: &mut Stop) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
