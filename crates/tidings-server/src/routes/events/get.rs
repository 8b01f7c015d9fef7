//! `GET /api/system/events/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use tidings_event::{Event, EventId, Violations};

use crate::error::{ApiError, quoted};
use crate::identity::Caller;
use crate::state::AppState;

/// Answers with one event. One that is not there and another user's are told apart by nothing.
pub(crate) async fn get_event(
    State(state): State<Arc<AppState>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Event>, ApiError> {
    let id = event_id(id.as_ref().map_or("", |Path(id)| id))?;
    let event = state.engine.get(caller.owner, id).await?;
    event.map(Json).ok_or(ApiError::EventNotFound)
}

fn event_id(text: &str) -> Result<EventId, ApiError> {
    text.parse().map_err(|error| {
        let mut violations = Violations::default();
        violations.add(
            "id",
            format!("{} is {error}", quoted(text)),
            "give the event's UUID, as in its field `id`",
        );
        ApiError::InvalidQuery(violations)
    })
}
