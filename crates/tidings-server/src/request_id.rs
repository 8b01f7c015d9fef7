//! The name by which an answer and the log speak of the same request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Names a request in answers and logs.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken over from a client: room for a UUID or a trace id with a prefix.
const MAX_BYTES: usize = 128;

/// The id that the client gave, if it belongs in a log, or a fresh one.
pub(crate) fn take_over_or_mint(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(X_REQUEST_ID).filter(|id| is_fit(id));
    // Copied, since it is a part of the request's head, which nothing is to keep; see `Visit`.
    let copied = given.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok());
    copied.unwrap_or_else(mint)
}

fn is_fit(id: &HeaderValue) -> bool {
    (1..=MAX_BYTES).contains(&id.len()) && id.to_str().is_ok()
}

/// A UUID to tell requests apart, no secret: random bytes of the system would cost a call into it for
/// every request.
fn mint() -> HeaderValue {
    let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
    let mut text = Uuid::encode_buffer();
    let text: &str = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).expect("a UUID fits into a header")
}
