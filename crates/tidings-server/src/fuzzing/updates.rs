//! The body of a request that updates an event.

use tidings_event::wire::Policy;
use tidings_event::{EventId, Limits, NewUpdate, Update};
use uuid::Uuid;

use super::events::{BACKEND, parser, text};
use super::rejections::check_rejection;

const EVENT: EventId = EventId::from_uuid(Uuid::from_u128(3));

/// An update is rejected with its malformed fields, or it is the same when it is sent as it was read.
pub fn update(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let limits = Limits::default();
    let update = match parser(BACKEND, &limits, false).read_update(text, EVENT) {
        Ok((update, _)) => update,
        Err(rejected) => return check_rejection(&rejected.into()),
    };
    assert_eq!(update.id(), EVENT);
    let sent = serde_json::to_string(&NewUpdate::from(update.clone())).expect("it can be written");
    if sent.len() > limits.event_bytes {
        // The engine rejects it: encoded, the event is too large.
        return;
    }
    let read = NewUpdate::read(&sent, &limits).expect("what is sent is an object");
    let read = read.into_update(EVENT, &limits, Policy::Repair);
    let read = read.expect("what was accepted keeps the rules");
    assert_eq!(read.warnings().len(), 0, "{:?}", read.warnings());
    assert_eq!(fields(read), fields(update));
}

/// All fields of an update, for a comparison.
fn fields(mut update: Update) -> (impl PartialEq + std::fmt::Debug, Option<Box<str>>) {
    let metadata = update.take_metadata_json();
    let numbers = (update.sequence(), update.renotifies());
    let text = update.description().to_owned();
    ((update.owner(), update.severity(), text, numbers), metadata)
}
