//! Which events are kept, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings_event::Severity;

/// Which events are kept, and for how long. A background task deletes the others as their owner would: the
/// streams of the owner report the deletions, and the counts change with them.
///
/// By default, users' events are kept forever, the system's newest 10,000, and deletions for 30 days, at most
/// 100,000 of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// The maximum age of an event, from its creation; from its storage if it was created in the future or
    /// before 2001. `None` sets no maximum.
    pub age: Option<Duration>,
    /// The maximum age of events of a severity, instead of `age`.
    pub severity_age: BTreeMap<Severity, Duration>,
    /// The maximum number of events of one owner; those stored last are kept. `None` sets no maximum.
    pub owner_events: Option<u64>,
    /// The maximum number of system events; those stored last are kept.
    pub system_events: u64,
    /// The time for which a deletion is remembered. A client that was away for longer is told to fetch the
    /// list again.
    pub deleted_age: Duration,
    /// The maximum number of remembered deletions of one owner; the last ones are remembered. It bounds the
    /// space of an owner who publishes and deletes without end. Values below
    /// [`MIN_OWNER_DELETIONS`](Self::MIN_OWNER_DELETIONS) are raised to it.
    pub owner_deletions: u64,
    /// The time for which the background task rests when it has nothing to do.
    pub interval: Duration,
}

impl Retention {
    /// 10,000: a new user sees the recent events of the installation.
    pub const DEFAULT_SYSTEM_EVENTS: u64 = 10_000;
    /// 30 days: a device can be unused for a month.
    pub const DEFAULT_DELETED_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    /// 100,000, which take about 25 MB on disk.
    pub const DEFAULT_OWNER_DELETIONS: u64 = 100_000;
    /// 1,000. With fewer, clients that were away for a moment would have to fetch the list again.
    pub const MIN_OWNER_DELETIONS: u64 = 1_000;
    /// One minute.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

    /// The maximum age of events of `severity`.
    pub fn age_of(&self, severity: Severity) -> Option<Duration> {
        self.severity_age.get(&severity).copied().or(self.age)
    }

    /// Sets the maximum age of an event.
    #[must_use]
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// Sets the maximum age of events of `severity`.
    #[must_use]
    pub fn with_severity_age(mut self, severity: Severity, age: Duration) -> Self {
        self.severity_age.insert(severity, age);
        self
    }

    /// Sets the maximum number of events of one owner.
    #[must_use]
    pub fn with_owner_events(mut self, events: u64) -> Self {
        self.owner_events = Some(events);
        self
    }

    /// Sets the maximum number of system events.
    #[must_use]
    pub fn with_system_events(mut self, events: u64) -> Self {
        self.system_events = events;
        self
    }

    /// Sets the time for which a deletion is remembered.
    #[must_use]
    pub fn with_deleted_age(mut self, age: Duration) -> Self {
        self.deleted_age = age;
        self
    }

    /// Sets the maximum number of remembered deletions of one owner.
    #[must_use]
    pub fn with_owner_deletions(mut self, deletions: u64) -> Self {
        self.owner_deletions = deletions;
        self
    }

    /// Sets the time for which the background task rests when it has nothing to do.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
}

impl Default for Retention {
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
