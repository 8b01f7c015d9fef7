use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::Instant;

use crate::app::{EVENTS, TestApp, event, event_with, request, within};
use crate::stream::{Frame, Stream};
use crate::wire;

#[tokio::test]
async fn starts_a_stream_with_retry_ready_and_live() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
        ("connection", "keep-alive"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(stream.headers[name], value, "{name}");
    }
    let ready = stream.expect_next().await;
    assert_eq!(ready.name, "ready");
    let retry = ready.retry.unwrap();
    assert!((1_000..=4_000).contains(&retry), "{retry}");
    assert_eq!(ready.json()["cursor"], ready.id);
    assert_eq!(ready.json()["head"], ready.id);
    let live = stream.expect_next().await;
    assert_eq!(live.name, "live");
    assert_eq!(live.id, ready.id);
}

#[tokio::test]
async fn delivers_an_event_as_it_is_stored() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let stored = app.publish(&event("live")).await;
    let frame = stream.expect_next().await;
    assert_eq!(frame.name, "");
    assert_eq!(frame.json(), stored);
    assert!(frame.id.starts_with("1-0-"), "{}", frame.id);
    let system = app.publish(&event_with("owner", "system")).await;
    let frame = stream.expect_next().await;
    assert_eq!(frame.json(), system);
    assert!(frame.id.starts_with("1-1-"), "{}", frame.id);
    app.publish(&event_with("owner", "0c0ffee0-0000-4000-8000-00000000000a"))
        .await;
    app.publish(&event("after another's")).await;
    assert_eq!(stream.expect_next().await.description(), "after another's");
}

#[tokio::test]
async fn a_stream_resumes_with_exactly_the_missed_events() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    app.publish(&event("seen")).await;
    let seen = stream.expect_next().await;
    drop(stream);
    for missed in ["missed 1", "missed 2", "missed 3"] {
        app.publish(&event(missed)).await;
    }
    let mut stream = Stream::open_with(server.address, "", Some(seen.id.as_bytes())).await;
    let (none, ready) = stream.until("ready").await;
    assert_eq!(none, []);
    assert_eq!(ready.id, seen.id);
    let (missed, live) = stream.until("live").await;
    let missed: Vec<_> = missed.iter().map(Frame::description).collect();
    assert_eq!(missed, ["missed 1", "missed 2", "missed 3"]);
    assert_eq!(live.json()["summary"]["unread"], json!({"success": 4}));
    app.publish(&event("next")).await;
    assert_eq!(stream.expect_next().await.description(), "next");
}

#[tokio::test]
async fn prefers_the_header_to_the_query_and_ignores_an_empty_one() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.publish(&event("first")).await;
    app.publish(&event("second")).await;
    let mut whole = Stream::open_with(server.address, "?lastEventId=earliest", None).await;
    let (both, _) = whole.until("live").await;
    let (first, second) = (both[0].id.as_str(), both[1].id.as_str());
    for (query, header, expected) in [
        (format!("?lastEventId={first}"), None, 1),
        (format!("?lastEventId={first}"), Some(second), 0),
        (format!("?lastEventId={second}"), Some("earliest"), 2),
        ("?lastEventId=nonsense".to_owned(), Some(first), 1),
        (format!("?lastEventId={first}"), Some(""), 1),
        (
            format!("?x=1&lastEventId={first}&lastEventId={second}&y"),
            None,
            1,
        ),
        ("?lastEventId=".to_owned(), None, 0),
        (String::new(), Some(""), 0),
    ] {
        let header = header.map(str::as_bytes);
        let mut stream = Stream::open_with(server.address, &query, header).await;
        stream.until("ready").await;
        let (events, _) = stream.until("live").await;
        assert_eq!(events.len(), expected, "{query} {header:?}");
    }
}

#[tokio::test]
async fn answers_an_unusable_cursor_with_a_reset_and_a_new_cursor() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.publish(&event("before")).await;
    let page = app.get(EVENTS).await.json();
    let head = page["cursor"].as_str().unwrap();
    let tag = head.rsplit('-').next().unwrap();
    let (too_new, foreign, long) = (format!("9-0-{tag}"), "1-0-00000000", "1".repeat(5_000));
    for (cursor, reason) in [
        (b"nonsense".as_slice(), "malformed"),
        (b"1-0", "malformed"),
        (b"-1-0-00000000", "malformed"),
        (b"99999999999999999999-0-00000000", "malformed"),
        (b"1-0-\xff\xfe", "malformed"),
        ("1-0-é".as_bytes(), "malformed"),
        (long.as_bytes(), "malformed"),
        (b"null", "malformed"),
        (foreign.as_bytes(), "foreign"),
        (too_new.as_bytes(), "too_new"),
    ] {
        let mut stream = Stream::open_with(server.address, "", Some(cursor)).await;
        let (none, reset) = stream.until("reset").await;
        assert_eq!(none, []);
        assert_eq!(reset.json(), json!({"reason": reason, "cursor": head}));
        assert_eq!(reset.id, head);
        stream.until("live").await;
    }
    for query in ["?lastEventId=%FF", "?lastEventId=%00", "?lastEventId=x%0Ay"] {
        let mut stream = Stream::open_with(server.address, query, None).await;
        let (_, reset) = stream.until("reset").await;
        assert_eq!(reset.json()["reason"], "malformed");
    }
    let mut stream = Stream::open_with(server.address, "", Some(b"nonsense")).await;
    stream.until("live").await;
    app.publish(&event("after")).await;
    assert_eq!(stream.expect_next().await.description(), "after");
}

#[tokio::test]
async fn a_stream_continues_from_the_cursor_of_a_list() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.publish(&event("listed")).await;
    let page = app.get(EVENTS).await.json();
    app.publish(&event("since then")).await;
    let cursor = page["cursor"].as_str().unwrap();
    let mut stream = Stream::open_with(server.address, "", Some(cursor.as_bytes())).await;
    let (events, _) = stream.until("live").await;
    let events: Vec<_> = events.iter().map(Frame::description).collect();
    assert_eq!(events, ["since then"]);
}

#[tokio::test]
async fn a_head_request_ends_at_once() {
    let app = TestApp::start().await;
    let server = app.serve();
    let head = hyper::Request::head("/api/system/events/subscribe");
    let response = wire::read(wire::call(server.address, head).await).await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(response.body, b"");
}

#[tokio::test]
async fn a_silent_stream_sends_keepalives() {
    let app = TestApp::start().await;
    let mut body = subscribed(&app).await;
    let mut text = String::new();
    while !text.contains("event: live") {
        text.push_str(&next(&mut body).await);
    }
    // From here on the clock advances to the next timer.
    tokio::time::pause();
    let live = Instant::now();
    for times in 1..=3 {
        assert_eq!(next(&mut body).await, ": keepalive\n");
        let silence = live.elapsed();
        let expected = app.config.keepalive * times;
        let early = Duration::from_secs(2);
        assert!(
            silence <= expected + early && silence + early >= expected,
            "{silence:?}"
        );
    }
}

async fn subscribed(app: &TestApp) -> Body {
    let subscribe = request(Method::GET, "/api/system/events/subscribe", Body::empty());
    let router = tidings_server::router(app.engine.clone(), &app.config);
    let Ok(response) = tower::ServiceExt::oneshot(router, subscribe).await;
    response.into_body()
}

async fn next(body: &mut Body) -> String {
    let frame = within(body.frame()).await.expect("the stream is open");
    let bytes = frame.expect("a frame").into_data().expect("bytes");
    String::from_utf8(bytes.into()).expect("text")
}
