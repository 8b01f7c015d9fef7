//! `GET /api/system/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use tidings_event::EventPage;

use crate::error::ApiError;
use crate::identity::Reader;
use crate::limits::Admitted;
use crate::openapi::examples;
use crate::openapi::parameters::ListParameters;
use crate::query::ListQuery;
use crate::state::AppState;

/// Answers with a page of the caller's events and the system's.
#[utoipa::path(
    get,
    path = "/api/system/events",
    summary = "List events",
    description = "The caller's own events and the system's that match every parameter. Names are \
                   taken in every case and with any separator, `filter[severity]` and `severity[]` \
                   included. `author`, `provider`, `initial` and `cumulative` are ignored; other \
                   unknown parameters and malformed values are refused.",
    params(ListParameters),
    responses((
        status = 200,
        description = "A page.",
        body = EventPage,
        example = json!(examples::page())
    ))
)]
pub(crate) async fn list_events(
    State(state): State<Arc<AppState>>,
    Admitted(Reader(caller)): Admitted<Reader>,
    RawQuery(query): RawQuery,
) -> Result<Json<EventPage>, ApiError> {
    let ListQuery { filter, page } =
        ListQuery::parse(query.as_deref().unwrap_or("")).map_err(ApiError::InvalidQuery)?;
    let page = state.engine.list(caller.owner, filter, page).await?;
    Ok(Json(page))
}
