//! The shutdown signal, and the requests that a shutdown waits for.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The shutdown of a server. A mounted router never begins it: its streams end with the engine.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    begun: CancellationToken,
    /// Whether `begun` is cancelled, readable without a lock. It is set first.
    has_begun: AtomicBool,
    /// The requests that change something and have outlived their connection.
    changes: TaskTracker,
}

impl Drain {
    /// Begins the shutdown.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
        self.begun.cancel();
    }

    /// Whether the shutdown has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Waits for the begin of the shutdown. Every connection polls this with each of its own steps, so
    /// this registers its waker once and afterwards only checks the flag.
    pub(crate) async fn begun(&self) {
        let mut begun = pin!(self.begun.cancelled());
        let mut asked: Option<Waker> = None;
        poll_fn(|context| {
            if self.has_begun() {
                return Poll::Ready(());
            }
            let waker = context.waker();
            if asked.as_ref().is_some_and(|asked| asked.will_wake(waker)) {
                return Poll::Pending;
            }
            asked = Some(waker.clone());
            begun.as_mut().poll(context)
        })
        .await;
    }

    /// Waits for the end of one stream: a random moment within `spread` after the begin of the
    /// shutdown.
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

    /// Runs a request that changes something to completion, even if the returned future is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub(crate) fn finish<F>(&self, request: F) -> Finish<F>
    where
        F: Future<Output: Send> + Send + Unpin + 'static,
    {
        Finish {
            request: Some(request),
            abandoned: self.changes.clone(),
            runtime: Handle::current(),
        }
    }

    /// Waits until `deadline` for the requests that change something and have outlived their
    /// connection.
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

thread_local! {
    /// Whether the request that is being polled has outlived its connection.
    static ABANDONED: Cell<bool> = const { Cell::new(false) };
}

/// Awaits a part of a request that is useless after the client has disconnected, such as its wait in a
/// queue. Returns `None` if the client has disconnected.
pub(crate) async fn unless_abandoned<F: Future>(part: F) -> Option<F::Output> {
    let mut part = pin!(part);
    poll_fn(|context| {
        if ABANDONED.get() {
            return Poll::Ready(None);
        }
        part.as_mut().poll(context).map(Some)
    })
    .await
}

/// A request that has outlived its connection. [`unless_abandoned`] detects it.
struct Abandoned<F>(F);

impl<F: Future + Unpin> Future for Abandoned<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        /// Clears the mark, even if the request panics.
        struct Marked;
        impl Drop for Marked {
            fn drop(&mut self) {
                ABANDONED.set(false);
            }
        }
        ABANDONED.set(true);
        let _marked = Marked;
        Pin::new(&mut self.0).poll(context)
    }
}

/// A request that changes something. Its caller polls it without a task of its own. If it is dropped
/// before it has completed, it continues as a task.
#[derive(Debug)]
pub(crate) struct Finish<F>
where
    F: Future<Output: Send> + Send + Unpin + 'static,
{
    /// `None` after the request has completed or panicked.
    request: Option<F>,
    abandoned: TaskTracker,
    runtime: Handle,
}

impl<F> Future for Finish<F>
where
    F: Future<Output: Send> + Send + Unpin + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out, so that a request that panics does not continue as a task.
        let mut request = self
            .request
            .take()
            .expect("a completed request is not polled again");
        let polled = Pin::new(&mut request).poll(context);
        if polled.is_pending() {
            self.request = Some(request);
        }
        polled
    }
}

impl<F> Drop for Finish<F>
where
    F: Future<Output: Send> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.abandoned.spawn_on(Abandoned(request), &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn completes_a_dropped_request() {
        let drain = Drain::default();
        let (begin, begun) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let polled = drain.finish(Box::pin(async move {
            let _ = begun.await;
            let _ = done.send("polled");
        }));
        let mut polled = Box::pin(polled);
        assert!((&mut polled).now_or_never().is_none());
        drop(polled);
        let (never_done, never_ended) = oneshot::channel();
        drop(drain.finish(Box::pin(async move { never_done.send("never polled") })));
        drop(begin);
        drain
            .wait_for_changes(Instant::now() + Duration::from_secs(60))
            .await;
        assert_eq!(ended.await, Ok("polled"));
        assert_eq!(never_ended.await, Ok("never polled"));
    }

    #[tokio::test]
    async fn drops_a_useless_wait_when_the_client_hangs_up() {
        let drain = Drain::default();
        let (done, ended) = oneshot::channel();
        let mut polled = drain.finish(Box::pin(async move {
            let waited = unless_abandoned(std::future::pending::<()>()).await;
            let _ = done.send(waited);
        }));
        assert!((&mut polled).now_or_never().is_none());
        drop(polled);
        assert_eq!(ended.await, Ok(None));
        assert_eq!(unless_abandoned(async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn spawns_no_task_for_a_completed_or_panicked_request() {
        let drain = Drain::default();
        assert_eq!(drain.finish(Box::pin(async { 1 })).await, 1);
        let panicking = drain.finish(Box::pin(async { panic!("a fault") }));
        let panicked = std::panic::AssertUnwindSafe(panicking).catch_unwind().await;
        assert!(panicked.is_err());
        assert!(drain.changes.is_empty());
    }
}
