//! The severity of an event.

use std::fmt;
use std::str::FromStr;

use crate::serde_text::serde_as_text;

/// The urgency of an event, most urgent first.
// The wire contract defines exactly these words, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Severity {
    /// The platform is unusable.
    Emergency,
    /// Someone must act immediately.
    Alert,
    /// A major function has failed.
    Critical,
    /// The user's request failed. The event carries the cause in `metadata.error`.
    Error,
    /// The operation continued, but something needs attention.
    Warning,
    /// The user's request succeeded.
    Success,
    /// Progress or information that needs no action.
    Informational,
    /// Details for troubleshooting.
    Debug,
}

/// A text that is not a severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a severity", crate::quote::shortened(.text))]
pub struct SeverityError {
    text: String,
}

impl Severity {
    /// All severities, most urgent first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Success,
        Self::Informational,
        Self::Debug,
    ];

    /// The word used in JSON, SQL and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Alert => "alert",
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Success => "success",
            Self::Informational => "informational",
            Self::Debug => "debug",
        }
    }

    /// Guesses the severity from a word in another case, an abbreviation, a level of a logger or of
    /// Kubernetes, or a syslog number from 0 to 7. Published events and filters accept these.
    pub fn meant_by(word: &str) -> Option<Self> {
        // Lists of one entry are accepted, and numbers of JavaScript and Python with a decimal point.
        let around =
            |letter: char| letter.is_whitespace() || matches!(letter, '[' | ']' | '"' | '\'');
        let word = word.trim_matches(around);
        let word = word.strip_suffix(".0").unwrap_or(word);
        // The longest known word has 21 bytes with its prefix.
        let word = word.get(..32.min(word.len()))?.to_ascii_lowercase();
        let word = ["severity_", "severity.", "level_", "loglevel_", "log_"]
            .into_iter()
            .find_map(|prefix| word.strip_prefix(prefix))
            .unwrap_or(&word);
        Some(match word {
            "0" | "emerg" | "panic" | "fatal" => Self::Emergency,
            "1" => Self::Alert,
            "2" | "crit" => Self::Critical,
            "3" | "err" | "errors" | "failure" | "failed" | "fail" | "severe" => Self::Error,
            "4" | "warn" | "warnings" | "wrn" => Self::Warning,
            "ok" | "succeeded" | "successful" | "succeed" | "done" | "completed" => Self::Success,
            "5" | "6" | "info" | "inf" | "information" | "informative" | "notice" | "normal" => {
                Self::Informational
            }
            "7" | "trace" | "dbg" | "verbose" | "fine" => Self::Debug,
            other => {
                return Self::ALL
                    .into_iter()
                    .find(|severity| severity.as_str() == other);
            }
        })
    }
}

impl SeverityError {
    /// The correct word, or the list of severities.
    pub fn remedy(&self) -> String {
        match Severity::meant_by(&self.text) {
            Some(severity) => format!("write `{severity}`"),
            None => format!(
                "write one of {}",
                Severity::ALL.map(Severity::as_str).join(", ")
            ),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| SeverityError {
                text: text.to_owned(),
            })
    }
}

serde_as_text!(Severity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_other_words_for_a_severity() {
        for (word, severity) in [
            ("ERROR", Severity::Error),
            (" Warn ", Severity::Warning),
            ("info", Severity::Informational),
            ("Normal", Severity::Informational),
            ("SEVERITY_ERROR", Severity::Error),
            ("LOG_CRIT", Severity::Critical),
            ("0", Severity::Emergency),
            ("7", Severity::Debug),
            ("fatal", Severity::Emergency),
        ] {
            assert_eq!(Severity::meant_by(word), Some(severity), "{word}");
        }
        for unknown in ["purple", "8", "", "-1", "é"] {
            assert_eq!(Severity::meant_by(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn rejects_an_alias_and_names_the_correct_word() {
        let error = "info".parse::<Severity>().unwrap_err();
        assert_eq!(error.to_string(), "`info` is not a severity");
        assert_eq!(error.remedy(), "write `informational`");
        assert_eq!(
            "Error".parse::<Severity>().unwrap_err().remedy(),
            "write `error`"
        );
        assert!(
            "purple"
                .parse::<Severity>()
                .unwrap_err()
                .remedy()
                .contains("emergency, alert")
        );
    }
}
