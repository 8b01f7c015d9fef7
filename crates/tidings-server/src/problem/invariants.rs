//! Invariants of the error bodies that answer untrusted input.

use tidings_event::{ErrorBody, ErrorCode};

use super::Problem;

/// The longest text of an error body: input is repeated in part only.
const MAX_TEXT_BYTES: usize = 2_000;

/// Panics unless the problem blames the client, names the fault, and repeats little of the input.
pub(crate) fn check(problem: Problem) {
    let status = problem.status();
    let body = problem.into_body();
    assert!(status.is_client_error(), "{status} {body:?}");
    assert_ne!(body.code, ErrorCode::Unknown);
    let is_said = !body.long_description.is_empty() || !body.suggested_remediation.is_empty();
    assert!(is_said, "{body:?}");
    let details = body.long_description.iter();
    for text in details.chain(&body.suggested_remediation) {
        assert!(!text.is_empty(), "{body:?}");
        assert!(text.len() <= MAX_TEXT_BYTES, "{} bytes", text.len());
    }
    let json = serde_json::to_vec(&body).expect("an error body can be written");
    let read: ErrorBody = serde_json::from_slice(&json).expect("and read");
    assert_eq!(read, body);
}
