//! Typed identifiers and the position in a feed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that should be a UUID and is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct IdError;

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The nil UUID, which some clients send for "none".
            pub const NIL: Self = Self(Uuid::nil());

            /// Wraps a UUID of any version.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Whether this is the nil UUID, which stands for "absent".
            pub const fn is_nil(&self) -> bool {
                self.0.is_nil()
            }

            /// A new time-ordered id (UUIDv7, RFC 9562 §5.7).
            pub fn mint() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }
    };
}

uuid_newtype! {
    /// Names one event. The builder mints it (UUIDv7); publishing it twice stores it once.
    EventId
}
uuid_newtype! {
    /// Names the owner of a feed: a user, or the system under its own id.
    OwnerId
}
uuid_newtype! {
    /// Names the instance that sent an event.
    SystemId
}
uuid_newtype! {
    /// Shared by all events of one operation, such as the start and the end of a deployment.
    OperationId
}
uuid_newtype! {
    /// Names the resource an event is about.
    ResourceId
}

impl From<SystemId> for OwnerId {
    /// The system's own feed: events that every user sees.
    fn from(system: SystemId) -> Self {
        Self(system.0)
    }
}

/// A position in a feed: 0 before the first change, then 1, 2, 3 … without gaps, never reused.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rev(u64);

impl Rev {
    /// Before the first change of a feed.
    pub const ZERO: Self = Self(0);

    /// The position `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of this position.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position of the change after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
