//! The id of an event in the path of a request.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use tidings_event::{EventId, Violations};

use crate::error::ApiError;
use crate::problem::quoted;
use crate::request::query::InvalidQuery;

/// Which event the path names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventPath(pub(crate) EventId);

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let text = path.as_ref().map_or("", |Path(text)| text);
        text.parse().map(Self).map_err(|error| {
            let mut violations = Violations::default();
            violations.add(
                "id",
                format!("{} is {error}", quoted(text)),
                "give the event's UUID, as in its field `id`",
            );
            InvalidQuery(violations).into()
        })
    }
}
