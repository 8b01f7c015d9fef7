//! Lines of the log that would otherwise be as many as requests: the first of a kind is logged at once,
//! further ones are counted, and the count is logged once in a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the number of repetitions is logged.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The most kinds that are told apart at a time. What makes a kind may be chosen by a client, such as the
/// origin of a page; further kinds are counted together.
const MAX_KINDS: usize = 64;

/// The kind of all beyond that.
const OTHERS: &str = "";

/// How often each kind came since its last line. A kind that did not come for [`REPORT_EVERY`] is
/// forgotten.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    kinds: Mutex<HashMap<Box<str>, u64>>,
}

impl Repeats {
    /// Whether this is the first of its kind for a while, which is to be logged. Otherwise `report` is
    /// given the number of those that came since the last line, every [`REPORT_EVERY`] until none does.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub(crate) fn is_first(
        self: &Arc<Self>,
        kind: &str,
        report: impl Fn(u64) + Send + 'static,
    ) -> bool {
        let mut kinds = self.kinds();
        let kind = if kinds.len() < MAX_KINDS || kinds.contains_key(kind) {
            kind
        } else {
            OTHERS
        };
        if let Some(repeated) = kinds.get_mut(kind) {
            *repeated += 1;
            return false;
        }
        let kind: Box<str> = kind.into();
        kinds.insert(kind.clone(), 0);
        drop(kinds);
        let repeats = Arc::clone(self);
        // One task for each kind, which ends with the kind or with the runtime.
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REPORT_EVERY).await;
                match repeats.take(&kind) {
                    Some(number) => report(number),
                    None => return,
                }
            }
        });
        true
    }

    /// How many came since; nothing, if there were none, and the kind is forgotten.
    fn take(&self, kind: &str) -> Option<u64> {
        let mut kinds = self.kinds();
        let repeated = kinds.get_mut(kind)?;
        if *repeated > 0 {
            return Some(std::mem::take(repeated));
        }
        kinds.remove(kind);
        None
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<Box<str>, u64>> {
        // Nothing that panics leaves it half changed.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_at_once_and_the_others_by_their_number() {
        let repeats = Arc::new(Repeats::default());
        let (told, mut reports) = mpsc::channel(16);
        let is_first = |kind: &str| {
            let told = told.clone();
            repeats.is_first(kind, move |number| told.try_send(number).unwrap())
        };
        let begun = Instant::now();
        assert!(is_first("a"));
        assert!(is_first("b"));
        for _ in 0..1_000 {
            assert!(!is_first("a"));
        }
        assert_eq!(reports.recv().await, Some(1_000));
        assert_eq!(begun.elapsed().as_secs(), REPORT_EVERY.as_secs());
        assert!(!is_first("a"));
        assert_eq!(reports.recv().await, Some(1));
        // It was quiet for long enough.
        sleep(REPORT_EVERY * 2).await;
        assert!(repeats.kinds().is_empty());
        assert!(is_first("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn kinds_without_end_are_counted_together() {
        let repeats = Arc::new(Repeats::default());
        let first = (0..1_000).filter(|number| repeats.is_first(&number.to_string(), |_| {}));
        assert_eq!(first.count(), MAX_KINDS + 1);
        assert_eq!(repeats.kinds().len(), MAX_KINDS + 1);
    }
}
