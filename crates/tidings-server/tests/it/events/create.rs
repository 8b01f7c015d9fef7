use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use tidings_server::LOCAL_USER;

use crate::app::{EVENTS, TestApp, event, event_with, id_of, request, resolve};
use crate::stream::Stream;
use crate::wire;

#[tokio::test]
async fn returns_an_event_as_it_is_stored() {
    let app = TestApp::start().await;
    let response = app.post(event("first").to_string()).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    let stored = response.json();
    let id = stored["id"].as_str().unwrap();
    let location = resolve(EVENTS, response.header("location"));
    assert_eq!(location, format!("{EVENTS}/{id}"));
    assert_eq!(stored["owner"], LOCAL_USER.to_string());
    assert_eq!(stored["status"], "unread");
    assert_eq!(app.get(&location).await.json(), stored);
    assert_eq!(app.stored().await, [stored]);
}

#[tokio::test]
async fn accepts_a_trailing_slash() {
    let app = TestApp::start().await;
    let mut request = request(
        Method::POST,
        "/api/system/events/",
        event("x").to_string().into(),
    );
    let json = "application/json; charset=utf-8".parse().unwrap();
    request.headers_mut().insert("content-type", json);
    let response = app.send(request).await;
    assert_eq!(response.status, 201);
    let location = resolve("/api/system/events/", response.header("location"));
    assert_eq!(app.get(&location).await.status, 200);
    assert_eq!(app.get("/api/system/events/").await.json()["totalCount"], 1);
}

#[tokio::test]
async fn the_owner_is_the_caller_unless_another_is_named() {
    let app = TestApp::start().await;
    let local = json!(LOCAL_USER.to_string());
    let other = json!("0c0ffee0-0000-4000-8000-00000000000a");
    let system = json!(app.engine.system_id().to_string());
    for (given, owner) in [
        (Value::Null, &local),
        (json!("00000000-0000-0000-0000-000000000000"), &local),
        (other.clone(), &other),
        (json!("system"), &system),
    ] {
        let stored = app.publish(&event_with("owner", given.clone())).await;
        assert_eq!(&stored["owner"], owner, "{given}");
    }
}

#[tokio::test]
async fn a_repeat_returns_the_stored_event_and_a_conflict_is_rejected() {
    let app = TestApp::start().await;
    let event = event_with("id", "0c0ffee0-0000-4000-8000-00000000000c");
    let first = app.publish(&event).await;
    let repeat = app.post(event.to_string()).await;
    assert_eq!(repeat.status, 200);
    assert_eq!(repeat.json(), first);
    assert!(repeat.headers.contains_key("location"));

    let mut other = event.clone();
    other["description"] = json!("changed");
    let error = app
        .post(other.to_string())
        .await
        .error(409, "event_conflict");
    let expected = "id 0c0ffee0-0000-4000-8000-00000000000c names another event of this owner";
    assert_eq!(error["longDescription"], json!([expected]));
    assert_eq!(app.stored().await, [first]);
}

#[tokio::test]
async fn rejects_a_truncated_body() {
    let app = TestApp::start().await;
    let broken = futures_util::stream::iter([
        Ok(event("x").to_string().into_bytes()),
        Err(std::io::Error::other("cut")),
    ]);
    let response = app.post(Body::from_stream(broken)).await;
    response.error(400, "body_unreadable");
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn a_client_that_ends_its_upload_early_receives_the_error() {
    let app = TestApp::start().await;
    let server = app.serve();
    let head = wire::post_head(server.address, 1000);
    let mut socket = wire::send_raw(server.address, format!("{head}{{").as_bytes()).await;
    tokio::io::AsyncWriteExt::shutdown(&mut socket)
        .await
        .unwrap();
    let response = wire::read_raw(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    assert!(response.contains("body_unreadable"), "{response}");
}

#[tokio::test]
async fn a_client_that_sends_too_much_receives_the_error() {
    let app = TestApp::start().await;
    let server = app.serve();
    let length = 12 * 1024 * 1024;
    let mut bytes = wire::post_head(server.address, length).into_bytes();
    bytes.resize(bytes.len() + length, b' ');
    // The client writes everything before it reads, so a connection reset would fail the test.
    let mut socket = wire::send_raw(server.address, &bytes).await;
    let response = wire::read_raw(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    assert!(response.contains("4194304 bytes allowed"), "{response}");
}

#[tokio::test]
async fn rejects_a_large_upload_before_the_client_sends_it() {
    let app = TestApp::start().await;
    let server = app.serve();
    let head = wire::post_head(server.address, 5_000_000);
    let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut socket = wire::send_raw(server.address, head.as_bytes()).await;
    let response = wire::read_raw(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
}

#[tokio::test]
async fn an_event_whose_publisher_hangs_up_is_stored_and_delivered() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let body = event("nobody waits").to_string();
    let head = wire::post_head(server.address, body.len());
    let publishers = 20;
    for _ in 0..publishers {
        drop(wire::send_raw(server.address, format!("{head}{body}").as_bytes()).await);
    }
    for _ in 0..publishers {
        assert_eq!(stream.expect_next().await.description(), "nobody waits");
    }
    assert_eq!(app.stored().await.len(), publishers);
}

#[tokio::test]
async fn accepts_a_repeat_with_other_spellings_of_numbers() {
    let app = TestApp::start().await;
    let id = "0c0ffee0-0000-4000-8000-00000000000d";
    let event = |number: &str| {
        let mut event = event("numbers");
        event["id"] = id.into();
        event["metadata"] = json!({"n": "here"});
        event.to_string().replace("\"here\"", number)
    };
    assert_eq!(app.post(event("1e400")).await.status, 201);
    for same in ["1E+400", "10.0e399"] {
        assert_eq!(app.post(event(same)).await.status, 200, "{same}");
    }
    app.post(event("1e401")).await.error(409, "event_conflict");
}

#[tokio::test]
async fn an_event_has_the_time_at_which_it_expires() {
    let app = TestApp::start().await;
    let expiring = |name: &str, moment: Value| {
        let mut event = event("for a while");
        event[name] = moment;
        event
    };
    const MOMENT: &str = "2200-01-01T00:00:00Z";
    let mut ids = Vec::new();
    for (name, moment) in [
        ("expiresAt", json!("2200-01-01T01:00:00+01:00")),
        ("expires_at", json!(MOMENT)),
        ("ExpiresAt", json!("2200-01-01 00:00:00")),
    ] {
        let stored = app.publish(&expiring(name, moment)).await;
        assert_eq!(stored["expiresAt"], MOMENT, "{name}");
        let listed = app
            .get(&format!("{EVENTS}/{}", id_of(&stored)))
            .await
            .json();
        assert_eq!(listed["expiresAt"], MOMENT);
        ids.push(id_of(&stored));
    }
    // What does not expire has no such field.
    for moment in [
        json!(null),
        json!(""),
        json!("0001-01-01T00:00:00Z"),
        json!("soon"),
    ] {
        let stored = app.publish(&expiring("expiresAt", moment)).await;
        assert_eq!(stored.get("expiresAt"), None, "{stored}");
    }
    // It is part of the content, and an update does not change it.
    let mut other = expiring("expiresAt", json!("2200-01-02T00:00:00Z"));
    other["id"] = json!(ids[0]);
    app.post(other.to_string())
        .await
        .error(409, "event_conflict");
    let update = json!({"severity": "debug", "expiresAt": MOMENT});
    let rejected = app.put(&format!("/{}", ids[0]), &update).await;
    rejected.error(400, "invalid_event");
    let updated = app
        .put(&format!("/{}", ids[0]), &json!({"severity": "debug"}))
        .await;
    assert_eq!(updated.json()["expiresAt"], MOMENT);
    let gone = app
        .publish(&expiring("expiresAt", json!("2020-01-01T00:00:00Z")))
        .await;
    assert_eq!(gone["warnings"][0]["code"], "expired");
}
