//! `GET /openapi.json`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::state::AppState;

/// Returns the OpenAPI document.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/openapi.json",
    summary = "Get this document",
    responses((status = 200, description = "OpenAPI 3.1.", body = std::collections::BTreeMap<String, serde_json::Value>))
))]
pub(crate) async fn get_openapi(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    let has_login = state.authenticator.identity.has_login();
    (
        [(CONTENT_TYPE, "application/json")],
        (state.document)(has_login),
    )
}
