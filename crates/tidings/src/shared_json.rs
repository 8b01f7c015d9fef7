//! The JSON of an event that goes to several owners: one text, into which the owner is written.

use bytes::Bytes;
use tidings_event::{Event, OwnerId};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::one_line::on_one_line;

/// What precedes the owner in the JSON of an event. Only the id is before it, which has none of these characters.
const BEFORE_OWNER: &str = "\"owner\":\"";

/// The JSON of an event without its owner. Clones share the text.
#[derive(Clone, Debug)]
pub(crate) struct SharedJson {
    before: Bytes,
    after: Bytes,
}

impl SharedJson {
    /// Encodes an event, whatever its owner.
    pub(crate) fn of(event: &Event, metadata: Option<&str>) -> Self {
        let mut event = event.clone();
        event.owner = Some(OwnerId::from_uuid(Uuid::nil()));
        let json = Bytes::from(event.to_json_with(metadata));
        let place = json
            .windows(BEFORE_OWNER.len())
            .position(|bytes| bytes == BEFORE_OWNER.as_bytes())
            .expect("an event with an owner names it")
            + BEFORE_OWNER.len();
        Self {
            before: json.slice(..place),
            // Only it has texts.
            after: on_one_line(json.slice(place + Hyphenated::LENGTH..)),
        }
    }

    /// The texts before and after the owner.
    pub(crate) const fn around_owner(&self) -> [&Bytes; 2] {
        [&self.before, &self.after]
    }

    /// The size of the JSON for any owner.
    pub(crate) fn len(&self) -> usize {
        self.before.len() + Hyphenated::LENGTH + self.after.len()
    }
}

#[cfg(test)]
mod tests {
    use tidings_event::Severity;

    use super::*;

    #[test]
    fn leaves_out_the_owner_only() {
        let owner = OwnerId::mint();
        let builder = Event::builder()
            .for_user(owner)
            .acted_upon(Uuid::from_u128(1))
            .with_category("report")
            .with_action("render")
            .with_severity(Severity::Success)
            .with_description("\"owner\":\"00000000-0000-0000-0000-000000000000\"");
        let event = builder.build().unwrap().into_event();
        let shared = SharedJson::of(&event, Some("{\"owner\":\"x\"}"));
        let [before, after] = shared.around_owner();
        let mut json = before.to_vec();
        json.extend_from_slice(owner.to_string().as_bytes());
        json.extend_from_slice(after);
        let whole: Vec<u8> = event.to_json_with(Some("{\"owner\":\"x\"}"));
        assert_eq!(json, whole);
        assert_eq!(json.len(), shared.len());
    }
}
