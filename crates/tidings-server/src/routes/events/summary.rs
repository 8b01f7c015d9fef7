//! `GET /api/system/events/summary`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidings_event::InboxSummary;

use crate::error::ApiError;
use crate::identity::Caller;
use crate::state::AppState;

/// Answers with the exact counts of the events that the caller sees.
pub(crate) async fn summarize_events(
    State(state): State<Arc<AppState>>,
    caller: Caller,
) -> Result<Json<InboxSummary>, ApiError> {
    Ok(Json(state.engine.summary(caller.owner).await?))
}
