//! `GET /api/system/events/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::error::{ApiError, RouteError};
use crate::extract::{Admitted, EventPath, Reader, Shown};
use crate::response::ResponseBody;
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::EventParameters;
use crate::state::AppState;

/// Returns one event. A missing event and one of another user have the same response.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/{id}",
    summary = "Get one event",
    params(
        ("id" = tidings_event::EventId, Path, description = "The id of the event."),
        EventParameters
    ),
    responses((
        status = 200,
        description = "The event.",
        body = tidings_event::Event,
        example = json!(examples::event())
    ))
))]
pub(crate) async fn get_event(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    Shown(credential): Shown,
    EventPath(event): EventPath,
) -> Result<Response, ApiError> {
    let bytes = state.engine.limits().event_bytes;
    let mut memory = state
        .reserve_response(caller, credential.clone(), bytes)
        .await?;
    let event = state.wire.get(caller.owner, event).await?;
    let event = event.ok_or(RouteError::EventNotFound)?;
    state.pace_response(caller, credential, event.len()).await?;
    Ok(ResponseBody::whole([memory.hold(event)]).into_json())
}
