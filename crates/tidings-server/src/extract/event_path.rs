//! The id of an event in the path of a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use tidings_event::{EventId, Violations};

use super::Changer;
use crate::error::ApiError;
use crate::identity::Caller;
use crate::problem::quoted;
use crate::request::query::InvalidQuery;
use crate::state::AppState;

/// The event that the path names.
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

/// A [`Changer`], and the event that the path names. The caller is authorized before the id is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChangerOfEvent {
    pub(crate) caller: Caller,
    pub(crate) id: EventId,
}

impl FromRequestParts<Arc<AppState>> for ChangerOfEvent {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let Changer(caller) = Changer::from_request_parts(parts, state).await?;
        let EventPath(id) = EventPath::from_request_parts(parts, state).await?;
        Ok(Self { caller, id })
    }
}

impl AsRef<Caller> for ChangerOfEvent {
    fn as_ref(&self) -> &Caller {
        &self.caller
    }
}
