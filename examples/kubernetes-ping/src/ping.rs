//! `POST /api/connections/{id}/ping`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tidings::{Event, Severity};
use tidings_server::LOCAL_USER;
use uuid::Uuid;

use crate::app::App;

type PingResponse = (StatusCode, Json<Value>);

/// Pings the cluster behind a connection and tells the user how it went.
pub(crate) async fn ping_connection(
    State(app): State<Arc<App>>,
    Path(connection): Path<Uuid>,
) -> PingResponse {
    // axum drops the handler of a client that disconnects. The task continues, and a shutdown waits
    // for it by the tracker.
    let response = app.pings.spawn(ping(Arc::clone(&app), connection)).await;
    response.unwrap_or_else(|_| failed(StatusCode::INTERNAL_SERVER_ERROR, "the ping failed"))
}

async fn ping(app: Arc<App>, connection: Uuid) -> PingResponse {
    // All events of this ping share these fields. If the task panics, the user is told as well.
    let operation = app.tidings.operation(
        Event::builder()
            .from_user(LOCAL_USER)
            .from_system(app.tidings.system_id())
            .acted_upon(connection)
            .with_category("connection")
            .with_action("ping"),
    );
    match app.connections.ping(connection).await {
        Ok((cluster, version)) => {
            let event = operation
                .event()
                .with_severity(Severity::Success)
                .with_description(format!("{} answers", cluster.context))
                .with_metadata([
                    ("k8sContextName", cluster.context),
                    ("serverAddress", cluster.server),
                    ("serverVersion", version.clone()),
                ]);
            operation.finish(event).await;
            (StatusCode::OK, Json(json!({ "version": version })))
        }
        Err(error) => {
            let event = operation
                .event()
                .with_severity(Severity::Error)
                .with_description(format!("Could not ping: {error}"))
                .with_metadata(error.metadata())
                .with_error(error.cause());
            operation.finish(event).await;
            failed(error.status(), &error.to_string())
        }
    }
}

fn failed(status: StatusCode, error: &str) -> PingResponse {
    (status, Json(json!({ "error": error })))
}
