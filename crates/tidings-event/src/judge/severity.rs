//! The severity of a published event.

use super::Judge;
use crate::given::Given;
use crate::quote::shortened;
use crate::severity::Severity;
use crate::stored_cause;
use crate::warning::WarningCode;

impl Judge {
    /// Reads the severity. A missing or unknown one becomes `error` if the event has a cause, otherwise
    /// `informational`.
    pub(super) fn severity(&mut self, given: Given<Severity>) -> Severity {
        let text = match given {
            Given::Value(severity) => return severity,
            Given::Absent => None,
            Given::Malformed(text) => Some(text),
        };
        let meant = text.as_deref().and_then(Severity::meant_by);
        let default = if self.metadata.as_ref().is_some_and(stored_cause::is_given) {
            Severity::Error
        } else {
            Severity::Informational
        };
        let quoted = text.as_deref().map(shortened).unwrap_or_default();
        if !self.repairs() {
            let all = || Severity::ALL.map(Severity::as_str).join(", ");
            match (&text, meant) {
                (None, _) => {
                    self.reject("severity", "is missing", format!("give one of {}", all()))
                }
                (Some(_), Some(meant)) => self.reject(
                    "severity",
                    format!("`{quoted}` is not a severity"),
                    format!("write `{meant}`"),
                ),
                (Some(_), None) => self.reject(
                    "severity",
                    format!("`{quoted}` is not a severity"),
                    format!("write one of {}", all()),
                ),
            }
            return default;
        }
        match (text, meant) {
            (_, Some(meant)) => {
                let message = format!("`{quoted}` is stored as `{meant}`");
                self.warn("severity", WarningCode::Converted, message);
                meant
            }
            (None, None) => {
                let message = format!("is missing; `{default}` is stored");
                self.warn("severity", WarningCode::Defaulted, message);
                default
            }
            (Some(text), None) => {
                self.keep("givenSeverity", &text);
                let message = format!("`{quoted}` is not a severity; `{default}` is stored");
                self.warn("severity", WarningCode::Defaulted, message);
                default
            }
        }
    }
}
