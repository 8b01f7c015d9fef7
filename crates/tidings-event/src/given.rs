//! A field as a publisher gave it, before the rules have judged it.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{IdError, OwnerId};

/// A field of a request: absent, readable, or a text that could not be read as `T`.
///
/// The unreadable text is kept so that one answer can name every fault of an event at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Not in the request, or what clients send in its place: `null`, or an empty text.
    #[default]
    Absent,
    /// Present and well-formed.
    Value(T),
    /// Present and not a `T`.
    Malformed(String),
}

impl<T> Given<T> {
    /// Whether nothing was given.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one, where it is.
    pub const fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// Puts `value` where nothing was given.
    pub fn or_default_to(&mut self, value: T) {
        if self.is_absent() {
            *self = Self::Value(value);
        }
    }
}

impl<T: FromStr> Given<T> {
    /// Reads `text`, keeping it when it is malformed. Space and quotes around a value are passed over
    /// where it cannot be read with them, and a blank text is none.
    pub fn parse(text: &str) -> Self {
        if let Ok(value) = text.parse() {
            return Self::Value(value);
        }
        let bare = bare(text);
        if bare.is_empty() {
            return Self::Absent;
        }
        match bare.parse() {
            Ok(value) => Self::Value(value),
            Err(_) => Self::Malformed(text.to_owned()),
        }
    }
}

/// A text without what some writers put around it.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|around: char| around.is_whitespace() || matches!(around, '"' | '\''))
}

impl Given<Timestamp> {
    /// The start of the year 1, which Go's programs send for "none", as absent.
    pub(crate) fn without_zero(self) -> Self {
        match self {
            Self::Value(moment) if moment.as_second() == GO_ZERO_SECOND => Self::Absent,
            other => other,
        }
    }
}

/// 0001-01-01T00:00:00Z, in seconds since 1970.
const GO_ZERO_SECOND: i64 = -62_135_596_800;

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: fmt::Display> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Value(value) => serializer.collect_str(value),
            Self::Malformed(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Text<T>>::deserialize(deserializer)?;
        Ok(text.map_or(Self::Absent, |Text(given)| given))
    }
}

/// A text where it lies in the request: only a malformed one is copied.
struct Text<T>(Given<T>);

impl<'de, T: FromStr> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
        Ok(Text(match text {
            "" => Given::Absent,
            text => Given::parse(text),
        }))
    }
}

/// Whom a publisher names as owner: a user, or the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerName {
    /// The user with this id; the system under its own id counts as the system.
    User(OwnerId),
    /// The installation, whose events every user sees. Written `system`.
    System,
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(owner) => owner.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

impl FromStr for OwnerName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.eq_ignore_ascii_case("system") {
            Ok(Self::System)
        } else {
            text.parse().map(Self::User)
        }
    }
}
