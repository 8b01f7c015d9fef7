//! What kind of event it is: severity, status, category and action.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How urgently an event wants the user's attention, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Severity {
    /// The platform is unusable.
    Emergency,
    /// Someone must act at once.
    Alert,
    /// A major function is lost.
    Critical,
    /// What the user asked for failed. Carries its cause in `metadata.error`.
    Error,
    /// It went on, but something is not as it should be.
    Warning,
    /// What the user asked for is done.
    Success,
    /// Progress or news that needs no action.
    Informational,
    /// Detail for those who look for it.
    Debug,
}

/// A text that is not one of the severities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a severity", crate::quote::shortened(.text))]
pub struct SeverityError {
    text: String,
}

impl Severity {
    /// All severities, the most urgent first.
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

    /// The severity that someone who wrote `word` most likely meant.
    fn meant_by(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "emerg" | "panic" | "fatal" => Self::Emergency,
            "crit" => Self::Critical,
            "err" | "failure" | "failed" => Self::Error,
            "warn" => Self::Warning,
            "ok" | "succeeded" => Self::Success,
            "info" | "information" | "notice" => Self::Informational,
            "trace" => Self::Debug,
            other => {
                return Self::ALL
                    .into_iter()
                    .find(|severity| severity.as_str() == other);
            }
        })
    }
}

impl SeverityError {
    /// What to write instead.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Status {
    /// Not yet read: how every event begins.
    #[default]
    Unread,
    /// Read.
    Read,
}

/// A text that is neither `read` nor `unread`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status: expected `read` or `unread`")]
pub struct StatusError;

impl Status {
    /// Unread of read, read of unread.
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

/// Why a text is not a category or an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More than 64 bytes.
    #[error("has {0} bytes, more than the {max} allowed", max = NameError::MAX_BYTES)]
    TooLong(usize),
    /// Not `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`.
    #[error("`{}` is not snake_case", crate::quote::shortened(.0))]
    NotSnakeCase(String),
}

impl NameError {
    /// The longest category or action, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Refuses what is not `^[a-z][a-z0-9]*(_[a-z0-9]+)*$` or is too long.
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
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
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
    /// What an event belongs to, such as `connection`: `snake_case`, at most 64 bytes.
    Category
}
name_newtype! {
    /// What the server did, such as `register`: `snake_case`, at most 64 bytes.
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
    fn names_are_snake_case() {
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
    fn an_alias_is_refused_with_the_right_word() {
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
