//! Limits and violations, the same for the builder and for HTTP.

use std::fmt;

/// The size limits of events and requests. Every rejection names its limit.
///
/// ```
/// use tidings_event::Limits;
///
/// let limits = Limits::default().with_description_bytes(1_024);
/// assert_eq!(limits.metadata_bytes, 65_536);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum length of a description, in bytes; 4 KiB by default.
    pub description_bytes: usize,
    /// The maximum size of metadata, in bytes of compact JSON; 64 KiB by default.
    pub metadata_bytes: usize,
    /// The maximum depth of metadata, in levels; the object itself is the first. 32 by default; values
    /// above [`Limits::MAX_METADATA_DEPTH`] are reduced to it.
    pub metadata_depth: usize,
    /// The maximum number of keys in metadata, including the keys of inner objects; 4,096 by default.
    pub metadata_keys: usize,
    /// The maximum size of an event, in bytes of JSON; 128 KiB by default.
    pub event_bytes: usize,
    /// The maximum number of events in a batch; 1,000 by default.
    pub batch_events: usize,
    /// The maximum size of a batch, in bytes of JSON; 4 MiB by default.
    pub batch_bytes: usize,
    /// The maximum number of ids in one change; 10,000 by default.
    pub change_ids: usize,
}

impl Limits {
    /// The greatest depth that every JSON parser can read; common ones stop at 128 levels.
    pub const MAX_METADATA_DEPTH: usize = 100;

    /// Sets the maximum length of a description, in bytes.
    #[must_use]
    pub const fn with_description_bytes(mut self, bytes: usize) -> Self {
        self.description_bytes = bytes;
        self
    }

    /// Sets the maximum size of metadata, in bytes of compact JSON.
    #[must_use]
    pub const fn with_metadata_bytes(mut self, bytes: usize) -> Self {
        self.metadata_bytes = bytes;
        self
    }

    /// Sets the maximum depth of metadata, in levels.
    #[must_use]
    pub const fn with_metadata_depth(mut self, levels: usize) -> Self {
        self.metadata_depth = levels;
        self
    }

    /// Sets the maximum number of keys in metadata.
    #[must_use]
    pub const fn with_metadata_keys(mut self, keys: usize) -> Self {
        self.metadata_keys = keys;
        self
    }

    /// Sets the maximum size of an event, in bytes of JSON.
    #[must_use]
    pub const fn with_event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }

    /// Sets the maximum number of events in a batch.
    #[must_use]
    pub const fn with_batch_events(mut self, events: usize) -> Self {
        self.batch_events = events;
        self
    }

    /// Sets the maximum size of a batch, in bytes of JSON.
    #[must_use]
    pub const fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Sets the maximum number of ids in one change.
    #[must_use]
    pub const fn with_change_ids(mut self, ids: usize) -> Self {
        self.change_ids = ids;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            description_bytes: 4 * 1024,
            metadata_bytes: 64 * 1024,
            metadata_depth: 32,
            // 16 bytes for a key and its value on average. Denser metadata takes many times the size of
            // its JSON in memory.
            metadata_keys: 4_096,
            event_bytes: 128 * 1024,
            batch_events: 1_000,
            batch_bytes: 4 * 1024 * 1024,
            change_ids: 10_000,
        }
    }
}

/// One violation of the rules: the field, the fault and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The JSON name of the field; in a batch with the index of the event: `[3].category`.
    pub field: String,
    /// The fault, such as `is missing`.
    pub fault: String,
    /// The remedy: an instruction for the publisher.
    pub remedy: String,
}

impl Violation {
    /// A violation in `field`.
    pub fn new(
        field: impl Into<String>,
        fault: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            fault: fault.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.field, self.fault, self.remedy)
    }
}

/// All violations of an event, reported together. Never empty when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The violations in the order of the fields.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// Whether there is no violation.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a violation.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        fault: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Violation::new(field, fault, remedy));
    }

    /// Adds the violations of the event at `index` of a batch.
    pub fn extend_from_batch(&mut self, index: usize, of_one: Self) {
        self.0
            .extend(of_one.0.into_iter().map(|violation| Violation {
                field: format!("[{index}].{}", violation.field),
                ..violation
            }));
    }

    /// Adds the violations of another part of the same event.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// `Ok` if there is no violation.
    ///
    /// # Errors
    ///
    /// The violations, if there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
