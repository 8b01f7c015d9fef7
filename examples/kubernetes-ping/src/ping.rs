//! `POST /api/connections/{id}/ping`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tidings::{Event, EventBuilder, Severity, Tidings};
use tidings_server::LOCAL_USER;
use uuid::Uuid;

use crate::app::App;

/// How long an answer waits for its event to be on disk: one fsync takes milliseconds, and a disk
/// that hangs must not take the ping with it.
const PUBLISH_TIME: Duration = Duration::from_secs(2);

type Answer = (StatusCode, Json<Value>);

/// Pings the cluster behind a connection, and tells the user how it went.
pub(crate) async fn ping_connection(
    State(app): State<Arc<App>>,
    Path(connection): Path<Uuid>,
) -> Answer {
    // A task of its own: axum drops the handler of a user who hangs up, and it is just that user
    // who wants to find later how it ended. The tracker is how a shutdown can wait for it.
    let answer = app.pings.spawn(ping(Arc::clone(&app), connection)).await;
    answer.unwrap_or_else(|_| failed(StatusCode::INTERNAL_SERVER_ERROR, "the ping failed"))
}

async fn ping(app: Arc<App>, connection: Uuid) -> Answer {
    // One builder before it branches: whatever happens, the event says for whom, about what, and
    // in which operation, and no branch can forget it.
    let event = Event::builder()
        .from_user(LOCAL_USER)
        .from_system(app.tidings.system_id())
        .acted_upon(connection)
        .with_category("connection")
        .with_action("ping");

    // The deed comes before the event, which says what has happened.
    match app.connections.ping(connection).await {
        Ok((cluster, version)) => {
            let event = event
                .with_severity(Severity::Success)
                .with_description(format!("{} answers", cluster.context))
                .with_metadata([
                    ("k8sContextName", cluster.context),
                    ("serverAddress", cluster.server),
                    ("serverVersion", version.clone()),
                ]);
            tell(&app.tidings, event).await;
            (StatusCode::OK, Json(json!({ "version": version })))
        }
        Err(error) => {
            let event = event
                .with_severity(Severity::Error)
                .with_description(format!("Could not ping: {error}"))
                .with_metadata(error.metadata())
                .with_error(error.cause());
            tell(&app.tidings, event).await;
            failed(error.status(), &error.to_string())
        }
    }
}

/// Publishes an event. One call does both: when it ends well the event is on disk, and on its way
/// to every open screen of the user.
async fn tell(tidings: &Tidings, event: EventBuilder) {
    let event = match event.build() {
        Ok(event) => event,
        // A fault of this program; all that is wrong is named at once.
        Err(violations) => return tracing::error!(%violations, "could not build an event"),
    };
    // To give up waiting takes nothing back: once accepted, an event is stored and shown.
    match tokio::time::timeout(PUBLISH_TIME, tidings.publish(event)).await {
        Ok(Ok(_receipt)) => {}
        // The ping is done, and its answer is worth as much without the event.
        Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "not stored"),
        Err(_) => tracing::error!("an event has waited too long to be stored"),
    }
}

fn failed(status: StatusCode, error: &str) -> Answer {
    (status, Json(json!({ "error": error })))
}
