//! `GET /api/system/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use tidings_event::EventPage;

use crate::error::ApiError;
use crate::identity::Caller;
use crate::query::ListQuery;
use crate::state::AppState;

/// Answers with a page of the caller's events and the system's, the newest first.
pub(crate) async fn list_events(
    State(state): State<Arc<AppState>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<EventPage>, ApiError> {
    let ListQuery { filter, page } =
        ListQuery::parse(query.as_deref().unwrap_or("")).map_err(ApiError::InvalidQuery)?;
    let page = state.engine.list(caller.owner, filter, page).await?;
    Ok(Json(page))
}
