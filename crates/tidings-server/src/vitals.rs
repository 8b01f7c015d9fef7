//! Whether the tasks that a server cannot do without still run.

#[cfg(any(test, feature = "tls", feature = "jwt"))]
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;

use crate::panics;

/// A task that a server needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A task that serves live streams.
    Streams,
    /// The task that reads changed certificates, keys and revocations.
    #[cfg(any(feature = "tls", feature = "jwt"))]
    Files,
    /// The task that detects jumps of the wall clock.
    #[cfg(feature = "jwt")]
    Clock,
    /// The task that fetches keys.
    #[cfg(feature = "jwks-url")]
    Keys,
    /// The task that learns of the tokens that other servers revoke.
    #[cfg(feature = "jwt")]
    Revocations,
}

/// Notes the first task that has ended although it is needed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vitals {
    ended: Arc<OnceLock<Part>>,
}

impl Part {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Streams => "a task that serves live streams",
            #[cfg(any(feature = "tls", feature = "jwt"))]
            Self::Files => "the task that reads changed files",
            #[cfg(feature = "jwt")]
            Self::Clock => "the task that watches the clock",
            #[cfg(feature = "jwks-url")]
            Self::Keys => "the task that fetches the keys of tokens",
            #[cfg(feature = "jwt")]
            Self::Revocations => "the task that reads revoked tokens",
        }
    }
}

impl Vitals {
    /// Runs a task that never ends, and notes and logs it if the task panics. Only a restart brings the task
    /// back.
    #[cfg(any(test, feature = "tls", feature = "jwt"))]
    pub(crate) fn watch<F: Future<Output = Infallible>>(
        &self,
        part: Part,
        task: F,
    ) -> impl Future<Output = ()> + use<F> {
        self.watch_until(part, || false, task.map(|never| match never {}))
    }

    /// Same as [`Self::watch`], for a task that ends by itself, but not before `is_over`.
    pub(crate) fn watch_until<F: Future<Output = ()>, O: Fn() -> bool>(
        &self,
        part: Part,
        is_over: O,
        task: F,
    ) -> impl Future<Output = ()> + use<F, O> {
        let vitals = self.clone();
        async move {
            let reason = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(()) if is_over() => return,
                Ok(()) => "it returned too early".to_owned(),
                Err(panic) => panics::message(panic),
            };
            tracing::error!(
                part = part.name(),
                reason,
                "a part of the server has ended; restart the program"
            );
            // The first one is the cause of those that follow.
            let _ = vitals.ended.set(part);
        }
    }

    /// The task that has ended, if any.
    pub(crate) fn ended(&self) -> Option<Part> {
        self.ended.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Vitals};

    #[tokio::test]
    async fn notes_a_task_that_panics() {
        let vitals = Vitals::default();
        let failing = async { panic!("a fault") };
        vitals.watch(Part::Streams, failing).await;
        assert_eq!(vitals.ended(), Some(Part::Streams));
    }

    #[tokio::test]
    async fn notes_a_task_that_returns_too_early() {
        let vitals = Vitals::default();
        vitals.watch_until(Part::Streams, || true, async {}).await;
        assert_eq!(vitals.ended(), None);
        vitals.watch_until(Part::Streams, || false, async {}).await;
        assert_eq!(vitals.ended(), Some(Part::Streams));
    }
}
