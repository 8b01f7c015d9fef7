//! Repairs of an event, reported to its publisher.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The maximum number of warnings of one event. Further ones are dropped.
const MAX_WARNINGS: usize = 32;

/// The kind of a repair, as a stable word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningCode {
    /// The value was too large. A part is stored, and `metadata.truncated` has the original size.
    Truncated,
    /// Characters that cannot be stored were replaced by U+FFFD.
    CharactersReplaced,
    /// The value had another form or type and is stored in the documented one.
    Converted,
    /// The value was missing or unreadable. The default is stored.
    Defaulted,
    /// The value is not allowed in its field and is stored under another key of the metadata.
    Moved,
    /// The field was given more than once. The last value is stored.
    Duplicate,
    /// A later update is stored already, so this one was dropped.
    Outdated,
    /// The event has expired already, so it is deleted at once.
    Expired,
    /// A code that only a newer version knows. No server sends it.
    #[serde(other)]
    Unknown,
}

impl WarningCode {
    /// Every code that this version sends.
    pub const ALL: [Self; 8] = [
        Self::Truncated,
        Self::CharactersReplaced,
        Self::Converted,
        Self::Defaulted,
        Self::Moved,
        Self::Duplicate,
        Self::Outdated,
        Self::Expired,
    ];
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One repair of a stored event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Warning {
    /// The JSON name of the field, such as `severity` or `metadata.doc`.
    pub field: String,
    /// The kind of repair.
    pub code: WarningCode,
    /// The given and the stored value, in one sentence.
    pub message: String,
}

impl Warning {
    /// A warning about a field.
    pub fn new(field: impl Into<String>, code: WarningCode, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Adds a warning, unless the event has the maximum number or the same warning already.
pub(crate) fn warn(
    warnings: &mut Vec<Warning>,
    field: &str,
    code: WarningCode,
    message: impl Into<String>,
) {
    let known = warnings
        .iter()
        .any(|warning| warning.code == code && warning.field == field);
    if known || warnings.len() >= MAX_WARNINGS {
        return;
    }
    warnings.push(Warning::new(field, code, message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_the_number_of_warnings_and_drops_duplicates() {
        let mut warnings = Vec::new();
        for number in 0..100 {
            let field = format!("metadata.k{number}");
            warn(&mut warnings, &field, WarningCode::Converted, "a");
            warn(&mut warnings, &field, WarningCode::Converted, "b");
        }
        assert_eq!(warnings.len(), MAX_WARNINGS);
        assert!(warnings.iter().all(|warning| warning.message == "a"));
    }

    #[test]
    fn parses_every_code_and_maps_newer_ones_to_unknown() {
        for code in WarningCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(serde_json::from_str::<WarningCode>(&json).unwrap(), code);
            assert_eq!(json, format!("\"{code}\""));
        }
        let newer: WarningCode = serde_json::from_str("\"of_a_newer_server\"").unwrap();
        assert_eq!(newer, WarningCode::Unknown);
    }
}
