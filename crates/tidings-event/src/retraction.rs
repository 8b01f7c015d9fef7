//! A retraction: its publisher takes a published event back.

use crate::given::{Given, OwnerName};
use crate::id::{EventId, OwnerId};
use crate::judge;
use crate::rules::Violations;

/// Takes a published event back: it disappears from its owner's inbox as if the owner had deleted it. A late repeat of
/// its publish does not bring it back while the deletion is remembered.
///
/// ```
/// use tidings_event::{EventId, OwnerId, Retraction};
///
/// let (event, user) = (EventId::mint(), OwnerId::mint());
/// assert_eq!(Retraction::of(event).for_user(user).owner(), Some(user));
/// // Without a user, an event that every user sees.
/// assert_eq!(Retraction::of(event).owner(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retraction {
    id: EventId,
    owner: Option<OwnerId>,
}

impl Retraction {
    /// Retracts the event with this id that was published to the system.
    pub fn of(id: impl Into<EventId>) -> Self {
        Self {
            id: id.into(),
            owner: None,
        }
    }

    /// Sets the owner of the event. Without one, it is an event of the system.
    #[must_use]
    pub fn for_user(mut self, user: impl Into<OwnerId>) -> Self {
        self.owner = Some(user.into());
        self
    }

    /// The event.
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// The owner of the event; `None` for an event of the system.
    pub const fn owner(&self) -> Option<OwnerId> {
        self.owner
    }
}

/// Whose event a request retracts, as its publisher names the owner, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRetraction {
    /// The owner of the event. If absent, a server takes the caller.
    pub owner: Given<OwnerName>,
    /// The user's subject at the identity provider, instead of `owner`.
    pub subject: Given<String>,
    /// The issuer of `subject`. If absent, the issuer that the server trusts.
    pub issuer: Given<String>,
}

impl NewRetraction {
    /// The retraction of the event `id`. Without an owner and a subject, it is an event of the system.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn into_retraction(self, id: EventId) -> Result<Retraction, Violations> {
        let owner = judge::owner(self.owner, self.subject, self.issuer)?;
        Ok(Retraction { id, owner })
    }
}

impl From<Retraction> for NewRetraction {
    fn from(retraction: Retraction) -> Self {
        let owner = retraction.owner;
        Self {
            owner: owner.map_or(OwnerName::System, OwnerName::User).into(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_owner_as_an_event_does() {
        let (id, user) = (EventId::mint(), OwnerId::mint());
        for retraction in [Retraction::of(id), Retraction::of(id).for_user(user)] {
            let read = NewRetraction::from(retraction).into_retraction(id);
            assert_eq!(read, Ok(retraction));
        }
        let named = NewRetraction {
            owner: Given::parse("nobody"),
            ..NewRetraction::default()
        };
        let violations = named.into_retraction(id).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "owner");
        let both = NewRetraction {
            owner: OwnerName::User(user).into(),
            subject: Given::Value(OwnerId::mint().to_string()),
            issuer: Given::Absent,
        };
        let violations = both.into_retraction(id).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "subject");
    }
}
