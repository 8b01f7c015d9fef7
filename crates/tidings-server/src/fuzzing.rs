//! What holds of whatever the outside sends, as functions that panic where it does not.
//!
//! Each takes any bytes for what a stranger may send in one place. A fuzzer calls them, see `fuzz/` at
//! the root, and so does every test run, with what the fuzzer's corpus holds and changes of it. They are
//! not part of what is shipped: without the feature `fuzzing` there is no such module.

mod changes;
mod events;
mod lists;
mod places;
#[cfg(test)]
mod tests;

use tidings_event::{ErrorBody, ErrorCode};

use crate::error::ApiError;

pub use crate::identity::fuzzing::caller;
pub use crate::token::fuzzing::{claims, key_set, revocation_list, token};
pub use changes::change;
pub use events::{batch, event};
pub use lists::list_query;
pub use places::{cursor, last_event_id};

/// Checks one place where bytes come in.
pub type Target = fn(&[u8]);

/// All of them by name.
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

/// The longest text of an answer. What a client sent is repeated in part only.
const MAX_TEXT_BYTES: usize = 2_000;

/// A refusal blames the client, says what is wrong and where, and repeats little of what was sent.
pub(crate) fn check_refusal(error: &ApiError) {
    let (status, body) = error.envelope();
    assert!(status.is_client_error(), "{status} {body:?}");
    assert_ne!(body.code, ErrorCode::Unknown);
    let is_said = !body.long_description.is_empty() || !body.suggested_remediation.is_empty();
    assert!(is_said, "{body:?}");
    let faults = body.long_description.iter();
    for text in faults.chain(&body.suggested_remediation) {
        assert!(!text.is_empty(), "{body:?}");
        assert!(text.len() <= MAX_TEXT_BYTES, "{} bytes", text.len());
    }
    let json = serde_json::to_vec(&body).expect("an answer can be written");
    let read: ErrorBody = serde_json::from_slice(&json).expect("and read");
    assert_eq!(read, body);
    if let ApiError::InvalidJson(faults)
    | ApiError::InvalidEvent(faults)
    | ApiError::InvalidQuery(faults)
    | ApiError::InvalidChange(faults)
    | ApiError::InvalidStatus(faults) = error
    {
        assert!(!faults.is_empty());
        for fault in faults.iter() {
            let texts = [&fault.field, &fault.fault, &fault.remedy];
            assert!(texts.iter().all(|text| !text.is_empty()), "{fault:?}");
        }
    }
}
