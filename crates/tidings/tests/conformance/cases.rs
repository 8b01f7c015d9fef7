//! The cases, by topic.

pub(crate) mod changes;
pub(crate) mod clocks;
pub(crate) mod expiry;
pub(crate) mod groups;
pub(crate) mod handoff;
pub(crate) mod ids;
pub(crate) mod list;
#[cfg(feature = "postgres")]
pub(crate) mod moving;
pub(crate) mod owners;
pub(crate) mod publish;
pub(crate) mod quota;
pub(crate) mod random;
pub(crate) mod recipients;
pub(crate) mod retention;
pub(crate) mod retractions;
pub(crate) mod search;
pub(crate) mod start;
pub(crate) mod system;
pub(crate) mod updates;

use tidings::Event;
use tidings_event::{EventBuilder, OwnerId, Severity};
use uuid::Uuid;

/// An event of `owner`, or of the system, with a number in its description.
fn event(owner: Option<OwnerId>, number: u64) -> Event {
    built(builder(owner).with_description(format!("event {number}")))
}

/// The builder of an event of `owner`, or of the system.
fn builder(owner: Option<OwnerId>) -> EventBuilder {
    let builder = Event::builder()
        .acted_upon(Uuid::from_u128(0xD00))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(Severity::Informational);
    match owner {
        Some(owner) => builder.from_user(*owner.as_uuid()),
        None => builder,
    }
}

fn built(builder: EventBuilder) -> Event {
    let draft = builder.build().expect("the test's event keeps the rules");
    draft.into_event()
}
