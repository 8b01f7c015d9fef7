//! `GET /api/system/events/summary`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::error::ApiError;
use crate::extract::{Admitted, Reader, Shown, Unfiltered};
use crate::response::ResponseBody;
#[cfg(feature = "openapi")]
use crate::schema::examples;
use crate::state::AppState;

/// Returns the exact counts of the events that the caller sees.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/summary",
    summary = "Count events",
    description = "Returns the exact counts of the caller's own events and the system's. The cost \
                   does not depend on their number.",
    responses((
        status = 200,
        description = "The counts.",
        body = tidings_event::InboxSummary,
        example = json!(examples::summary())
    ))
))]
pub(crate) async fn summarize_events(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
    Shown(credential): Shown,
) -> Result<Response, ApiError> {
    let mut memory = state
        .reserve_response(caller, credential, MAX_BYTES)
        .await?;
    let summary = state.engine.summary(caller.owner).await?;
    let json = serde_json::to_vec(&summary).expect("counts have only text keys");
    Ok(ResponseBody::whole([memory.hold(json)]).into_json())
}

/// More than the size of the counts of all severities.
const MAX_BYTES: usize = 4 * 1024;
