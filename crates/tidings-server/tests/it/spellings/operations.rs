//! The parameters of the list at every other operation: the filters are rejected, and parameters without
//! effect are accepted.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use super::rows::{ROWS, Row};
use super::{ID, filled, path};
use crate::app::{EVENTS, TestApp, event, request};
use crate::schema::Document;

/// A valid request of an operation, and its status.
fn ask(method: &str, path: &str) -> (String, Option<Value>) {
    let path = path.replace("{id}", ID);
    let body = match (method, path.rsplit('/').next().unwrap_or_default()) {
        ("post", "events") => Some(event("new")),
        ("put", "config") => Some(json!({"eventLogLevel": "debug"})),
        ("put", "bulk") => Some(json!({"ids": [ID], "status": "unread"})),
        ("put", "status") if path == "/api/events/status" => {
            Some(json!({"ids": [ID], "status": "unread"}))
        }
        ("put", ID) if !path.contains("/status/") => Some(json!({"severity": "debug"})),
        ("put", _) => Some(json!({"status": "unread"})),
        ("post", _) => Some(json!({"ids": [ID]})),
        ("delete", "bulk" | "events") => Some(json!({"ids": [ID]})),
        _ => None,
    };
    (path, body)
}

async fn send(
    app: &TestApp,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> crate::app::TestResponse {
    let method: Method = method.to_uppercase().parse().expect("a method");
    match body {
        Some(body) => app.send_json(method, path, body.to_string()).await,
        None => app.send(request(method, path, Body::empty())).await,
    }
}

/// Every operation of the API except the lists, with the names of its parameters.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let document = Document::load();
    let mut operations = Vec::new();
    for (path, item) in document.0["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names =
                in_query.map(|parameter| parameter["name"].as_str().expect("a name").to_owned());
            operations.push((method.clone(), path.clone(), names.collect()));
        }
    }
    operations.retain(|(_, path, _)| path.starts_with("/api/"));
    operations
}

#[test]
fn every_parameter_of_the_document_has_a_row() {
    let elsewhere = [
        "next",
        "lastEventId",
        "import",
        "partial",
        "owner",
        "subject",
        "issuer",
        "owners",
    ];
    for (method, path, names) in operations() {
        for name in names {
            let has_row = ROWS.iter().any(|row| row.name == name);
            assert!(
                has_row || elsewhere.contains(&name.as_str()),
                "{method} {path}: {name}"
            );
        }
    }
}

#[tokio::test]
async fn rejects_a_filter_that_has_no_effect() {
    let app = filled().await;
    let before = app.list("").await;
    let mut rejected = 0;
    for (method, template, names) in operations() {
        if names.iter().any(|name| name == "severity")
            || template.ends_with("/config") && method == "get"
        {
            continue;
        }
        let (target, body) = ask(&method, &template);
        let takes = |row: &Row| names.iter().any(|name| name == row.name);
        for row in ROWS.iter().filter(|row| row.narrows && !takes(row)) {
            // A rejected stream takes a second.
            let spellings = match template.ends_with("/subscribe") {
                true if row.name == "severity" => {
                    vec!["severity".to_owned(), "severities[]".to_owned()]
                }
                true => continue,
                false => row.spellings(),
            };
            for name in spellings {
                let asked = path(&target, &name, row.texts[0]);
                let response = send(&app, &method, &asked, body.as_ref()).await;
                assert_eq!(response.status, 400, "{method} {asked}");
                let error = response.json();
                let error = if template.ends_with("/config") {
                    error
                } else {
                    response.error(400, "invalid_query")
                };
                let fault = error["longDescription"][0].as_str().unwrap();
                assert!(
                    fault.ends_with("cannot be used here: this request accepts no filters"),
                    "{asked}: {fault}"
                );
                assert!(
                    !error["suggestedRemediation"][0]
                        .as_str()
                        .unwrap()
                        .is_empty()
                );
                rejected += 1;
            }
        }
        for typo in ["severty", "stauts", "catagory", "acted_apon", "since"] {
            if !template.ends_with("/subscribe") {
                let asked = path(&target, typo, "x");
                let response = send(&app, &method, &asked, body.as_ref()).await;
                assert_eq!(response.status, 400, "{method} {asked}");
            }
        }
    }
    assert!(rejected > 1_000, "{rejected}");
    assert_eq!(app.list("").await, before);
    for (method, path) in [("delete", "/bulk"), ("put", "/status/bulk")] {
        let path = format!("{EVENTS}{path}?ids={ID}");
        let body = json!({"all": true, "status": "unread"});
        send(&app, method, &path, Some(&body))
            .await
            .error(400, "invalid_query");
    }
    assert_eq!(app.list("").await, before);
}

#[tokio::test]
async fn accepts_parameters_without_effect() {
    for (method, template, _) in operations() {
        if template.ends_with("/subscribe") {
            continue;
        }
        let app = filled().await;
        let (target, body) = ask(&method, &template);
        let query = "author=x&provider=y&initial=true&cumulative=true";
        let asked = format!("{target}?{query}&severity=&status=&filter={{}}");
        let response = send(
            &app,
            &method,
            &asked.replace('{', "%7B").replace('}', "%7D"),
            body.as_ref(),
        )
        .await;
        assert!(
            response.status.is_success(),
            "{method} {asked}: {}",
            response.status
        );
    }
}
