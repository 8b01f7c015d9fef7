//! Limits log lines that requests cause. The first line of a kind is logged at once. Repeats are
//! counted, and their number is logged periodically.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time between two reports of the number of repeats.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The most kinds that are counted separately at a time. Clients can choose the kind, such as the
/// origin of a page. Further kinds are counted together.
const MAX_KINDS: usize = 64;

/// The common kind beyond [`MAX_KINDS`].
const OTHERS: &str = "";

/// The number of repeats of each kind since its last line. A kind without a repeat within
/// [`REPORT_EVERY`] is dropped.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    kinds: Mutex<HashMap<Box<str>, u64>>,
}

impl Repeats {
    /// Whether this is the first line of its kind, which the caller must log. Otherwise it is counted,
    /// and `report` gets the number of repeats every [`REPORT_EVERY`], until an interval has none.
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
        // Each kind has one task, which ends with the kind or with the runtime.
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

    /// The number of repeats since the last report. Without a repeat it returns `None` and drops the
    /// kind.
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
        // A panic cannot leave the map half changed.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn logs_the_first_line_at_once_and_counts_repeats() {
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
        // After an interval without repeats the kind is dropped.
        sleep(REPORT_EVERY * 2).await;
        assert!(repeats.kinds().is_empty());
        assert!(is_first("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn counts_kinds_beyond_the_maximum_together() {
        let repeats = Arc::new(Repeats::default());
        let first = (0..1_000).filter(|number| repeats.is_first(&number.to_string(), |_| {}));
        assert_eq!(first.count(), MAX_KINDS + 1);
        assert_eq!(repeats.kinds().len(), MAX_KINDS + 1);
    }
}
