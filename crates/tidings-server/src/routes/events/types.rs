//! `GET /api/system/events/types`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tidings_event::{EventType, EventTypes, NameError};

use crate::error::ApiError;
use crate::extract::{Admitted, Reader, Shown, Unfiltered};
use crate::response::ResponseBody;
use crate::state::AppState;

/// Returns the categories and the actions of the events that the caller sees.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/types",
    summary = "List categories and actions",
    description = "Returns the categories and actions of the caller's own events and the system's, sorted.",
    responses((
        status = 200,
        description = "The categories and the actions.",
        body = EventTypes,
        example = json!({"category": ["connection"], "action": ["ping", "register"]})
    ))
))]
pub(crate) async fn list_event_types(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
    Shown(credential): Shown,
) -> Result<Response, ApiError> {
    let memory = state.reserve_response(caller, credential.clone(), MAX_BYTES);
    let mut memory = memory.await?;
    let read = state.engine.types(caller.owner);
    let types = state.read_while_valid(credential, read).await?;
    let json = serde_json::to_vec(&types).expect("categories and actions are texts");
    Ok(ResponseBody::whole([memory.hold(json)]).into_json())
}

/// Returns the pairs of category and action, as the published client declares them.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/events/types",
    summary = "List pairs of category and action",
    description = "Returns the pairs of category and action of the caller's own events and the \
                   system's, sorted: the first 4,096.",
    responses((
        status = 200,
        description = "The pairs.",
        body = Vec<EventType>,
        example = json!([{"category": "connection", "action": "ping"}])
    ))
))]
pub(crate) async fn list_event_type_pairs(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    _: Unfiltered,
    Shown(credential): Shown,
) -> Result<Response, ApiError> {
    let memory = state.reserve_response(caller, credential.clone(), MAX_PAIR_BYTES);
    let mut memory = memory.await?;
    let read = state.wire.type_pairs(caller.owner);
    let pairs = state.read_while_valid(credential, read).await?;
    let json = serde_json::to_vec(&pairs).expect("categories and actions are texts");
    Ok(ResponseBody::whole([memory.hold(json)]).into_json())
}

/// The size of the most categories and actions, each with its quotes and a comma.
const MAX_BYTES: usize = 2 * EventTypes::MAX_NAMES * (NameError::MAX_BYTES + 3);

/// The size of the most pairs, each with the names of its fields.
const MAX_PAIR_BYTES: usize =
    EventType::MAX * (2 * NameError::MAX_BYTES + "{\"category\":\"\",\"action\":\"\"},".len());
