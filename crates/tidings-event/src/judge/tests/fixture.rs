//! Events to judge.

use serde_json::{Value, json};

use crate::draft::Draft;
use crate::id::SystemId;
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::{Limits, Violations};
use crate::warning::WarningCode;

pub(super) fn draft(body: impl std::fmt::Display) -> Result<Draft, Violations> {
    NewEvent::read(&body.to_string(), &Limits::default())
        .unwrap()
        .into_draft(&Limits::default(), Policy::Repair)
}

/// The field and code of each warning.
pub(super) fn warned(draft: &Draft) -> Vec<(&str, WarningCode)> {
    let warnings = draft.warnings().iter();
    warnings
        .map(|warning| (warning.field.as_str(), warning.code))
        .collect()
}

/// Publishes the listed event again and expects a repeat.
pub(super) fn assert_repeats(draft: Draft) {
    let system = SystemId::from_uuid(uuid::Uuid::from_u128(5));
    let (stored, digests) = draft.resolve(system);
    let listed = serde_json::to_value(&stored).unwrap();
    let again = self::draft(listed).unwrap();
    assert_eq!(again.warnings(), []);
    let (repeated, repeated_digests) = again.resolve(system);
    assert_eq!(repeated, stored);
    let timeless = digests.without_time.unwrap_or(digests.of_content);
    assert_eq!(repeated_digests.without_time, Some(timeless));
}

pub(super) fn good() -> Value {
    json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "connection",
           "action": "register", "severity": "success"})
}

pub(super) fn with(key: &str, value: Value) -> Value {
    let mut body = good();
    body[key] = value;
    body
}
