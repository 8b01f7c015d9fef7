//! The cursor of a stream, as a parameter and as a header.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::app::{EVENTS, TestApp, event};

/// The name of the first frame of a stream.
async fn first_frame(app: &TestApp, query: &str, header: Option<(&str, &str)>) -> String {
    let mut asked = Request::get(format!("{EVENTS}/subscribe{query}")).header("host", "localhost");
    if let Some((name, value)) = header {
        asked = asked.header(name, value);
    }
    let asked = asked.body(Body::empty()).expect("a request");
    let Ok(response) = app.router.clone().oneshot(asked).await;
    assert_eq!(response.status(), 200, "{query}");
    let mut body = response.into_body();
    let mut text = String::new();
    loop {
        let frame = body.frame().await.expect("a frame").expect("readable");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
        if let Some((_, rest)) = text.split_once("event: ")
            && let Some((name, _)) = rest.split_once('\n')
        {
            return name.to_owned();
        }
    }
}

#[tokio::test]
async fn reads_a_stream_cursor_in_every_spelling() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    assert_eq!(first_frame(&app, "", None).await, "ready");
    for name in [
        "lastEventId",
        "last_event_id",
        "last-event-id",
        "Last-Event-ID",
        "LASTEVENTID",
        "cursor",
        "Cursor",
    ] {
        // The stream reports a malformed cursor.
        let query = format!("?{name}=x");
        assert_eq!(first_frame(&app, &query, None).await, "reset", "{query}");
        assert_eq!(
            first_frame(&app, &format!("?{name}=&lastEventId="), None).await,
            "ready"
        );
    }
    for name in [
        "last-event-id",
        "Last-Event-ID",
        "LAST-EVENT-ID",
        "last_event_id",
        "LastEventId",
    ] {
        let header = Some((name, "x"));
        assert_eq!(
            first_frame(&app, "?lastEventId=earliest", header).await,
            "reset",
            "{name}"
        );
    }
    assert_eq!(first_frame(&app, "", Some(("cursor", "x"))).await, "ready");
    let close = app.get(&format!("{EVENTS}/subscribe?last_event=x")).await;
    let error = close.error(400, "invalid_query");
    let remedy = error["suggestedRemediation"][0].as_str().unwrap();
    assert!(remedy.contains("`lastEventId`"), "{remedy}");
}
