use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Method;
use hyper::Request;
use serde_json::{Value, json};
use tidings_event::OwnerId;
use tidings_server::{CallerLimits, Scopes};
use uuid::Uuid;

use crate::app::{EVENTS, TestApp, TestResponse, event, event_with, request, within};
use crate::login::LoginApp;
use crate::wire;

const SUBSCRIBE: &str = "/api/system/events/subscribe";

const A: OwnerId = OwnerId::from_uuid(Uuid::from_u128(0xa));
const B: OwnerId = OwnerId::from_uuid(Uuid::from_u128(0xb));

async fn limited(change: impl FnOnce(&mut CallerLimits)) -> TestApp {
    TestApp::with(|config| change(&mut config.limits)).await
}

const ONE: Option<NonZeroU32> = NonZeroU32::new(1);

/// Sends a request until a rate limit rejects it: the second time, unless the machine pauses for a second.
async fn until_rejected(send: impl AsyncFn() -> TestResponse) -> TestResponse {
    for _ in 0..100 {
        let response = send().await;
        if response.status == 429 {
            return response;
        }
    }
    panic!("it is served all the time");
}

fn batch(events: usize) -> String {
    Value::from(vec![event("one of many"); events]).to_string()
}

fn retry_after(response: &TestResponse) -> u32 {
    response.header("retry-after").parse().expect("seconds")
}

#[tokio::test]
async fn limits_the_publish_rate() {
    let app = limited(|limits| limits.publish_rate = ONE).await;
    // The largest batch is accepted although the rate is lower.
    assert_eq!(app.post(batch(1_000)).await.status, 201);
    let rejected = until_rejected(async || app.post(event("late").to_string()).await).await;
    let error = rejected.error(429, "rate_limited");
    assert_eq!(
        error["longDescription"],
        json!(["you can publish 1 event per second"])
    );
    let remedy = error["suggestedRemediation"][0].as_str().unwrap();
    assert!(remedy.starts_with("try again in 1 s, "), "{remedy}");
    assert!(remedy.contains("--publish-rate"), "{remedy}");
    assert_eq!(retry_after(&rejected), 1);
    // Other requests have a limit of their own.
    assert_eq!(app.get(EVENTS).await.status, 200);
}

#[tokio::test]
async fn a_batch_counts_its_events_and_is_stored_whole_or_not_at_all() {
    let app = limited(|limits| limits.publish_rate = ONE).await;
    assert_eq!(app.post(batch(900)).await.status, 201);
    let rejected = app.post(batch(500)).await;
    rejected.error(429, "rate_limited");
    // 100 were left; the attempt used one.
    let seconds = retry_after(&rejected);
    assert!((300..=401).contains(&seconds), "{seconds}");
    assert_eq!(app.stored().await.len(), 900);
    assert_eq!(app.post(batch(50)).await.status, 201);
}

#[tokio::test]
async fn rejects_a_caller_without_the_scope_before_the_body() {
    let app = limited(|limits| limits.publish_rate = ONE).await;
    let server = app.serve();
    let (all, one) = (batch(1_000), event("").to_string());
    let head = wire::post_head(server.address, all.len());
    let mut socket = wire::send_raw(server.address, (head + &all).as_bytes()).await;
    let response = wire::read_raw(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    // If the server wanted the body, it would wait for it.
    for _ in 0..10 {
        let head = wire::post_head(server.address, one.len());
        let head = head.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
        let mut socket = wire::send_raw(server.address, head.as_bytes()).await;
        let response = wire::read_raw(&mut socket).await;
        if response.starts_with("HTTP/1.1 429 ") {
            assert!(response.contains("\"rate_limited\""), "{response}");
            return;
        }
    }
    panic!("the body was waited for");
}

#[tokio::test]
async fn limits_the_request_rate() {
    let app = limited(|limits| limits.request_rate = ONE).await;
    let id = "0c0ffee0-0000-4000-8000-0000000000ff";
    let read = json!({"status": "read"});
    let ids = json!({"ids": [id]});
    for (method, path, body) in [
        (Method::GET, String::new(), &Value::Null),
        (Method::GET, format!("/{id}"), &Value::Null),
        (Method::GET, "/types".to_owned(), &Value::Null),
        (Method::GET, "/summary".to_owned(), &Value::Null),
        (Method::DELETE, format!("/{id}"), &Value::Null),
        (Method::PUT, format!("/status/{id}"), &read),
        (Method::PUT, "/status/bulk".to_owned(), &ids),
        (Method::DELETE, "/bulk".to_owned(), &ids),
    ] {
        let path = format!("{EVENTS}{path}");
        let send = async || match body {
            Value::Null => {
                app.send(request(method.clone(), &path, Body::empty()))
                    .await
            }
            body => app.send_json(method.clone(), &path, body.to_string()).await,
        };
        let rejected = until_rejected(send).await;
        let error = rejected.error(429, "rate_limited").to_string();
        assert!(
            error.contains("you can send 1 request per second"),
            "{path}: {error}"
        );
        assert!(error.contains("--request-rate"), "{path}: {error}");
        assert_eq!(retry_after(&rejected), 1, "{path}");
    }
    // Publishes have a limit of their own.
    for _ in 0..3 {
        app.publish(&event("")).await;
    }
}

#[tokio::test]
async fn counts_a_stream_as_a_request() {
    let app = limited(|limits| limits.request_rate = ONE).await;
    let server = app.serve();
    let rejected = until_rejected(async || {
        let response = wire::call(server.address, Request::get(SUBSCRIBE)).await;
        if response.status() == 200 {
            // A stream does not end.
            return TestResponse {
                status: response.status(),
                headers: response.headers().clone(),
                body: Vec::new(),
            };
        }
        wire::read(response).await
    });
    rejected.await.error(429, "rate_limited");
}

#[tokio::test]
async fn rejects_nothing_without_limits() {
    let app = TestApp::start().await;
    for _ in 0..100 {
        assert_eq!(app.get(EVENTS).await.status, 200);
    }
    for _ in 0..3 {
        assert_eq!(app.post(batch(1_000)).await.status, 201);
    }
}

#[tokio::test]
async fn limits_the_streams_of_an_owner() {
    let app = limited(|limits| limits.streams_per_owner = ONE).await;
    let server = app.serve();
    let subscribe = || wire::call(server.address, Request::get(SUBSCRIBE));
    let first = subscribe().await;
    assert_eq!(first.status(), 200);
    let head = wire::call(server.address, Request::head(SUBSCRIBE)).await;
    assert_eq!(head.status(), 200);

    let asked = Instant::now();
    let rejected = wire::read(subscribe().await).await;
    assert!(asked.elapsed() >= Duration::from_millis(700));
    let error = rejected.error(429, "too_many_streams");
    assert_eq!(error["longDescription"], json!(["you can have 1 open"]));
    assert!(
        error.to_string().contains("--max-streams-per-owner"),
        "{error}"
    );
    assert_eq!(retry_after(&rejected), 10);

    drop(first);
    // Each rejection is delayed by about a second.
    for _ in 0..20 {
        if subscribe().await.status() == 200 {
            return;
        }
    }
    panic!("the place of a stream that has ended is not free");
}

#[tokio::test]
async fn rejects_a_long_url() {
    let app = TestApp::start().await;
    let path = |path: &str, bytes: usize| {
        let path = format!("{EVENTS}{path}?author=");
        let rest = bytes - path.len();
        path + &"x".repeat(rest)
    };
    let most = 16 * 1024;
    assert_eq!(app.get(&path("", most)).await.status, 200);
    let error = app
        .get(&path("", most + 1))
        .await
        .error(414, "uri_too_long");
    assert_eq!(
        error["longDescription"],
        json!(["path and query have 16385 bytes, more than the 16384 allowed"])
    );
    for path in [path("/summary", 40_000), path("/subscribe", most + 1)] {
        app.get(&path).await.error(414, "uri_too_long");
    }
    let body = event("").to_string();
    let long = path("", most + 1);
    let publish = app.send_json(Method::POST, &long, body);
    publish.await.error(414, "uri_too_long");
    assert!(app.stored().await.is_empty());
    // The same over a socket, where a head of this size fits.
    let server = app.serve();
    let response = wire::get(server.address, &path("", 30_000)).await;
    response.error(414, "uri_too_long");
}

#[tokio::test]
async fn limits_the_keys_of_metadata() {
    let app = TestApp::start().await;
    let metadata = |keys: usize| -> Value {
        let keys = (1..keys).map(|number| (format!("k{number}"), json!(0)));
        json!({"all": [Value::Object(keys.collect())]})
    };
    app.publish(&event_with("metadata", metadata(4_096))).await;
    let stored = app.publish(&event_with("metadata", metadata(4_097))).await;
    let warning = &stored["warnings"][0]["message"];
    let expected =
        "has 4097 keys, more than the 4096 allowed; some objects are stored as JSON texts";
    assert_eq!(warning, expected);
    assert!(stored["metadata"]["all"].is_string());
}

#[tokio::test]
async fn ignores_any_number_of_unknown_fields() {
    let app = TestApp::start().await;
    let known = event("kept").to_string();
    let known = known.trim_end_matches('}');
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000));
    let many: String = (0..10_000)
        .map(|number| format!(",\"k{number}\":0"))
        .collect();
    for unknown in [
        format!(",\"deep\":{deep}"),
        format!(",\"deep\":{objects}"),
        many,
    ] {
        let body = format!("{known}{unknown}}}");
        assert!(body.len() < 128 * 1024);
        assert_eq!(app.post(body).await.status, 201);
    }
    for stored in app.stored().await {
        assert_eq!(stored["description"], "kept");
        assert!(stored.get("deep").is_none() && stored.get("k0").is_none());
    }
}

#[tokio::test]
async fn counts_rejections_by_limit() {
    let app = limited(|limits| limits.request_rate = ONE).await;
    let server = app.serve();
    let long = format!("{EVENTS}?author={}", "x".repeat(16 * 1024));
    wire::get(server.address, &long)
        .await
        .error(414, "uri_too_long");
    until_rejected(async || wire::get(server.address, EVENTS).await).await;
    let metrics = wire::get(server.address, "/metrics").await;
    let text = String::from_utf8(metrics.body).unwrap();
    for (limit, rejected) in [
        ("publish_rate", 0),
        ("own_publish_rate", 0),
        ("request_rate", 1),
        ("streams_per_owner", 0),
        ("streams_per_address", 0),
        ("unfinished_uploads", 0),
        ("waiting_changes", 0),
        ("untaken_answers", 0),
        ("waiting_queries", 0),
        ("uri_bytes", 1),
    ] {
        let line =
            format!("tidings_requests_refused_by_limit_total{{limit=\"{limit}\"}} {rejected}");
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

/// The head of a publish request with a token and a body of this length.
fn upload_head(app: &LoginApp, token: &str, bytes: usize) -> String {
    let head = wire::post_head(app.server.address, bytes);
    head.replace(
        "\r\n\r\n",
        &format!("\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"),
    )
}

#[tokio::test]
async fn unfinished_uploads_delay_only_their_caller() {
    const BATCH_BYTES: usize = 4 * 1024 * 1024;
    // The error shows that the body was read: it is too large for one event.
    const READ: &str = "HTTP/1.1 400 ";
    let app = LoginApp::start().await;
    let greedy = app.token(A, Scopes::USER);
    let other = app.token(B, Scopes::USER);
    let head = upload_head(&app, &greedy, BATCH_BYTES);
    let send = async |token: &str| {
        let mut request = upload_head(&app, token, BATCH_BYTES).into_bytes();
        request.resize(request.len() + BATCH_BYTES, b'x');
        let mut socket = wire::send_raw(app.server.address, &request).await;
        wire::read_raw(&mut socket).await
    };
    let mut unfinished = Vec::new();
    for _ in 0..4 {
        let begun = format!("{head}[");
        unfinished.push(wire::send_raw(app.server.address, begun.as_bytes()).await);
    }
    let rejected = within(async {
        loop {
            let response = send(&greedy).await;
            if response.starts_with("HTTP/1.1 429 ") {
                return response;
            }
            assert!(response.starts_with(READ), "{response}");
        }
    })
    .await;
    for part in [
        "\"code\":\"rate_limited\"",
        "retry-after: ",
        "16777216 bytes",
    ] {
        assert!(rejected.contains(part), "{rejected}");
    }
    let served = send(&other).await;
    assert!(served.starts_with(READ), "{served}");
    let one = event("a single one").to_string();
    let response = app
        .send(&Method::POST, EVENTS, Some(&greedy), Some(&one))
        .await;
    assert_eq!(response.status, 201);
    drop(unfinished);
    within(async {
        while send(&greedy).await.starts_with("HTTP/1.1 429 ") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn publishing_to_oneself_has_its_own_rate() {
    let app = LoginApp::with(|config| {
        config.limits.own_publish_rate = ONE;
        config.limits.publish_rate = NonZeroU32::new(1_000_000);
    })
    .await;
    let user = app.token(A, Scopes::USER);
    let backend = app.token(A, Scopes::USER | Scopes::PUBLISH);
    let one = event("one").to_string();
    let publish = async |token: &str, body: &str| {
        app.send(&Method::POST, EVENTS, Some(token), Some(body))
            .await
    };
    // The largest batch is accepted although the rate is lower.
    assert_eq!(publish(&user, &batch(1_000)).await.status, 201);
    let rejected = until_rejected(async || publish(&user, &one).await).await;
    let error = rejected.error(429, "rate_limited");
    assert_eq!(
        error["longDescription"],
        json!(["you can publish 1 event per second, and each 8 KiB count as one event"])
    );
    let remedy = error["suggestedRemediation"][0].as_str().unwrap();
    assert!(remedy.contains("--own-publish-rate"), "{remedy}");
    for _ in 0..20 {
        assert_eq!(publish(&backend, &one).await.status, 201);
    }
}
