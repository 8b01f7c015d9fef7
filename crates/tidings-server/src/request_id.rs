//! The id that a response and the log lines of its request share.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header with the id.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is accepted from a client: room for a UUID or a trace id with a prefix.
const MAX_BYTES: usize = 128;

/// The id that the client sent, if it is fit for a log, or a new one.
pub(crate) fn take_over_or_mint(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(X_REQUEST_ID).filter(|id| is_fit(id));
    // Copied: it is a part of the request's head, which must be dropped early; see `Visit`.
    let copied = given.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok());
    copied.unwrap_or_else(mint)
}

fn is_fit(id: &HeaderValue) -> bool {
    (1..=MAX_BYTES).contains(&id.len()) && id.to_str().is_ok()
}

/// A UUID that need not be secret. Random bytes of the system would cost a system call per request.
fn mint() -> HeaderValue {
    let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
    let mut text = Uuid::encode_buffer();
    let text: &str = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).expect("a UUID fits into a header")
}
