//! The event that a request names: by the id in its path, and by its kind of owner if the query gives one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use tidings_event::{EventId, EventRef, Violations};

use super::Changer;
use crate::error::ApiError;
use crate::identity::Caller;
use crate::problem::quoted;
use crate::request::query::{Elsewhere, InvalidQuery, check_unfiltered, owner_kind};
use crate::state::AppState;

/// The event that the request names. The query has no filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventPath(pub(crate) EventRef);

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        check_unfiltered(parts.uri.query(), Elsewhere::Event)?;
        named(parts, state).await.map(Self)
    }
}

/// The event that the path and the query name, whatever else is in the query.
pub(super) async fn named<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<EventRef, ApiError> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    let text = path.as_ref().map_or("", |Path(text)| text);
    let id: EventId = text.parse().map_err(|error| {
        let mut violations = Violations::default();
        violations.add(
            "id",
            format!("{} is {error}", quoted(text)),
            "give the event's UUID, as in its field `id`",
        );
        InvalidQuery(violations)
    })?;
    let owner_kind = owner_kind(parts.uri.query())?;
    Ok(EventRef { id, owner_kind })
}

/// A [`Changer`], and the event that the request names. The caller is authorized before the id is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChangerOfEvent {
    pub(crate) caller: Caller,
    pub(crate) event: EventRef,
}

impl FromRequestParts<Arc<AppState>> for ChangerOfEvent {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let Changer(caller) = Changer::from_request_parts(parts, state).await?;
        let event = named(parts, state).await?;
        Ok(Self { caller, event })
    }
}

impl AsRef<Caller> for ChangerOfEvent {
    fn as_ref(&self) -> &Caller {
        &self.caller
    }
}
