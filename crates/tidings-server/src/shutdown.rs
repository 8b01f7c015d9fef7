//! How the parts of a server learn that it ends, and what it waits for.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The end of a server. Nothing begins it for a mounted router, whose streams end with the engine.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    begun: CancellationToken,
    /// The requests that change something, each a task of its own.
    changes: TaskTracker,
}

impl Drain {
    /// Tells every part that the server ends.
    pub(crate) fn begin(&self) {
        self.begun.cancel();
    }

    /// Whether the server ends.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until the server ends.
    pub(crate) async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Waits until it is one stream's turn to end: at a random moment within `spread` of the drain's
    /// begin.
    pub(crate) fn farewell(
        &self,
        spread: Duration,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        let begun = self.begun.clone();
        async move {
            begun.cancelled_owned().await;
            tokio::time::sleep(spread.mul_f64(fastrand::f64())).await;
        }
    }

    /// Begins a request that changes something, which goes on to its end also when the returned future is dropped.
    pub(crate) fn finish<F>(&self, request: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let running = self.changes.spawn(request);
        async {
            match running.await {
                Ok(output) => output,
                Err(stopped) if stopped.is_panic() => {
                    std::panic::resume_unwind(stopped.into_panic())
                }
                // Only a runtime that shuts down cancels the task, and it drops this future too.
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Waits for the requests that change something, but not beyond `deadline`.
    pub(crate) async fn wait_for_changes(&self, deadline: Instant) {
        self.changes.close();
        if timeout_at(deadline, self.changes.wait()).await.is_err() {
            tracing::warn!(
                requests = self.changes.len(),
                "requests that change something were still unfinished at the end of the grace time"
            );
        }
    }
}
