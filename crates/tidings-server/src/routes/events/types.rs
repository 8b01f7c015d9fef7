//! `GET /api/system/events/types`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidings_event::EventTypes;

use crate::error::ApiError;
use crate::identity::Reader;
use crate::limits::Admitted;
use crate::state::AppState;
use crate::unfiltered::Unfiltered;

/// Answers with the categories and the actions of the events that the caller sees.
#[utoipa::path(
    get,
    path = "/api/system/events/types",
    summary = "List categories and actions",
    description = "Those that at least one event of the caller or of the system has, sorted.",
    responses((
        status = 200,
        description = "The categories and the actions.",
        body = EventTypes,
        example = json!({"category": ["connection"], "action": ["ping", "register"]})
    ))
)]
pub(crate) async fn list_event_types(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
) -> Result<Json<EventTypes>, ApiError> {
    Ok(Json(state.engine.types(caller.owner).await?))
}
