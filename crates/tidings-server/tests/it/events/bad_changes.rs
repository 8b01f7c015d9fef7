use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{EVENTS, TestApp, event, request};

const BULK: [(Method, &str); 2] = [(Method::PUT, "/status/bulk"), (Method::DELETE, "/bulk")];

/// A body with the `status` that marking needs and a deletion rejects.
fn body_for(method: &Method, mut body: Value) -> String {
    if *method == Method::PUT && body.get("status").is_none() {
        body["status"] = json!("read");
    }
    body.to_string()
}

#[tokio::test]
async fn rejects_an_ambiguous_selection_and_changes_nothing() {
    let app = TestApp::start().await;
    let id = app.publish_numbered(1).await.remove(0);
    let cursor = app.list("").await["cursor"].clone();
    for (method, path) in BULK {
        let path = format!("{EVENTS}{path}");
        for (body, fault) in [
            (json!({}), "the body does not select events"),
            (json!({"ids": null}), "the body does not select events"),
            (
                json!({"ids": [id], "all": true}),
                "the body selects events in more than one way",
            ),
            (
                json!({"ids": [id], "filter": {"status": "unread"}, "upTo": cursor}),
                "the body selects events in more than one way",
            ),
            (json!({"all": false}), "all is not `true`"),
            (json!({"all": "true"}), "all is not `true`"),
            (json!({"all": 1}), "all is not `true`"),
            (json!({"filter": {}, "upTo": cursor}), "filter is empty"),
            (
                json!({"filter": {"severity": [], "ownerKind": "user"}, "upTo": cursor}),
                "filter.severity is empty",
            ),
            (
                json!({"filter": {"status": null, "ownerKind": "user"}, "upTo": cursor}),
                "filter.status is null",
            ),
            (json!({"all": true, "upTo": null}), "upTo is null"),
            (json!({"filter": {"status": "unread"}}), "upTo is missing"),
            (
                json!({"filter": {"status": "unread"}, "upTo": "x"}),
                "upTo (`\"x\"`) is not a cursor",
            ),
            (
                json!({"filter": {"status": ""}, "upTo": cursor}),
                "filter.status is empty",
            ),
            (
                json!({"filter": {"limit": 1}, "upTo": cursor}),
                "filter.`limit` is not a filter",
            ),
            (
                json!({"filter": {"severity": 7}, "upTo": cursor}),
                "filter.severity (`7`) is not a JSON array of strings",
            ),
            (
                json!({"filter": {"category": ["Free text"]}, "upTo": cursor}),
                "filter.category (`Free text`)",
            ),
            (
                json!({"filter": {"severty": "error"}, "upTo": cursor}),
                "filter.`severty` is not a filter",
            ),
            (
                json!({"filter": {"severity": ["loud"]}, "upTo": cursor}),
                "filter.severity (`loud`) is not a severity",
            ),
            (
                json!({"filter": [], "upTo": cursor}),
                "filter cannot be read: invalid type: sequence, expected an object",
            ),
            (json!({"ids": 7}), "ids cannot be read: invalid type"),
            (json!({"ids": "x"}), "ids (`\"x\"`) is not a UUID"),
            (json!({"ids": {}}), "ids cannot be read: invalid type"),
            (json!({"ids": ["x"]}), "ids[0] (`\"x\"`) is not a UUID"),
            (json!({"ids": [id, null]}), "ids[1] (`null`) is not a UUID"),
            (
                json!({"ids": [id], "upTo": cursor}),
                "upTo is given with `ids`",
            ),
            (
                json!({"all": true, "untill": cursor}),
                "`untill` is not a field of this request",
            ),
        ] {
            let body = body_for(&method, body);
            let response = app.send_json(method.clone(), &path, body.clone()).await;
            let error = response.error(400, "invalid_change");
            let said = error["longDescription"][0].as_str().unwrap();
            assert!(said.starts_with(fault), "{method} {body}: {said}");
            let remedy = error["suggestedRemediation"][0].as_str().unwrap();
            assert!(!remedy.is_empty(), "{method} {body}");
        }
    }
    assert_eq!(app.list("status=unread").await["totalCount"], 1);
}

#[tokio::test]
async fn requires_a_status_for_marking_only() {
    let app = TestApp::start().await;
    let id = app.publish_numbered(1).await.remove(0);
    let single = format!("/status/{id}");
    for (path, body) in [
        (single.as_str(), json!({})),
        (&single, json!({"status": null})),
        (&single, json!({"status": 1})),
        (&single, json!({"status": "seen"})),
        (&single, json!({"status": "Read"})),
        ("/status/bulk", json!({"ids": [id]})),
        ("/status/bulk", json!({"ids": [id], "status": ["read"]})),
    ] {
        let error = app.put(path, &body).await.error(400, "invalid_change");
        let said = error["longDescription"][0].as_str().unwrap();
        assert!(said.starts_with("status "), "{body}: {said}");
        let sentence = error["error"].as_str().unwrap();
        let expected = match path {
            "/status/bulk" => "The change is incomplete or invalid",
            _ => "The status is missing or invalid",
        };
        assert!(sentence.starts_with(expected), "{sentence}");
    }
    let fields: String = (0..50).map(|field| format!("\"{field}\":1,")).collect();
    let body = serde_json::from_str(&format!("{{{fields}\"status\":\"read\"}}")).unwrap();
    let error = app.put(&single, &body).await.error(400, "invalid_change");
    let fault = "the body has 51 fields, more than 50";
    assert_eq!(error["longDescription"], json!([fault]));
    let body = json!({"ids": [id], "status": "read"});
    let error = app.delete("/bulk", &body).await;
    let error = error.error(400, "invalid_change");
    let remedy = "leave the field out; known names are ids, systemIds, filter, upTo, all";
    assert_eq!(error["suggestedRemediation"][0], remedy);
}

#[tokio::test]
async fn names_every_fault_at_once() {
    let app = TestApp::start().await;
    let body = json!({"ids": ["x"], "all": 0, "upTo": "", "status": "new", "more": 1});
    let error = app.put("/status/bulk", &body).await;
    let error = error.error(400, "invalid_change");
    let faults = error["longDescription"].as_array().unwrap();
    assert_eq!(faults.len(), 7, "{faults:#?}");
}

#[tokio::test]
async fn names_the_position_of_a_non_object() {
    let app = TestApp::start().await;
    let id = app.publish_numbered(1).await.remove(0);
    let paths = [
        (Method::PUT, format!("{EVENTS}/status/{id}")),
        (Method::PUT, format!("{EVENTS}/status/bulk")),
        (Method::DELETE, format!("{EVENTS}/bulk")),
        (Method::POST, "/api/events/delete".to_owned()),
    ];
    let deep = "[".repeat(100_000);
    for (method, path) in paths {
        for body in [
            "".as_bytes(),
            b"null",
            b"[]",
            b"7",
            b"\"read\"",
            b"{",
            b"{\"ids\": [}",
            b"{} {}",
            b"status=read",
            b"{\"ids\": [\"\xff\"]}",
            deep.as_bytes(),
        ] {
            let response = app.send_json(method.clone(), &path, body.to_vec()).await;
            let error = response.error(400, "invalid_json");
            let said = error["longDescription"][0].as_str().unwrap();
            assert!(said.contains("(line 1, column "), "{method} {path}: {said}");
        }
    }
    assert_eq!(app.list("status=unread").await["totalCount"], 1);
}

#[tokio::test]
async fn limits_ids_fields_and_bytes() {
    let app = TestApp::start().await;
    let id = "0c0ffee0-0000-4000-8000-0000000000ff";
    for (method, path) in BULK {
        let path = format!("{EVENTS}{path}");
        let most = body_for(&method, json!({"ids": vec![id; 10_000]}));
        let response = app.send_json(method.clone(), &path, most).await;
        assert!(response.status.is_success());
        let more = body_for(&method, json!({"ids": vec![id; 10_001]}));
        let response = app.send_json(method.clone(), &path, more).await;
        let error = response.error(413, "too_large");
        let fault = "ids has 10001 entries, more than the 10000 allowed";
        assert_eq!(error["longDescription"][0], fault);
        let fields: String = (0..100_000)
            .map(|field| format!("\"{field}\":1,"))
            .collect();
        let wide = format!("{{{fields}\"all\":true}}");
        let response = app.send_json(method.clone(), &path, wide).await;
        let error = response.error(400, "invalid_change");
        let faults = error["longDescription"].as_array().unwrap();
        assert!(faults.len() <= 101, "{}", faults.len());
        let huge = format!("{{\"all\":true{}}}", " ".repeat(4 * 1024 * 1024));
        let response = app.send_json(method.clone(), &path, huge).await;
        let error = response.error(413, "too_large");
        let remedy = "name fewer events at a time, or select them by a filter";
        assert_eq!(error["suggestedRemediation"], json!([remedy]));
    }
}

#[tokio::test]
async fn rejects_a_cursor_of_another_server() {
    let app = TestApp::start().await;
    let other = TestApp::start().await;
    app.publish(&event("x")).await;
    let cursor = app.list("").await["cursor"].as_str().unwrap().to_owned();
    let ahead = cursor.replacen('1', "2", 1);
    let foreign = other.list("").await["cursor"].as_str().unwrap().to_owned();
    for (up_to, reason) in [(foreign, "foreign"), (ahead, "too_new")] {
        let body = json!({"all": true, "upTo": up_to});
        let error = app
            .delete("/bulk", &body)
            .await
            .error(400, "invalid_change");
        let fault = format!("upTo is not one of your cursors ({reason})");
        assert_eq!(error["longDescription"][0], fault);
    }
    assert_eq!(app.list("").await["totalCount"], 1);
}

#[tokio::test]
async fn rejects_a_body_without_a_content_type() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    for (method, path) in BULK {
        let body = body_for(&method, json!({"all": true}));
        let request = request(method, &format!("{EVENTS}{path}"), Body::from(body));
        let response = app.send(request).await;
        response.error(415, "unsupported_media_type");
    }
    assert_eq!(app.list("status=unread").await["totalCount"], 1);
}

#[tokio::test]
async fn names_a_malformed_id_in_the_path() {
    let app = TestApp::start().await;
    for id in ["x", "%FF", "7b1d2c3e"] {
        let read = json!({"status": "read"});
        let mark = app.put(&format!("/status/{id}"), &read).await;
        let delete = app.delete(&format!("/{id}"), &Value::Null).await;
        for response in [mark, delete] {
            let error = response.error(400, "invalid_query");
            let fault = error["longDescription"][0].as_str().unwrap();
            assert!(fault.ends_with("is not a UUID"), "{id}: {fault}");
        }
    }
}
