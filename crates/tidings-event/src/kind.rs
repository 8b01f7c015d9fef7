//! The severity, status, category and action of an event.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Whether the owner has read an event.
// The wire contract defines exactly these words, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Status {
    /// Not read yet; the status of a new event.
    #[default]
    Unread,
    /// Read.
    Read,
}

/// A text that is neither `read` nor `unread`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status: expected `read` or `unread`")]
#[non_exhaustive]
pub struct StatusError;

impl Status {
    /// The opposite status.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Unread => Self::Read,
            Self::Read => Self::Unread,
        }
    }

    /// The word used in JSON, SQL and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Read => "read",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        match text {
            "unread" => Ok(Self::Unread),
            "read" => Ok(Self::Read),
            _ => Err(StatusError),
        }
    }
}

impl Status {
    /// Guesses the status from a common synonym. Imported events and filters accept these.
    pub fn meant_by(word: &str) -> Option<Self> {
        let word = word.trim();
        let means = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        if means(&["read", "seen", "true", "acknowledged", "done"]) {
            Some(Self::Read)
        } else if means(&["unread", "unseen", "false", "new"]) {
            Some(Self::Unread)
        } else {
            None
        }
    }
}

/// The reason why a text is not a category or an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text has more than 64 bytes; this is its length.
    #[error("has {0} bytes, more than the {max} allowed", max = NameError::MAX_BYTES)]
    TooLong(usize),
    /// The text does not match `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`.
    #[error("`{}` is not snake_case", crate::quote::shortened(.0))]
    NotSnakeCase(String),
}

impl NameError {
    /// The maximum length of a category or action, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Rejects a text that does not match `^[a-z][a-z0-9]*(_[a-z0-9]+)*$` or is too long.
    fn check(text: &str) -> Result<(), Self> {
        if text.is_empty() {
            return Err(Self::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(Self::TooLong(text.len()));
        }
        let snake_case = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.split('_').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if snake_case {
            Ok(())
        } else {
            Err(Self::NotSnakeCase(text.to_owned()))
        }
    }
}

/// Converts a text in any case and with any separators to `snake_case`. A leading digit is prefixed with
/// `x_`, because a name begins with a letter.
fn snake_case(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut characters = text.trim().chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        if name.len() > NameError::MAX_BYTES {
            break;
        }
        let next = characters.peek().copied().unwrap_or(' ');
        // `deployApp` and `HTTPServer` both have two words.
        let begins_word = character.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next.is_ascii_lowercase()));
        let separates = !character.is_ascii_alphanumeric();
        if (begins_word || separates) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if !separates {
            if name.is_empty() && character.is_ascii_digit() {
                name.push_str("x_");
            }
            name.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    name.truncate(NameError::MAX_BYTES);
    let name = name.trim_end_matches('_');
    (!name.is_empty()).then(|| name.to_owned())
}

macro_rules! name_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(
            feature = "openapi",
            derive(utoipa::ToSchema),
            schema(max_length = 64, pattern = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
        )]
        pub struct $name(String);

        impl $name {
            /// The name as a text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name that replaces a missing one.
            pub(crate) fn unknown() -> Self {
                Self("unknown".to_owned())
            }

            /// Converts `text` to `snake_case` within the length limit. `None` if no character of it is
            /// allowed in a name.
            pub(crate) fn meant_by(text: &str) -> Option<Self> {
                snake_case(text)?.parse().ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                NameError::check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
    };
}

name_newtype! {
    /// The subject area of an event, such as `connection`: `snake_case`, at most 64 bytes.
    Category
}
name_newtype! {
    /// The action that the event reports, such as `register`: `snake_case`, at most 64 bytes.
    Action
}

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(Severity, Status, Category, Action);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_snake_case_names() {
        for good in ["a", "connection", "signup_request", "k8s", "a_1_b2"] {
            assert!(good.parse::<Category>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "_a",
            "a_",
            "a__b",
            "1a",
            "Snake-Case",
            "snake-case",
            "camelCase",
            "a b",
            "é",
            "a\0",
        ] {
            assert!(bad.parse::<Action>().is_err(), "{bad}");
        }
        assert!("a".repeat(64).parse::<Action>().is_ok());
        assert_eq!(
            "a".repeat(65).parse::<Action>(),
            Err(NameError::TooLong(65))
        );
    }

    #[test]
    fn converts_any_text_to_snake_case() {
        for (text, name) in [
            ("Connection", "connection"),
            ("deploy-app", "deploy_app"),
            ("deploy app", "deploy_app"),
            (" deploy  app ", "deploy_app"),
            ("deployApp", "deploy_app"),
            ("DeployApp", "deploy_app"),
            ("HTTPServer", "http_server"),
            ("k8sCluster", "k8s_cluster"),
            ("org.example.Deploy", "org_example_deploy"),
            ("a__b", "a_b"),
            ("_a_", "a"),
            ("REMOVE_FROM_ORGANIZATION", "remove_from_organization"),
            ("3scale", "x_3scale"),
            ("a\0b", "a_b"),
            ("Prüfung", "pr_fung"),
        ] {
            let meant = Category::meant_by(text).map(|name| name.to_string());
            assert_eq!(meant.as_deref(), Some(name), "{text}");
        }
        for nothing in ["", " ", "---", "接続"] {
            assert_eq!(Action::meant_by(nothing), None, "{nothing}");
        }
        let long = Action::meant_by(&"Word ".repeat(1_000)).unwrap();
        assert_eq!(long.as_str().len(), 64);
        let cut = Action::meant_by(&format!("{} b", "a".repeat(63))).unwrap();
        assert_eq!(cut.as_str(), "a".repeat(63));
    }

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
