//! `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};

use crate::identity::Administrator;
use crate::metrics::Format;
use crate::state::AppState;

/// The counts of engine and server, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    summary = "Counts for Prometheus",
    responses((
        status = 200,
        description = "In the OpenMetrics text format, or in that of Prometheus if `Accept` prefers \
                       `text/plain`.",
        content((String = "application/openmetrics-text"), (String = "text/plain"))
    ))
)]
pub(crate) async fn metrics(
    State(state): State<Arc<AppState>>,
    _: Administrator,
    headers: HeaderMap,
) -> Response {
    answer(&state, &headers)
}

/// The same for whoever asks, where the operator opened a listener for it.
pub(crate) async fn open_metrics(
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Response {
    answer(&state, &headers)
}

fn answer(state: &AppState, headers: &HeaderMap) -> Response {
    let format = Format::wanted(headers);
    let text = format.encode(&state.metrics.registry);
    let headers = [(CONTENT_TYPE, format.content_type()), (VARY, "accept")];
    (headers, text).into_response()
}
