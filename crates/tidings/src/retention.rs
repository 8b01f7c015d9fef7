//! What is kept, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings_event::Severity;

/// How long events are kept. Whatever is not, a background task deletes as a user would: the streams
/// of its owner show it, and the counts follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long an event is kept, by when it was created; by when it was stored if that lies in the
    /// future or before 2001. `None` keeps all.
    pub age: Option<Duration>,
    /// How long events of a severity are kept, instead of `age`.
    pub severity_age: BTreeMap<Severity, Duration>,
    /// How many events of one owner are kept: those stored last. `None` keeps all.
    pub owner_events: Option<u64>,
    /// How many of the system's events are kept: those stored last.
    pub system_events: u64,
    /// How long a deletion is remembered. A reader that was away for longer is told to fetch the list.
    pub deleted_age: Duration,
    /// How many deletions of one owner are remembered: the last. It bounds what publishing and deleting
    /// without end costs; at least [`MIN_OWNER_DELETIONS`](Self::MIN_OWNER_DELETIONS) are.
    pub owner_deletions: u64,
    /// How long the background task rests when there is nothing to do.
    pub interval: Duration,
}

impl Retention {
    /// Enough for a user who joins to see what has happened to the installation lately.
    pub const DEFAULT_SYSTEM_EVENTS: u64 = 10_000;
    /// A device may lie in a drawer for a month.
    pub const DEFAULT_DELETED_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    /// About 25 MB on disk.
    pub const DEFAULT_OWNER_DELETIONS: u64 = 100_000;
    /// Fewer would cost readers their place who were away for a moment.
    pub const MIN_OWNER_DELETIONS: u64 = 1_000;
    /// Nothing is in a hurry.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

    /// How long events of `severity` are kept.
    pub fn age_of(&self, severity: Severity) -> Option<Duration> {
        self.severity_age.get(&severity).copied().or(self.age)
    }
}

impl Default for Retention {
    /// Users' events are kept for ever, the system's up to 10,000, deletions for 30 days and up to
    /// 100,000 of an owner.
    fn default() -> Self {
        Self {
            age: None,
            severity_age: BTreeMap::new(),
            owner_events: None,
            system_events: Self::DEFAULT_SYSTEM_EVENTS,
            deleted_age: Self::DEFAULT_DELETED_AGE,
            owner_deletions: Self::DEFAULT_OWNER_DELETIONS,
            interval: Self::DEFAULT_INTERVAL,
        }
    }
}
