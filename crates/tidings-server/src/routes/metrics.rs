//! `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;

use crate::identity::Administrator;
use crate::state::AppState;

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The counts of engine and server, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    summary = "Counts for Prometheus",
    responses((
        status = 200,
        description = "In the OpenMetrics text format.",
        content_type = "application/openmetrics-text",
        body = String
    ))
)]
pub(crate) async fn metrics(State(state): State<Arc<AppState>>, _: Administrator) -> Response {
    let mut text = String::new();
    encode(&mut text, &state.metrics.registry).expect("writing into memory does not fail");
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}
