//! Every parameter of every operation in every spelling. Each spelling means the same or is rejected.
//!
//! The operations and their parameters come from the OpenAPI document; a new parameter needs a row in `rows.rs`.

mod body;
mod import;
mod list;
mod operations;
mod rows;
mod stream;

use axum::http::Method;
use serde_json::json;
use tidings_server::{Level, LogLevel};

use crate::app::{EVENTS, TestApp, event_with};

const RESOURCE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
const OPERATION: &str = "7b1d2c3e-0000-4000-8000-00000000000b";
const SENDER: &str = "7b1d2c3e-0000-4000-8000-00000000000c";
const ID: &str = "0c0ffee0-0000-4000-8000-000000000001";

/// A path with a query, as a client encodes it.
fn path(path: &str, name: &str, text: &str) -> String {
    let text = text.replace('"', "%22").replace(' ', "+");
    format!(
        "{path}?{}={text}",
        name.replace('[', "%5B").replace(']', "%5D")
    )
}

/// Events such that each filter matches some and not all.
async fn filled() -> TestApp {
    let app = TestApp::with(|config| {
        config.log_level = Some(LogLevel::new(Level::Info, |_| Ok(())));
    })
    .await;
    let mut first = event_with("id", ID);
    first["status"] = json!("read");
    first["createdAt"] = json!("2026-08-01T10:00:00Z");
    // The event that changed last was created first.
    first["updatedAt"] = json!("2250-08-01T10:00:00Z");
    let body = first.to_string();
    let import = format!("{EVENTS}?import=true");
    assert_eq!(app.send_json(Method::POST, &import, body).await.status, 201);
    for (field, value) in [
        ("severity", "warning"),
        ("category", "other"),
        ("action", "other"),
        ("actedUpon", RESOURCE),
        ("operationId", OPERATION),
        ("systemId", SENDER),
        ("owner", "system"),
        ("description", "a needle"),
        ("createdAt", "2200-02-01T00:00:00Z"),
    ] {
        app.publish(&event_with(field, value)).await;
    }
    app
}
