//! Whether the tasks that a server cannot do without still run.

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

/// Notes the first task that has ended by a panic. Clones share it.
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
    /// Runs a task, and notes and logs it if the task panics. Only a restart brings the task back.
    pub(crate) fn watch<F: Future<Output = ()>>(
        &self,
        part: Part,
        task: F,
    ) -> impl Future<Output = ()> + use<F> {
        let vitals = self.clone();
        async move {
            let Err(panic) = AssertUnwindSafe(task).catch_unwind().await else {
                return;
            };
            tracing::error!(
                part = part.name(),
                reason = panics::message(panic),
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
    async fn notes_the_first_task_that_panics() {
        let vitals = Vitals::default();
        vitals.watch(Part::Streams, async {}).await;
        assert_eq!(vitals.ended(), None);
        vitals
            .watch(Part::Streams, async { panic!("a fault") })
            .await;
        assert_eq!(vitals.ended(), Some(Part::Streams));
    }
}
