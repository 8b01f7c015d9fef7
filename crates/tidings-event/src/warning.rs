//! What was repaired in an event, for the answer to its publisher.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most warnings that one event gets. A sender that makes more mistakes sees the first ones.
const MAX_WARNINGS: usize = 32;

/// What was done to a field, as a stable word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningCode {
    /// It was too large: a part is stored, and `metadata.truncated` says how much.
    Truncated,
    /// Characters that cannot be stored were replaced by U+FFFD.
    CharactersReplaced,
    /// It had another form or type, and is stored in the documented one.
    Converted,
    /// It was missing or unreadable, and has its default.
    Defaulted,
    /// It could not stay where it was, and is stored under another key of the metadata.
    Moved,
    /// It was given more than once; the last value counts.
    Duplicate,
    /// A code that a newer server knows and this version does not. No server sends it.
    #[serde(other)]
    Unknown,
}

impl WarningCode {
    /// Every code that a server of this version sends.
    pub const ALL: [Self; 6] = [
        Self::Truncated,
        Self::CharactersReplaced,
        Self::Converted,
        Self::Defaulted,
        Self::Moved,
        Self::Duplicate,
    ];
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One repair of an event that was stored all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// The field's JSON name, such as `severity` or `metadata.doc`.
    pub field: String,
    /// What was done to it.
    pub code: WarningCode,
    /// What was given and what is stored, in one sentence.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Adds a warning, unless there are as many as an event may have or the same repair is noted already.
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
    warnings.push(Warning {
        field: field.to_owned(),
        code,
        message: message.into(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_bounded_number_of_warnings_and_none_twice() {
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
    fn every_code_reads_back_and_a_newer_one_is_unknown() {
        for code in WarningCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(serde_json::from_str::<WarningCode>(&json).unwrap(), code);
            assert_eq!(json, format!("\"{code}\""));
        }
        let newer: WarningCode = serde_json::from_str("\"of_a_newer_server\"").unwrap();
        assert_eq!(newer, WarningCode::Unknown);
    }
}
