//! `GET /api/system/events/summary`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidings_event::InboxSummary;

use crate::error::ApiError;
use crate::identity::Reader;
use crate::limits::Admitted;
use crate::openapi::examples;
use crate::state::AppState;
use crate::unfiltered::Unfiltered;

/// Answers with the exact counts of the events that the caller sees.
#[utoipa::path(
    get,
    path = "/api/system/events/summary",
    summary = "Count events",
    description = "The exact counts of the caller's own events and the system's, at the same cost \
                   however many there are.",
    responses((
        status = 200,
        description = "The counts.",
        body = InboxSummary,
        example = json!(examples::summary())
    ))
)]
pub(crate) async fn summarize_events(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
) -> Result<Json<InboxSummary>, ApiError> {
    Ok(Json(state.engine.summary(caller.owner).await?))
}
