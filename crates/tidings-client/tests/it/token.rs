//! Tests of tokens, and of streams that outlive their token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings_client::{Client, ErrorKind, Received, Subscription, TokenSource};
use tidings_event::{Cursor, ErrorCode, EventId, Start, StreamItem};

use crate::stub::{Stub, StubResponse};

fn cursor(own: u64) -> Cursor {
    format!("{own}-7-k3f9q2w8").parse().unwrap()
}

fn frame(item: &StreamItem) -> String {
    let name = item.name().unwrap();
    format!(
        "event: {name}\nid: {}\ndata: {}\n\n",
        item.cursor(),
        item.data()
    )
}

fn ready(own: u64) -> String {
    frame(&StreamItem::Ready {
        cursor: cursor(own),
        head: cursor(own),
    })
}

fn expiring(own: u64) -> String {
    frame(&StreamItem::Expiring {
        cursor: cursor(own),
        at: "2026-08-01T10:00:00Z".parse().unwrap(),
    })
}

fn rejection(status: &str, code: &str) -> StubResponse {
    let body = format!(r#"{{"error":"no","code":"{code}","severity":"ERROR"}}"#);
    StubResponse::json(status, body)
}

/// A source that returns `token-0`, `token-1` and so on, and stays at `token-<last>`.
fn source(last: usize) -> TokenSource {
    let asked = Arc::new(AtomicUsize::new(0));
    TokenSource::from_fn(move || {
        let number = asked.fetch_add(1, Ordering::Relaxed).min(last);
        async move { Ok::<_, std::io::Error>(format!("token-{number}")) }
    })
}

fn client(stub: &Stub, token: TokenSource) -> Client {
    let builder = Client::builder(stub.client.server().clone());
    builder.with_token(token).build().unwrap()
}

fn follow(stub: &Stub, token: TokenSource) -> Subscription {
    client(stub, token)
        .subscribe(Start::Now)
        .with_retry_base(Duration::from_millis(1))
}

/// The value of a header.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn token(request: &str) -> Option<&str> {
    header(request, "authorization")
}

async fn expect_item(follow: &mut Subscription, name: &str) {
    match follow.next().await.unwrap() {
        Received::Item(item) => assert_eq!(item.name(), Some(name)),
        Received::Disconnected { error, .. } => panic!("{error:?}"),
    }
}

/// The error code of a refused connection, and the wait before the next attempt.
async fn rejected(follow: &mut Subscription) -> (Option<ErrorCode>, Duration) {
    match follow.next().await.unwrap() {
        Received::Disconnected { error, retry_in } => {
            (error.rejection().map(|body| body.code), retry_in)
        }
        Received::Item(item) => panic!("{item:?}"),
    }
}

#[tokio::test]
async fn sends_the_token_with_each_request_and_shows_it_nowhere_else() {
    let mut stub = Stub::start([
        rejection("404 Not Found", "event_not_found"),
        rejection("401 Unauthorized", "token_invalid"),
        rejection("401 Unauthorized", "token_invalid"),
    ])
    .await;
    let client = client(&stub, TokenSource::fixed("very.secret").unwrap());
    assert_eq!(client.get(EventId::mint()).await.unwrap(), None);
    let error = client.summary().await.unwrap_err();
    let mut follow = client.subscribe(Start::Now);
    let ended = follow.next().await.unwrap_err();
    assert!(!ended.is_temporary());
    for _ in 0..3 {
        let request = stub.request().await;
        assert_eq!(token(&request), Some("Bearer very.secret"));
        assert_eq!(request.matches("secret").count(), 1, "{request}");
    }
    let shown = format!("{client:?} {follow:?} {error:?} {error} {ended:?} {ended}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn renews_the_token_of_a_stream_before_it_expires() {
    let mut stub = Stub::start([
        StubResponse::stream(ready(1) + &expiring(1)).held(),
        StubResponse::stream(ready(1)).held(),
    ])
    .await;
    let mut follow = follow(&stub, source(1));
    for name in ["ready", "expiring", "ready"] {
        expect_item(&mut follow, name).await;
    }
    assert_eq!(token(&stub.request().await), Some("Bearer token-0"));
    let second = stub.request().await;
    assert_eq!(token(&second), Some("Bearer token-1"));
    assert_eq!(header(&second, "last-event-id"), Some("1-7-k3f9q2w8"));
}

#[tokio::test]
async fn reconnects_immediately_with_a_new_token_after_expiry() {
    for code in ["token_expired", "token_revoked", "token_missing"] {
        let mut stub = Stub::start([
            rejection("401 Unauthorized", code),
            StubResponse::stream(ready(1)).held(),
        ])
        .await;
        let mut follow = follow(&stub, source(1));
        let (rejected, retry_in) = rejected(&mut follow).await;
        assert_eq!(rejected.unwrap().to_string(), code);
        assert_eq!(retry_in, Duration::ZERO);
        expect_item(&mut follow, "ready").await;
        stub.request().await;
        // The client asked the source for a second token after the rejection.
        assert_eq!(token(&stub.request().await), Some("Bearer token-1"));
    }
}

#[tokio::test]
async fn ends_the_stream_if_the_source_returns_the_rejected_token() {
    let mut stub = Stub::start([
        StubResponse::stream(ready(1) + &expiring(1)),
        rejection("401 Unauthorized", "token_expired"),
    ])
    .await;
    let mut follow = follow(&stub, TokenSource::fixed("token").unwrap());
    expect_item(&mut follow, "ready").await;
    expect_item(&mut follow, "expiring").await;
    assert_eq!(
        rejected(&mut follow).await.0,
        None,
        "expected the end of the stream"
    );
    let error = follow.next().await.unwrap_err();
    let code = error.rejection().unwrap().code;
    assert_eq!(code, ErrorCode::TokenExpired);
    stub.request().await;
    stub.request().await;
}

#[tokio::test]
async fn waits_between_attempts_if_every_token_is_rejected() {
    let stub = Stub::start((0..3).map(|_| rejection("401 Unauthorized", "token_expired"))).await;
    let mut follow = client(&stub, source(usize::MAX))
        .subscribe(Start::Now)
        .with_retry_base(Duration::from_millis(50));
    assert_eq!(rejected(&mut follow).await.1, Duration::ZERO);
    let mut waits = Duration::ZERO;
    for _ in 0..2 {
        waits += rejected(&mut follow).await.1;
    }
    assert_ne!(waits, Duration::ZERO);
}

#[tokio::test]
async fn ends_at_a_missing_scope_and_retries_missing_keys() {
    let stub = Stub::start([
        rejection("503 Service Unavailable", "keys_unavailable"),
        rejection("403 Forbidden", "insufficient_scope"),
    ])
    .await;
    let mut follow = follow(&stub, source(9));
    let (code, _) = rejected(&mut follow).await;
    assert_eq!(code, Some(ErrorCode::KeysUnavailable));
    let error = follow.next().await.unwrap_err();
    assert_eq!(
        error.rejection().unwrap().code,
        ErrorCode::InsufficientScope
    );
}

#[tokio::test]
async fn waits_at_least_as_long_as_retry_after() {
    for (status, code) in [
        ("429 Too Many Requests", "too_many_streams"),
        ("503 Service Unavailable", "overloaded"),
    ] {
        let status = format!("{status}\r\nretry-after: 7");
        let stub = Stub::start([rejection(&status, code), rejection(&status, code)]).await;
        let error = stub.client.summary().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        let mut follow = stub.client.subscribe(Start::Now);
        let (_, retry_in) = rejected(&mut follow).await;
        assert!((7..9).contains(&retry_in.as_secs()), "{retry_in:?}");
    }
}

#[tokio::test]
async fn retries_a_missing_token_file_only_after_a_first_success() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let stub = Stub::start([
        StubResponse::stream(ready(1)),
        StubResponse::stream(ready(1)),
    ])
    .await;
    let mut follow = follow(&stub, TokenSource::file(&path));
    let error = follow.next().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoToken(_)), "{error:?}");

    std::fs::write(&path, "first\n").unwrap();
    expect_item(&mut follow, "ready").await;
    std::fs::remove_file(&path).unwrap();
    rejected(&mut follow).await;
    rejected(&mut follow).await;
    std::fs::write(&path, "other\n").unwrap();
    expect_item(&mut follow, "ready").await;
}
