//! A field as the publisher sent it, before validation.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{IdError, OwnerId};

/// A field of a request: absent, well-formed, or malformed.
///
/// The malformed text is kept, so that one response can report every fault of an event.
///
/// A field has only these three states, so the enum is exhaustive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// The field is missing, `null` or an empty text.
    #[default]
    Absent,
    /// The field is well-formed.
    Value(T),
    /// The field is not a `T`; this is its text.
    Malformed(String),
}

impl<T> Given<T> {
    /// Whether the field is absent.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// A reference to the value, if the field is well-formed.
    pub const fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// The value, if the field is well-formed.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// Sets the field to `value` if it is absent.
    pub fn or_default_to(&mut self, value: T) {
        if self.is_absent() {
            *self = Self::Value(value);
        }
    }
}

impl<T: FromStr> Given<T> {
    /// Reads `text` and keeps it if it is malformed. If it cannot be read as it is, space and quotes
    /// around the value are ignored. A blank text is absent.
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

/// A text without the space and quotes that some publishers put around it.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|around: char| around.is_whitespace() || matches!(around, '"' | '\''))
}

impl Given<Timestamp> {
    /// Treats the start of the year 1, the zero time of Go, as absent.
    pub(crate) fn without_zero(self) -> Self {
        match self {
            Self::Value(moment) if moment.as_second() == GO_ZERO_SECOND => Self::Absent,
            Self::Absent | Self::Value(_) | Self::Malformed(_) => self,
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

/// A text borrowed from the request. Only a malformed one is copied.
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

/// The owner that a publisher names: a user or the system.
///
/// Only these two kinds of owner exist, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerName {
    /// The user with this id. The id of the system means the system.
    User(OwnerId),
    /// The system, whose events every user sees; written `system`.
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
