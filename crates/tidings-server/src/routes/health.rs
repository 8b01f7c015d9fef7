//! `/healthz` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
#[cfg(feature = "metrics")]
use axum::http::{StatusCode, header::ALLOW};
#[cfg(feature = "metrics")]
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::error::{ApiError, RouteError};
#[cfg(feature = "openapi")]
use crate::schema::bodies::Health;
use crate::state::AppState;
use crate::store_failure::StoreFailure;

/// How long the store can take to answer the check.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// The version of this server.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers while the process is alive.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/healthz",
    summary = "Check that the process is alive",
    responses((
        status = 200,
        description = "The process is alive.",
        body = Health,
        example = json!({"status": "alive", "version": "1.0.0"})
    ))
))]
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "alive", "version": VERSION}))
}

/// Answers while the server accepts requests, its tasks run and the store responds, once the revoked tokens of a
/// shared store are known. A lost bus between nodes makes the server degraded and not unready: it serves all
/// requests, and only events of other nodes arrive a few seconds late. If it were unready, a failure of the bus would
/// take all nodes out of service at once.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/readyz",
    summary = "Check that the server is ready to accept events",
    responses((
        status = 200,
        description = "The server is ready.",
        body = Health,
        example = json!({"status": "ready", "version": "1.0.0"})
    ))
))]
pub(crate) async fn readyz(State(state): State<Arc<AppState>>) -> Result<Json<Value>, ApiError> {
    if state.drain.has_begun() {
        return Err(StoreFailure::ShuttingDown.into());
    }
    if let Some(part) = state.ended() {
        return Err(RouteError::Ended(part).into());
    }
    match timeout(CHECK_TIME, state.engine.check()).await {
        Ok(checked) => checked?,
        Err(_) => return Err(StoreFailure::Timeout.into()),
    }
    state.authenticator.identity.check().await?;
    let status = match state.engine.check_bus() {
        Ok(()) => "ready",
        Err(_) => "degraded",
    };
    Ok(Json(json!({"status": status, "version": VERSION})))
}

/// Answers load balancers that check the listener for metrics with `OPTIONS /`.
#[cfg(feature = "metrics")]
pub(crate) async fn root_options() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(ALLOW, "OPTIONS")])
}

#[cfg(test)]
mod tests {
    use axum::extract::State;
    use tempfile::TempDir;
    use tidings::Tidings;

    use super::readyz;
    use crate::config::Config;
    use crate::router;
    use crate::vitals::Part;

    #[tokio::test]
    async fn is_not_ready_once_a_task_has_ended() {
        let data_dir = TempDir::new().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let state = router::state(engine.unwrap(), &Config::default());
        assert!(readyz(State(state.clone())).await.is_ok());
        let failing = async { panic!("a secret") };
        state.vitals.watch(Part::Streams, failing).await;
        let problem = readyz(State(state)).await.unwrap_err().problem();
        assert_eq!(problem.status(), 503);
        let body = serde_json::to_string(&problem.into_body()).unwrap();
        assert!(
            body.contains("a task that serves live streams has ended"),
            "{body}"
        );
        assert!(!body.contains("secret"), "{body}");
    }
}
