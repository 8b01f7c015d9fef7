//! Test invariants on untrusted input, as functions that panic when one is broken.
//!
//! Each function takes the bytes that a client can send to one parser. A fuzzer calls them (see `fuzz/`
//! at the root of the repository), and so does every test run, with the fuzzer's corpus and variations
//! of it. The feature `fuzzing` compiles this module; releases do not contain it.

mod changes;
mod cursors;
mod events;
mod lists;
#[cfg(test)]
mod tests;
mod tokens;

use crate::error::ApiError;
use crate::problem::invariants;
use crate::publication::PublishRefusal;
use crate::request::change::ChangeRefusal;

pub use crate::identity::fuzzing::caller;
pub use changes::change;
pub use cursors::{cursor, last_event_id};
pub use events::{batch, event};
pub use lists::list_query;
pub use tokens::{claims, key_set, revocation_list, token};

/// Checks the invariants of one parser.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Target); 11] = [
    ("batch", batch),
    ("caller", caller),
    ("change", change),
    ("claims", claims),
    ("cursor", cursor),
    ("event", event),
    ("key_set", key_set),
    ("last_event_id", last_event_id),
    ("list_query", list_query),
    ("revocation_list", revocation_list),
    ("token", token),
];

/// Panics unless the refusal blames the client and names each fault with its remedy.
fn check_refusal(error: &ApiError) {
    invariants::check(error.problem());
    let violations = match error {
        ApiError::Json(invalid) => &invalid.0,
        ApiError::Query(invalid) => &invalid.0,
        ApiError::Publish(PublishRefusal::Invalid(violations))
        | ApiError::Change(
            ChangeRefusal::Selection(violations) | ChangeRefusal::Status(violations),
        ) => violations,
        ApiError::Publish(
            PublishRefusal::Json(_)
            | PublishRefusal::CloudEvent
            | PublishRefusal::EmptyBatch
            | PublishRefusal::TooManyEvents { .. }
            | PublishRefusal::EventTooLarge { .. }
            | PublishRefusal::BatchTooLarge { .. }
            | PublishRefusal::Conflict { .. }
            | PublishRefusal::QuotaExceeded { .. }
            | PublishRefusal::ForeignOwner { .. }
            | PublishRefusal::Limit(_)
            | PublishRefusal::Store(_)
            | PublishRefusal::Engine(_),
        )
        | ApiError::Change(
            ChangeRefusal::Json(_)
            | ChangeRefusal::UpTo(_)
            | ChangeRefusal::TooManyIds { .. }
            | ChangeRefusal::Limit(_)
            | ChangeRefusal::Overloaded
            | ChangeRefusal::HungUp
            | ChangeRefusal::Store(_)
            | ChangeRefusal::Engine(_),
        )
        | ApiError::Body(_)
        | ApiError::LogLevel(_)
        | ApiError::Revocation(_)
        | ApiError::Credential(_)
        | ApiError::Foreign(_)
        | ApiError::Limit(_)
        | ApiError::Response(_)
        | ApiError::Store(_)
        | ApiError::Route(_) => return,
    };
    assert!(!violations.is_empty());
    for violation in violations.iter() {
        let texts = [&violation.field, &violation.fault, &violation.remedy];
        assert!(texts.iter().all(|text| !text.is_empty()), "{violation:?}");
    }
}
