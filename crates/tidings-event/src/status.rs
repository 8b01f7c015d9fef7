//! The status of an event.

use std::fmt;
use std::str::FromStr;

use crate::serde_text::serde_as_text;

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

serde_as_text!(Status);
