//! What may be in an event, for the builder and HTTP alike.

use std::fmt;

/// The sizes an event must keep to. All are configurable; every refusal names its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest description, in bytes.
    pub description_bytes: usize,
    /// The largest metadata, in bytes of compact JSON.
    pub metadata_bytes: usize,
    /// The deepest metadata, in levels; the object itself is the first. More than
    /// [`Limits::MAX_METADATA_DEPTH`] counts as that.
    pub metadata_depth: usize,
    /// The most keys in metadata, those of its inner objects with them.
    pub metadata_keys: usize,
    /// The largest event, in bytes of JSON.
    pub event_bytes: usize,
    /// The most events in a batch.
    pub batch_events: usize,
    /// The largest batch, in bytes of JSON.
    pub batch_bytes: usize,
    /// The most events that one change names by their ids.
    pub change_ids: usize,
}

impl Limits {
    /// What JSON parsers can be trusted to read back; common ones stop at 128 levels.
    pub const MAX_METADATA_DEPTH: usize = 100;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            description_bytes: 4 * 1024,
            metadata_bytes: 64 * 1024,
            metadata_depth: 32,
            // A key with its value in 16 bytes on average: denser metadata would be a table, and in
            // memory many times as large as its JSON.
            metadata_keys: 4_096,
            event_bytes: 128 * 1024,
            batch_events: 1_000,
            batch_bytes: 4 * 1024 * 1024,
            change_ids: 10_000,
        }
    }
}

/// One fault of an event: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's JSON name, with an index before it in a batch: `[3].category`.
    pub field: String,
    /// What is wrong with it.
    pub fault: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.field, self.fault, self.remedy)
    }
}

/// Everything that is wrong with an event, at once. Never empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The faults, in the order of the fields.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a fault.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        fault: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Violation {
            field: field.into(),
            fault: fault.into(),
            remedy: remedy.into(),
        });
    }

    /// Takes over the faults of the event at `index` of a batch.
    pub fn extend_from_batch(&mut self, index: usize, of_one: Self) {
        self.0
            .extend(of_one.0.into_iter().map(|violation| Violation {
                field: format!("[{index}].{}", violation.field),
                ..violation
            }));
    }

    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    ///
    /// The faults, if there are any.
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
