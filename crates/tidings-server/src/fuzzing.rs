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
use crate::publication::PublishRejection;
use crate::request::change::ChangeRejection;

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

/// Panics unless the rejection blames the client and names each fault with its remedy.
fn check_rejection(error: &ApiError) {
    invariants::check(error.problem());
    let violations = match error {
        ApiError::Json(invalid) => &invalid.0,
        ApiError::Query(invalid) => &invalid.0,
        ApiError::Publish(PublishRejection::Invalid(violations))
        | ApiError::Change(
            ChangeRejection::Selection(violations) | ChangeRejection::Status(violations),
        ) => violations,
        ApiError::Publish(
            PublishRejection::Json(_)
            | PublishRejection::CloudEvent
            | PublishRejection::EmptyBatch
            | PublishRejection::TooManyEvents { .. }
            | PublishRejection::EventTooLarge { .. }
            | PublishRejection::BatchTooLarge { .. }
            | PublishRejection::Conflict { .. }
            | PublishRejection::QuotaExceeded { .. }
            | PublishRejection::ForeignOwner { .. }
            | PublishRejection::Limit(_)
            | PublishRejection::Store(_),
        )
        | ApiError::Change(
            ChangeRejection::Json(_)
            | ChangeRejection::UpTo(_)
            | ChangeRejection::TooManyIds { .. }
            | ChangeRejection::Limit(_)
            | ChangeRejection::Overloaded
            | ChangeRejection::Disconnected
            | ChangeRejection::Store(_)
            | ChangeRejection::Stopped,
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
