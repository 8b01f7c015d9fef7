//! The aliases under `/api/events`, whose responses have bodies.

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with, id_of, resolve};
use crate::wire;

const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

async fn send(app: &TestApp, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let method = method.parse::<Method>().expect("a method");
    let path = format!("/api/events{path}");
    let response = app.send_json(method, &path, body.to_string()).await;
    let json = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    (response.status.as_u16(), json)
}

#[tokio::test]
async fn reads_are_the_same_under_both_paths() {
    let app = TestApp::start().await;
    let path = "/api/events";
    let stored = app
        .send_json(Method::POST, path, event("x").to_string())
        .await;
    assert_eq!(stored.status, 201);
    let id = id_of(&stored.json());
    let location = resolve("/api/events", stored.header("location"));
    assert_eq!(location, format!("/api/events/{id}"));
    for (alias, name) in [
        ("", ""),
        ("/", ""),
        ("/summary", "/summary"),
        (&format!("/{id}"), &format!("/{id}")),
        ("?limit=1", "?limit=1"),
    ] {
        let alias = app.get(&format!("/api/events{alias}")).await;
        let same = app.get(&format!("/api/system/events{name}")).await;
        assert_eq!(alias.status, same.status, "{name}");
        assert_eq!(alias.json(), same.json(), "{name}");
    }
}

/// The forms that `@meshery/schemas` declares: the events as `data`, and pairs instead of two lists.
#[tokio::test]
async fn the_list_and_the_types_have_the_shape_that_the_published_client_declares() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/api/events/types").await.json(), json!([]));
    app.publish_numbered(3).await;
    let mut other = event_with("category", "server");
    other["action"] = json!("upgrade");
    app.publish(&other).await;
    for query in [
        "",
        "?pagesize=1",
        "?page=1&pagesize=2&search=1&order=created_at+desc",
        "?page=0&pagesize=15&order=created_at%20desc&filter=%7B%22category%22%3A%5B%22server%22%5D%7D",
        "?count=none",
        "?page=9",
    ] {
        let same = app.get(&format!("/api/system/events{query}")).await;
        let mut expected = same.json();
        let events = expected.as_object_mut().unwrap().remove("events").unwrap();
        expected["data"] = events;
        let response = app.get(&format!("/api/events/list{query}")).await;
        assert_eq!(response.status, 200, "{query}");
        assert_eq!(response.json(), expected, "{query}");
    }
    let rejected = app.get("/api/events/list?limit=1").await;
    rejected.error(400, "invalid_query");
    let types = app.get("/api/events/types?page=0&pagesize=100").await;
    let expected = json!([
        {"category": "connection", "action": "register"},
        {"category": "server", "action": "upgrade"},
    ]);
    assert_eq!(types.json(), expected);
    let rejected = app.get("/api/events/types?category=x").await;
    rejected.error(400, "invalid_query");
}

#[tokio::test]
async fn serves_the_stream_under_the_alias() {
    let app = TestApp::start().await;
    let server = app.serve();
    let request = hyper::Request::get("/api/events/subscribe");
    let response = wire::call(server.address, request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
}

#[tokio::test]
async fn changes_return_what_they_changed() {
    let app = TestApp::start().await;
    let ids = app.publish_numbered(4).await;
    let read = json!({"status": "read"});
    assert_eq!(
        send(&app, "PUT", &format!("/{}/status", ids[0]), &read).await,
        (
            200,
            json!({"message": "The event is marked as read", "eventId": ids[0],
                   "status": "read"})
        )
    );
    let several = json!({"ids": [ids[0], ids[1], UNKNOWN], "status": "read"});
    assert_eq!(
        send(&app, "PUT", "/status", &several).await,
        (200, json!({"updated": [ids[1]], "count": 1}))
    );
    let all = json!({"all": true, "status": "read"});
    assert_eq!(
        send(&app, "PUT", "/status", &all).await,
        (200, json!({"updated": [], "count": 2}))
    );
    let one = send(&app, "DELETE", &format!("/{}", ids[0]), &Value::Null).await;
    assert_eq!(one, (204, Value::Null));
    let some = json!({"ids": [ids[0], ids[1]]});
    assert_eq!(
        send(&app, "POST", "/delete", &some).await,
        (200, json!({"deleted": [ids[1]], "count": 1}))
    );
    assert_eq!(
        send(&app, "DELETE", "", &json!({"ids": [ids[2]]})).await,
        (200, json!({"deleted": [ids[2]], "count": 1}))
    );
    assert_eq!(
        send(&app, "DELETE", "/", &json!({"all": true})).await,
        (200, json!({"deleted": [], "count": 1}))
    );
    assert_eq!(app.list("").await["totalCount"], 0);
}

#[tokio::test]
async fn foreign_and_unknown_events_have_the_same_response() {
    let app = TestApp::start().await;
    let foreign = event_with("owner", "0c0ffee0-0000-4000-8000-00000000000a");
    let foreign = id_of(&app.publish(&foreign).await);
    let read = json!({"status": "read"});
    for (method, end) in [("PUT", "/status"), ("DELETE", ""), ("GET", "")] {
        let foreign = send(&app, method, &format!("/{foreign}{end}"), &read).await;
        let unknown = send(&app, method, &format!("/{UNKNOWN}{end}"), &read).await;
        assert_eq!(foreign, unknown);
        assert_eq!(unknown.0, 404);
        assert_eq!(unknown.1["code"], "event_not_found");
    }
    let both = json!({"ids": [foreign, UNKNOWN], "status": "read"});
    let response = send(&app, "PUT", "/status", &both).await;
    assert_eq!(response, (200, json!({"updated": [], "count": 0})));
}
