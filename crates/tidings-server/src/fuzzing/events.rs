//! The body of a publish request.

use tidings_event::wire::Digests;
use tidings_event::{Draft, Event, Limits, OwnerId, SystemId};
use uuid::Uuid;

use super::rejections::check_rejection;
use crate::identity::Caller;
use crate::publication::{EventParser, PublishRejection, Subjects, is_batch};
use crate::request::json::{self, InvalidJson};
use crate::token::Scopes;

const SYSTEM: SystemId = SystemId::from_uuid(Uuid::from_u128(1));

const USER: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));

/// A caller who publishes for all users.
pub(super) const BACKEND: Caller = Caller {
    owner: USER,
    scopes: Scopes::ALL,
    system: None,
};

/// A caller who publishes to themselves.
const SELF: Caller = Caller {
    owner: USER,
    scopes: Scopes::USER,
    system: None,
};

/// One event is rejected with its malformed fields, or publishing the stored event again is a repeat. An
/// event of a user gets that owner and a new id.
pub fn event(data: &[u8]) {
    let Some(text) = text(data).filter(|text| !is_batch(text)) else {
        return;
    };
    for_many(text);
    for keeps_past in [false, true] {
        if let Some(draft) = read_one(BACKEND, keeps_past, text) {
            check_repeat(draft, keeps_past);
        }
    }
    let own = [(); 2].map(|()| read_one(SELF, false, text));
    if let [Some(one), Some(two)] = own {
        assert_ne!(one.event().id, two.event().id, "each is a new one");
        let (event, _) = one.resolve(SYSTEM);
        assert_eq!(event.owner, Some(USER));
        assert_eq!(event.system_id, SYSTEM);
        assert_eq!(event.operation_id.as_uuid(), event.id.as_uuid());
    }
}

/// A batch is accepted if each of its events is accepted alone, and rejected otherwise. With
/// `partial=true` each event is accepted or rejected alone.
pub fn batch(data: &[u8]) {
    let Some(text) = text(data).filter(|text| is_batch(text)) else {
        return;
    };
    let limits = Limits::default();
    let mut admitted = None;
    let admit = |events| {
        admitted = Some(events);
        Ok(())
    };
    match parser(BACKEND, &limits, false).read_batch(text, admit, |draft| draft) {
        Ok(drafts) => {
            assert_eq!(admitted, Some(drafts.len()));
            assert!((1..=limits.batch_events).contains(&drafts.len()));
            for draft in drafts {
                check_repeat(draft, false);
            }
        }
        Err(rejected) => {
            if let PublishRejection::Invalid(faults) = &rejected {
                assert!(faults.iter().all(|fault| fault.field.starts_with('[')));
            }
            check_rejection(&rejected.into());
        }
    }
    let each = parser(BACKEND, &limits, false).read_each(text, |_| Ok(()), |draft| draft);
    for one in each.into_iter().flatten() {
        match one {
            Ok(draft) => check_repeat(draft, false),
            Err(rejected) => check_rejection(&rejected.into()),
        }
    }
    let own = parser(SELF, &limits, false).read_batch(text, |_| Ok(()), |draft| draft);
    for draft in own.into_iter().flatten() {
        assert_eq!(draft.event().owner, Some(USER));
    }
}

pub(super) fn text(data: &[u8]) -> Option<&str> {
    match json::text(data) {
        Ok(text) => Some(text),
        Err(fault) => {
            check_rejection(&InvalidJson::from(fault).into());
            None
        }
    }
}

pub(super) fn parser(caller: Caller, limits: &Limits, keeps_past: bool) -> EventParser<'_> {
    EventParser::new(caller, limits, Subjects::OfAny, keeps_past)
}

/// An event for several owners is rejected with its faults, or it has no owner and the owners are sorted.
fn for_many(text: &str) {
    let limits = Limits::default();
    match parser(BACKEND, &limits, false).read_for_many(text) {
        Ok((draft, recipients)) => {
            assert_eq!(draft.event().owner, None);
            let owners = recipients.owners();
            assert!(!owners.is_empty() && owners.is_sorted_by(|one, next| one < next));
        }
        Err(rejected) => check_rejection(&rejected.into()),
    }
}

fn read_one(caller: Caller, keeps_past: bool, text: &str) -> Option<Draft> {
    let limits = Limits::default();
    match parser(caller, &limits, keeps_past).read_one(text) {
        Ok(draft) => Some(draft),
        Err(rejected) => {
            check_rejection(&rejected.into());
            None
        }
    }
}

/// A stored event, as a list returns it, can be published again as the same event.
fn check_repeat(draft: Draft, keeps_past: bool) {
    let (stored, digests) = draft.resolve(SYSTEM);
    let json = serde_json::to_string(&stored).expect("an event can be written");
    let read: Event = serde_json::from_str(&json).expect("and read");
    assert_eq!(read, stored);
    if json.len() > Limits::default().event_bytes {
        // The engine rejects it: encoded, it is too large.
        return;
    }
    let again = read_one(BACKEND, keeps_past, &json).expect("what is stored keeps the rules");
    let (repeated, repeated_digests) = again.resolve(SYSTEM);
    assert_eq!(repeated, stored);
    assert_eq!(timeless(&repeated_digests), timeless(&digests));
}

/// The digest of the given fields without the time.
fn timeless(digests: &Digests) -> tidings_event::wire::Digest {
    digests.without_time.unwrap_or(digests.of_content)
}
