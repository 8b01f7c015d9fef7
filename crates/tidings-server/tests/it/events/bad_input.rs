use axum::body::Body;
use serde_json::json;

use crate::app::{EVENTS, TestApp, event, event_with};
use crate::wire;

/// Checks that each body is rejected with this code, and that the error contains this text.
async fn check(cases: &[(&str, &[u8], &str)]) {
    let app = TestApp::start().await;
    for (code, body, says) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let response = app.post(body.to_vec()).await;
        let error = response.error(400, code).to_string();
        assert!(error.contains(says), "{shown}: {error}");
    }
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn rejects_malformed_json_with_its_position() {
    let endless = "[".repeat(1_000_000);
    let unfinished = &event("x").to_string().into_bytes()[..40];
    check(&[
        ("invalid_json", b"", "EOF"),
        ("invalid_json", b" \n ", "EOF"),
        ("invalid_json", b"{", "(line 1, column 1)"),
        ("invalid_json", unfinished, "EOF"),
        (
            "invalid_json",
            b"{}\n{}",
            "trailing characters (line 2, column 1)",
        ),
        ("invalid_json", b"{\"a\": 1,}", "trailing comma"),
        ("invalid_json", b"{'a': 1}", "key must be a string"),
        ("invalid_json", b"category=connection", "expected value"),
        ("invalid_json", b"\xef\xbb\xbf{", "EOF"),
        (
            "invalid_json",
            b"{\"a\":\n \"\xff\"}",
            "is not UTF-8 (line 2, column 3)",
        ),
        ("invalid_json", b"{\"a\": \"\0\"}", "control character"),
        ("invalid_json", b"\0", "expected value"),
        ("invalid_json", b"{\"description\": \"\\ud8\"}", "escape"),
        ("invalid_json", endless.as_bytes(), "(line 1, column "),
        ("invalid_json", b"[{}", "EOF"),
        ("invalid_json", b"[{} {}]", "expected `,` or `]`"),
    ])
    .await;
}

#[tokio::test]
async fn rejects_json_that_is_not_an_object() {
    check(&[
        (
            "invalid_json",
            b"null",
            "body cannot be read: invalid type: null",
        ),
        ("invalid_json", b"7", "body cannot be read"),
        ("invalid_json", b"\"text\"", "body cannot be read"),
    ])
    .await;
}

#[tokio::test]
async fn rejects_an_event_without_owner_or_resource() {
    let body =
        |field: &str, value: serde_json::Value| event_with(field, value).to_string().into_bytes();
    let mut twice = event("x").to_string();
    twice.truncate(twice.len() - 1);
    twice.push_str(",\"owner\":\"system\",\"userId\":\"7b1d2c3e-0000-4000-8000-000000000001\"}");
    let silent = json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
                        "severity": "error", "metadata": {"error": {}}});
    check(&[
        ("invalid_event", b"{}", "actedUpon is missing"),
        (
            "invalid_event",
            &body("actedUpon", json!("not-a-uuid")),
            "actedUpon `not-a-uuid` is not a UUID",
        ),
        (
            "invalid_event",
            &body("actedUpon", json!(true)),
            "not a UUID",
        ),
        (
            "invalid_event",
            &body("actedUpon", json!("00000000-0000-0000-0000-000000000000")),
            "nil UUID",
        ),
        (
            "invalid_event",
            &body("owner", json!("me")),
            "owner `me` is not a UUID",
        ),
        (
            "invalid_event",
            twice.as_bytes(),
            "owner `system and 7b1d2c3e",
        ),
        (
            "invalid_event",
            &body("subject", json!("alice")),
            "no issuer is known",
        ),
        (
            "invalid_event",
            silent.to_string().as_bytes(),
            "no action, description or metadata says what happened",
        ),
    ])
    .await;
}

#[tokio::test]
async fn every_fault_of_an_event_has_its_remedy() {
    let app = TestApp::start().await;
    let mut event = event_with("actedUpon", "cluster");
    event["owner"] = json!("me");
    let error = app
        .post(event.to_string())
        .await
        .error(400, "invalid_event");
    assert_eq!(error["longDescription"].as_array().unwrap().len(), 2);
    let remedy = "give the UUID of the resource the event is about";
    assert_eq!(error["suggestedRemediation"][1], remedy);
}

#[tokio::test]
async fn limits_a_body_of_unknown_length() {
    let app = TestApp::start().await;
    let chunk = || Ok::<_, std::io::Error>(vec![b' '; 1024 * 1024]);
    let chunks = futures_util::stream::iter((0..5).map(move |_| chunk()));
    let response = app.post(Body::from_stream(chunks)).await;
    response.error(413, "too_large");
}

#[tokio::test]
async fn the_connection_rejects_a_malformed_url() {
    let app = TestApp::start().await;
    let server = app.serve();
    let address = server.address;
    for query in ["severity=[\"error\"]", "search=<b", "search=b>"] {
        let head = format!("GET {EVENTS}?{query} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let mut socket = wire::send_raw(address, head.as_bytes()).await;
        let response = wire::read_raw(&mut socket).await;
        assert!(
            response.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{response}"
        );
        assert!(response.ends_with("\r\n\r\n"), "it has no body: {response}");
    }
    let query = "severity=[%22error%22]&search=%3Cb%3E";
    let fine = wire::get(address, &format!("{EVENTS}?{query}")).await;
    assert_eq!(fine.status, 200);
}

#[tokio::test]
async fn treats_placeholders_of_clients_as_absent() {
    let app = TestApp::start().await;
    let mut sent = event("from Go");
    for field in ["id", "owner", "systemId", "operationId"] {
        sent[field] = json!("");
    }
    sent["createdAt"] = json!("0001-01-01T00:00:00Z");
    let stored = app.publish(&sent).await;
    assert_eq!(stored["owner"], tidings_server::LOCAL_USER.to_string());
    assert_eq!(stored["systemId"], app.engine.system_id().to_string());
    assert_eq!(stored["operationId"], stored["id"]);
    assert!(stored["createdAt"].as_str().unwrap() > "2020");
}
