//! Typed identifiers and the position in a feed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
#[non_exhaustive]
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

            /// The UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Whether this is the nil UUID, which means "absent".
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

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
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
    /// The id of an event. The builder creates it (UUIDv7). Publishing an id twice stores the event once.
    EventId
}
uuid_newtype! {
    /// The owner of a feed: a user, or the system under its own id.
    OwnerId
}
uuid_newtype! {
    /// The installation that sent an event.
    SystemId
}
uuid_newtype! {
    /// The id of an operation. All events of the operation share it, for example the start and the end of
    /// a deployment.
    OperationId
}
uuid_newtype! {
    /// The resource that an event is about.
    ResourceId
}

impl From<SystemId> for OwnerId {
    /// The owner of the system's feed, whose events every user sees.
    fn from(system: SystemId) -> Self {
        Self(system.0)
    }
}

impl OwnerId {
    /// The owner for a subject of an identity provider, as in authentication by token. A subject that is a UUID
    /// is the owner itself; any other subject gives the UUID
    /// [derived from issuer and subject](Self::of_subject). `None` if that needs an issuer and there is
    /// none.
    ///
    /// If an issuer is given, a subject that is a UUID of version 5 is treated as any other text,
    /// because anybody can compute the derived owner of another user.
    pub fn named_by(subject: &str, issuer: Option<&str>) -> Option<Self> {
        let own = Self::of_usual_form(subject);
        let own = own.filter(|owner| !(issuer.is_some() && owner.is_made()));
        own.or_else(|| {
            let issuer = issuer.filter(|issuer| !issuer.is_empty() && !subject.is_empty())?;
            Some(Self::of_subject(issuer, subject))
        })
    }

    /// The owner derived from an issuer and a subject: a UUID of version 5 (RFC 9562 §5.5). The namespace
    /// is a UUID of version 5 for the issuer, under the RFC's namespace for URLs, so that the same
    /// subject of two issuers gives two owners. Events are stored under this id; the derivation never
    /// changes.
    ///
    /// ```
    /// use tidings_event::OwnerId;
    ///
    /// let owner = OwnerId::of_subject("https://id.example", "alice");
    /// assert_eq!(owner.to_string(), "22f88f7e-c03d-5f41-b813-5cfc38f76390");
    /// ```
    pub fn of_subject(issuer: &str, subject: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, issuer.as_bytes());
        Self(Uuid::new_v5(&namespace, subject.as_bytes()))
    }

    /// Reads a UUID in its usual form of 36 characters (RFC 9562 §4). `None` for other forms, so that two
    /// subjects are the same owner only if they differ in case, and for the nil UUID.
    pub fn of_usual_form(text: &str) -> Option<Self> {
        const HYPHENATED: usize = 36;
        let uuid = Uuid::try_parse(text).ok()?;
        let usual = text.len() == HYPHENATED && !uuid.is_nil();
        usual.then_some(Self(uuid))
    }

    /// Whether [`of_subject`](Self::of_subject) can have derived this id.
    pub fn is_made(&self) -> bool {
        self.0.get_version_num() == 5
    }
}

/// Derives a UUID of version 5 from an id that is not a UUID. The namespace depends on the installation
/// that sent it, so that two installations that count from 1 create different ids.
pub(crate) fn made_id(system: SystemId, text: &str) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_OID, system.0.as_bytes());
    Uuid::new_v5(&namespace, text.as_bytes())
}

/// A position in a feed: 0 before the first change, then 1, 2, 3 … without gaps. Positions are never
/// reused.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rev(u64);

impl Rev {
    /// The position before the first change of a feed.
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
