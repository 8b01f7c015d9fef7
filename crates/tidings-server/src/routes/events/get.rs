//! `GET /api/system/events/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidings_event::{Event, EventId};

use crate::error::ApiError;
use crate::event_path::EventPath;
use crate::identity::Reader;
use crate::limits::Admitted;
use crate::openapi::examples;
use crate::state::AppState;
use crate::unfiltered::Unfiltered;

/// Answers with one event. One that is not there and another user's are told apart by nothing.
#[utoipa::path(
    get,
    path = "/api/system/events/{id}",
    summary = "Get one event",
    params(("id" = EventId, Path, description = "Which event.")),
    responses((
        status = 200,
        description = "The event.",
        body = Event,
        example = json!(examples::event())
    ))
)]
pub(crate) async fn get_event(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
    EventPath(id): EventPath,
) -> Result<Json<Event>, ApiError> {
    let event = state.engine.get(caller.owner, id).await?;
    event.map(Json).ok_or(ApiError::EventNotFound)
}
