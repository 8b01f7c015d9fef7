//! `/metrics`.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::ApiError;
use crate::extract::Administrator;
use crate::metrics::Format;
use crate::state::AppState;
use crate::store_failure::StoreFailure;

/// How long a file system can take to report its free space. Scrapers wait for 10 seconds.
const ENCODE_TIME: Duration = Duration::from_secs(5);

/// Returns the metrics of engine and server, for Prometheus.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/metrics",
    summary = "Get metrics for Prometheus",
    responses((
        status = 200,
        description = "In the OpenMetrics text format, or in that of Prometheus if `Accept` prefers \
                       `text/plain`.",
        content((String = "application/openmetrics-text"), (String = "text/plain"))
    ))
))]
pub(crate) async fn metrics(
    State(state): State<Arc<AppState>>,
    _: Administrator,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    encode(state, &headers).await
}

/// Returns the metrics without a token, on the listener for metrics.
pub(crate) async fn open_metrics(
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    encode(state, &headers).await
}

async fn encode(state: Arc<AppState>, headers: &HeaderMap) -> Result<Response, ApiError> {
    let format = Format::wanted(headers);
    // Blocks: the free space of a failing file system can take long to read.
    let encoded = spawn_blocking(move || format.encode(&state.metrics.registry));
    let text = match timeout(ENCODE_TIME, encoded).await {
        Ok(Ok(text)) => text,
        Ok(Err(ended)) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => return Err(StoreFailure::ShuttingDown.into()),
        },
        Err(_) => return Err(StoreFailure::Timeout.into()),
    };
    let headers = [(CONTENT_TYPE, format.content_type()), (VARY, "accept")];
    Ok((headers, text).into_response())
}
