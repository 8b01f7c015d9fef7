//! Names one of the events that a user sees.

use std::fmt;
use std::str::FromStr;

use crate::filter::OwnerKind;
use crate::id::{EventId, IdError};

/// Names an event of the two feeds that a user sees: the user's own and the system's. An id is unique only
/// within one feed, so both can have an event with the same id.
///
/// As a text, it is the id, or the kind of owner and the id: `system:0193f0a0-0000-7000-8000-000000000001`.
///
/// ```
/// use tidings_event::{EventId, EventRef, OwnerKind};
///
/// let id = EventId::mint();
/// let of_system: EventRef = format!("system:{id}").parse()?;
/// assert_eq!(of_system, EventRef::of(OwnerKind::System, id));
/// assert_eq!(id.to_string().parse::<EventRef>()?, EventRef::from(id));
/// # Ok::<(), tidings_event::IdError>(())
/// ```
// An event is named by exactly these two parts, so the struct is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    /// The id of the event.
    pub id: EventId,
    /// The feed of the event. `None` means the user's own event with this id, or the system's if the user
    /// has none.
    pub owner_kind: Option<OwnerKind>,
}

impl EventRef {
    /// The event with this id in the feed of one kind of owner.
    pub const fn of(owner_kind: OwnerKind, id: EventId) -> Self {
        Self {
            id,
            owner_kind: Some(owner_kind),
        }
    }
}

impl From<EventId> for EventRef {
    /// The user's own event with this id, or the system's if the user has none.
    fn from(id: EventId) -> Self {
        Self {
            id,
            owner_kind: None,
        }
    }
}

impl fmt::Display for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.owner_kind {
            write!(f, "{}:", kind.as_str())?;
        }
        self.id.fmt(f)
    }
}

impl FromStr for EventRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        for kind in OwnerKind::ALL {
            let id = text.strip_prefix(kind.as_str());
            if let Some(id) = id.and_then(|rest| rest.strip_prefix(':')) {
                return Ok(Self::of(kind, id.parse()?));
            }
        }
        text.parse().map(EventId::into)
    }
}

/// The events that `ids` name in a `status` or `deleted` item, of which `system_ids` are the system's.
pub(crate) fn named(
    ids: &[EventId],
    system_ids: Option<&[EventId]>,
) -> impl Iterator<Item = EventRef> {
    // An id that changed in both feeds is there twice, and one of the two is the system's.
    let mut of_system = system_ids.map(<[EventId]>::to_vec);
    ids.iter().map(move |id| {
        let Some(of_system) = &mut of_system else {
            return (*id).into();
        };
        match of_system.iter().position(|other| other == id) {
            Some(place) => {
                of_system.swap_remove(place);
                EventRef::of(OwnerKind::System, *id)
            }
            None => EventRef::of(OwnerKind::User, *id),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_event_of_a_change_once() {
        let [one, both, other] = [(); 3].map(|()| EventId::mint());
        let of = EventRef::of;
        let (user, system) = (OwnerKind::User, OwnerKind::System);
        let all: Vec<_> = named(&[one, both, both, other], Some(&[both, other])).collect();
        let expected = [
            of(user, one),
            of(system, both),
            of(user, both),
            of(system, other),
        ];
        assert_eq!(all, expected);
        let plain: Vec<_> = named(&[one, both], None).collect();
        assert_eq!(plain, [one.into(), both.into()]);
        let own: Vec<_> = named(&[one], Some(&[])).collect();
        assert_eq!(own, [of(user, one)]);
    }

    #[test]
    fn reads_what_it_writes() {
        let id = EventId::mint();
        for event in [
            EventRef::from(id),
            EventRef::of(OwnerKind::User, id),
            EventRef::of(OwnerKind::System, id),
        ] {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        for text in ["", "system:", "system", "other:x", &format!("owner:{id}")] {
            assert_eq!(text.parse::<EventRef>(), Err(IdError), "{text}");
        }
    }
}
