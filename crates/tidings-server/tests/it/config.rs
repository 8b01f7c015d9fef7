use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use tidings_server::{Level, LogLevel};

use crate::app::{TestApp, TestResponse};

const CONFIG: &str = "/api/system/events/config";

const LEVELS: [&str; 7] = [
    "panic", "fatal", "error", "warning", "info", "debug", "trace",
];

/// An app whose log accepts every level except `trace`, and the levels that were set.
async fn app() -> (TestApp, Arc<Mutex<Vec<Level>>>) {
    let applied = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&applied);
    let app = TestApp::with(|config| {
        config.log_level = Some(LogLevel::new(Level::Info, move |level| {
            if level == Level::Trace {
                return Err("a secret".into());
            }
            log.lock().expect("nothing panics").push(level);
            Ok(())
        }));
    });
    (app.await, applied)
}

async fn set(app: &TestApp, body: &Value) -> TestResponse {
    app.send_json(Method::PUT, CONFIG, body.to_string()).await
}

#[tokio::test]
async fn shows_and_sets_the_log_level() {
    let (app, applied) = app().await;
    let shown = app.get(CONFIG).await;
    assert_eq!(shown.status, 200);
    assert_eq!(
        shown.json(),
        json!({"eventLogLevel": "info", "availableLevels": LEVELS})
    );
    for (name, level) in [("eventLogLevel", "debug"), ("event_log_level", "warning")] {
        let response = set(&app, &json!({name: level, "more": 1})).await;
        assert_eq!(response.status, 200);
        assert_eq!(
            response.json(),
            json!({"eventLogLevel": level, "availableLevels": LEVELS, "status": "success"})
        );
        assert_eq!(app.get(CONFIG).await.json()["eventLogLevel"], level);
    }
    assert_eq!(*applied.lock().unwrap(), [Level::Debug, Level::Warning]);
}

#[tokio::test]
async fn a_rejection_has_the_fields_of_a_success_and_of_an_error() {
    let (app, applied) = app().await;
    for (body, code) in [
        (json!({}), "invalid_config"),
        (json!({"eventLogLevel": "loud"}), "invalid_config"),
        (json!({"eventLogLevel": "DEBUG"}), "invalid_config"),
        (json!({"eventLogLevel": null}), "invalid_config"),
        (
            json!({"eventLogLevel": "debug", "event_log_level": "debug"}),
            "invalid_config",
        ),
        (json!([]), "invalid_json"),
    ] {
        let response = set(&app, &body).await;
        assert_eq!(response.status, 400, "{body}");
        let content_type = response.header("content-type");
        assert_eq!(content_type, "application/json; charset=utf-8");
        let rejection = response.json();
        assert_eq!(rejection["eventLogLevel"], "info");
        assert_eq!(rejection["availableLevels"], json!(LEVELS));
        assert_eq!(rejection["status"], "error");
        assert_eq!(rejection["code"], code, "{body}");
        assert!(rejection["error"].is_string());
        assert_eq!(rejection["longDescription"], rejection["long_description"]);
    }
    assert!(applied.lock().unwrap().is_empty());
}

#[tokio::test]
async fn reports_a_server_error_if_the_log_rejects_a_level() {
    let (app, _) = app().await;
    let response = set(&app, &json!({"eventLogLevel": "trace"})).await;
    let error = response.error(500, "internal");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(app.get(CONFIG).await.json()["eventLogLevel"], "info");
}

#[tokio::test]
async fn does_not_serve_the_path_without_a_handle() {
    let app = TestApp::start().await;
    app.get(CONFIG).await.error(404, "route_not_found");
    let response = set(&app, &json!({"eventLogLevel": "debug"})).await;
    response.error(404, "route_not_found");
}
