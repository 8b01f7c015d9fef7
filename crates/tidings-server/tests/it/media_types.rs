//! Bodies in other formats: accepted if they mean the same, otherwise rejected with a reason.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{EVENTS, TestApp, TestResponse, event, request};

/// Publishes a body with these headers.
async fn publish(app: &TestApp, body: Vec<u8>, headers: &[(&'static str, &str)]) -> TestResponse {
    send(app, Method::POST, EVENTS, body, headers).await
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    body: Vec<u8>,
    headers: &[(&'static str, &str)],
) -> TestResponse {
    let mut asked = request(method, path, Body::from(body));
    for (name, value) in headers {
        asked
            .headers_mut()
            .append(*name, value.parse().expect("a header"));
    }
    app.send(asked).await
}

fn json_body() -> Vec<u8> {
    event("x").to_string().into_bytes()
}

#[tokio::test]
async fn accepts_every_form_of_the_json_content_type() {
    let app = TestApp::start().await;
    let forms = [
        "application/json",
        "APPLICATION/JSON",
        "application/json ; charset=utf-8",
        "application/json;charset=utf8",
        "application/json; charset=\"UTF8\"",
        "text/json",
        "application/vnd.example+json",
    ];
    for form in forms {
        let response = publish(&app, json_body(), &[("content-type", form)]).await;
        assert_eq!(response.status, 201, "{form}");
    }
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(json_body());
    let response = publish(&app, marked, &[("content-type", "application/json")]).await;
    assert_eq!(response.status, 201);
    let plain = [
        ("content-type", "application/json"),
        ("content-encoding", "identity"),
        ("ce-trace", "x"),
    ];
    assert_eq!(publish(&app, json_body(), &plain).await.status, 201);
    assert_eq!(app.stored().await.len(), forms.len() + 2);
}

/// Every operation with a body rejects other formats with the same error.
fn operations() -> [(Method, String, Value); 8] {
    let id = "0c0ffee0-0000-4000-8000-000000000001";
    let read = json!({"status": "read"});
    let all = json!({"all": true});
    let mark_all = json!({"all": true, "status": "read"});
    [
        (Method::POST, EVENTS.to_owned(), event("x")),
        (Method::PUT, format!("{EVENTS}/status/{id}"), read.clone()),
        (Method::PUT, format!("/api/events/{id}/status"), read),
        (
            Method::PUT,
            format!("{EVENTS}/status/bulk"),
            mark_all.clone(),
        ),
        (Method::PUT, "/api/events/status".to_owned(), mark_all),
        (Method::DELETE, format!("{EVENTS}/bulk"), all.clone()),
        (Method::DELETE, "/api/events".to_owned(), all.clone()),
        (Method::POST, "/api/events/delete".to_owned(), all),
    ]
}

#[tokio::test]
async fn rejects_other_formats_with_a_remedy() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    let json = ("content-type", "application/json");
    for (method, path, body) in operations() {
        for (headers, says) in [
            (&[][..], "Content-Type is missing"),
            (
                &[("content-type", "text/plain")],
                "Content-Type is `text/plain`",
            ),
            (
                &[("content-type", "application/x-www-form-urlencoded")],
                "Content-Type is `application/x-www-form-urlencoded`",
            ),
            (
                &[("content-type", "application/json; charset=utf-16")],
                "the character set `utf-16`",
            ),
            (
                &[json, ("content-encoding", "gzip")],
                "its encoding is `gzip`",
            ),
            (&[json, ("content-encoding", "br")], "its encoding is `br`"),
            (
                &[json, ("ce-specversion", "1.0"), ("ce-id", "1")],
                "the header ce-specversion marks the body as a CloudEvent",
            ),
            (
                &[("content-type", "application/cloudevents+json")],
                "Content-Type application/cloudevents+json marks",
            ),
            (
                &[("content-type", "application/cloudevents-batch+json")],
                "Content-Type application/cloudevents-batch+json marks",
            ),
        ] {
            let body = body.to_string().into_bytes();
            let response = send(&app, method.clone(), &path, body, headers).await;
            let error = response.error(415, "unsupported_media_type");
            let fault = error["longDescription"][0].as_str().unwrap();
            assert!(fault.contains(says), "{method} {path}: {fault}");
            assert!(
                !error["suggestedRemediation"][0]
                    .as_str()
                    .unwrap()
                    .is_empty()
            );
            let hint = match says.starts_with("its encoding") {
                true => ("accept-encoding", "identity"),
                false => ("accept", "application/json"),
            };
            assert_eq!(response.header(hint.0), hint.1, "{says}");
        }
    }
    let page = app.list("").await;
    assert_eq!(
        (&page["totalCount"], &page["readCount"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn names_the_encoding_of_a_compressed_or_wide_body() {
    let app = TestApp::start().await;
    let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = event("x").to_string();
        text.encode_utf16().flat_map(order).collect()
    };
    let marked = [&b"\xff\xfe"[..], &wide(u16::to_le_bytes)].concat();
    for (body, says) in [
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "its encoding is `gzip`"),
        (wide(u16::to_le_bytes), "UTF-16"),
        (wide(u16::to_be_bytes), "UTF-16"),
        (marked, "UTF-16"),
    ] {
        let response = publish(&app, body, &[("content-type", "application/json")]).await;
        let error = response.error(415, "unsupported_media_type").to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn names_a_cloud_event_that_is_declared_as_plain_json() {
    let app = TestApp::start().await;
    let cloud_event = json!({
        "specversion": "1.0",
        "id": "a-1",
        "source": "/clusters/1",
        "type": "org.example.registered",
        "datacontenttype": "application/json",
        "data": event("x"),
    });
    let batch = json!([event("y"), cloud_event]);
    let mut incomplete = cloud_event.clone();
    incomplete["type"].take();
    incomplete.as_object_mut().unwrap().remove("id");
    let of_0_1 = json!({"cloudEventsVersion": "0.1", "eventID": "a-1", "source": "/clusters/1",
                        "eventType": "org.example.registered"});
    for body in [&cloud_event, &incomplete, &of_0_1, &batch] {
        let response = app.post(body.to_string()).await;
        let error = response.error(415, "unsupported_media_type");
        assert_eq!(error["error"], "CloudEvents are not supported");
        let detail = error["longDescription"][0].as_str().unwrap();
        assert!(detail.contains("Content-Type application/json"), "{detail}");
    }
    assert!(app.stored().await.is_empty());
    let partial = format!("{EVENTS}?partial=true");
    let response = app
        .send_json(Method::POST, &partial, batch.to_string())
        .await;
    assert_eq!(response.status, 207);
    let results = response.json();
    assert_eq!(
        results["results"][1]["error"]["code"],
        "unsupported_media_type"
    );
    assert_eq!(app.stored().await.len(), 1);
    // A field of an event can have any of these names.
    let mut ours = event("z");
    ours["specversion"] = "1.0".into();
    assert_eq!(app.post(ours.to_string()).await.status, 201);
}
