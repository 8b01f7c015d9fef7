//! How the parts of a server learn that it ends, and what it waits for.

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

/// The end of a server. Nothing begins it for a mounted router, whose streams end with the engine.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    begun: CancellationToken,
    /// The same, to be looked at without a lock. Set before.
    has_begun: AtomicBool,
    /// The requests that change something whose connection has ended before them.
    changes: TaskTracker,
}

impl Drain {
    /// Tells every part that the server ends.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
        self.begun.cancel();
    }

    /// Whether the server ends.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Waits until the server ends. Every connection polls this beside each step of its own, so it
    /// asks to be woken once, and after that only looks.
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

    /// Makes a request that changes something go on to its end also when it is dropped.
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

    /// Waits for the requests that change something and outlived their connection, but not beyond
    /// `deadline`.
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
    /// Whether the request that is polled has outlived its connection.
    static ABANDONED: Cell<bool> = const { Cell::new(false) };
}

/// Awaits a part of a request that is of no use once the client has hung up, for example its place in a
/// line; `None` if it has.
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

/// A request whose connection has ended. Its parts can tell.
struct Abandoned<F>(F);

impl<F: Future + Unpin> Future for Abandoned<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        /// Takes the mark off also if the request panics.
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

/// A request that changes something. It is polled where it is awaited, which spares it a task; dropped
/// before its end, it becomes one.
#[derive(Debug)]
pub(crate) struct Finish<F>
where
    F: Future<Output: Send> + Send + Unpin + 'static,
{
    /// `None` once it has ended, or has panicked.
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
        // Taken out, so that one that panics is not polled again as a task.
        let mut request = self.request.take().expect("it is not polled after its end");
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
    async fn a_request_that_is_dropped_goes_on_to_its_end() {
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
    async fn a_part_of_no_use_ends_when_the_client_hangs_up() {
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
    async fn a_request_that_ended_or_panicked_is_no_task() {
        let drain = Drain::default();
        assert_eq!(drain.finish(Box::pin(async { 1 })).await, 1);
        let panicking = drain.finish(Box::pin(async { panic!("a fault") }));
        let panicked = std::panic::AssertUnwindSafe(panicking).catch_unwind().await;
        assert!(panicked.is_err());
        assert!(drain.changes.is_empty());
    }
}
