//! `GET /openapi.json`.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;

use crate::openapi::{openapi, openapi_without_login};
use crate::state::AppState;

/// The same for the life of the program.
static WITH_LOGIN: LazyLock<Bytes> = LazyLock::new(|| openapi().into());
static WITHOUT_LOGIN: LazyLock<Bytes> = LazyLock::new(|| openapi_without_login().into());

/// Answers with the description of all of this.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/openapi.json",
    summary = "This document",
    responses((status = 200, description = "OpenAPI 3.1.", body = std::collections::BTreeMap<String, serde_json::Value>))
))]
pub(crate) async fn get_openapi(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    let document = if state.identity.has_login() {
        &WITH_LOGIN
    } else {
        &WITHOUT_LOGIN
    };
    ([(CONTENT_TYPE, "application/json")], Bytes::clone(document))
}
