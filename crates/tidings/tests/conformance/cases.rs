//! The cases, by what they are about.

pub(crate) mod changes;
pub(crate) mod clocks;
pub(crate) mod groups;
pub(crate) mod handoff;
pub(crate) mod ids;
pub(crate) mod list;
pub(crate) mod owners;
pub(crate) mod publish;
pub(crate) mod quota;
pub(crate) mod random;
pub(crate) mod retention;
pub(crate) mod search;
pub(crate) mod start;
pub(crate) mod system;

use tidings::Event;
use tidings_event::{EventBuilder, OwnerId, Severity};
use uuid::Uuid;

/// The number of what a test's event is about; its description tells it from others.
fn event(owner: Option<OwnerId>, number: u64) -> Event {
    built(builder(owner).with_description(format!("event {number}")))
}

/// An event of `owner`, or of the system, still to be changed.
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
    builder.build().expect("the test's event keeps the rules")
}
