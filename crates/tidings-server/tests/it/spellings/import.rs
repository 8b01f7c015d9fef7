//! The parameter of imports.

use axum::http::Method;

use super::path;
use crate::app::{EVENTS, TestApp, event_with};

#[tokio::test]
async fn accepts_the_import_parameter_in_every_spelling() {
    for name in ["import", "Import", "IMPORT", "import[]"] {
        for text in ["true", "True", "TRUE"] {
            let app = TestApp::start().await;
            let past = event_with("status", "read").to_string();
            let response = app
                .send_json(Method::POST, &path(EVENTS, name, text), past)
                .await;
            assert_eq!(response.json()["status"], "read", "{name}={text}");
        }
    }
    let app = TestApp::start().await;
    for name in ["imports", "inport", "imoprt"] {
        let past = event_with("status", "read").to_string();
        let response = app
            .send_json(Method::POST, &path(EVENTS, name, "true"), past)
            .await;
        response.error(400, "invalid_query");
    }
    assert!(app.stored().await.is_empty());
}
