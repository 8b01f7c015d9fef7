//! HTTP/2 connections: many streams on one connection, and connections that stall or idle.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::app::{EVENTS, TestApp, event, event_with, within};
use crate::stream::Stream;
use crate::tls::{HTTP_2, Secured};
use crate::wire;

#[tokio::test]
async fn delivers_every_event_to_a_hundred_streams_on_one_connection() {
    let secured = Secured::start().await;
    let mut client = secured.http2().await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut stream = client.subscribe().await;
        stream.until("live").await;
        streams.push(stream);
    }
    // Other requests on the same connection are still served.
    let body = event("to all").to_string();
    assert_eq!(client.call(Method::POST, EVENTS, &body).await.status(), 201);
    for stream in &mut streams {
        assert_eq!(stream.expect_next().await.description(), "to all");
    }
    let metrics = wire::read(client.call(Method::GET, "/metrics", "").await).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("tidings_subscribers 100\n"), "{metrics}");
    // Dropped streams end while the connection stays open.
    drop(streams);
    within(async {
        loop {
            let metrics = wire::read(client.call(Method::GET, "/metrics", "").await).await;
            let metrics = String::from_utf8(metrics.body).unwrap();
            if metrics.contains("tidings_subscribers 0\n") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(!client.ended.is_finished());
}

/// More bytes than all windows of a connection allow.
async fn fill(app: &TestApp) {
    let large = event_with("metadata", json!({"trace": "x".repeat(60_000)}));
    let batch = Value::from(vec![large; 60]).to_string();
    for _ in 0..4 {
        assert_eq!(app.post(batch.clone()).await.status, 201);
    }
}

#[tokio::test]
async fn closes_a_stalled_http2_reader_and_serves_others() {
    let secured = Secured::with(|config| {
        config.write_timeout = Duration::from_millis(400);
        config.connections.header_timeout = Duration::from_secs(3_600);
    })
    .await;
    fill(&secured.app).await;
    let mut live = secured.http2().await;
    let mut stream = live.subscribe().await;
    stream.until("live").await;

    // A replay that is never read, and a list whose body is complete at once.
    let replay = format!("{EVENTS}/subscribe?lastEventId=earliest");
    let list = format!("{EVENTS}?pagesize=all");
    for path in [&replay, &list] {
        let mut stalled = secured.http2().await;
        let response = stalled.call(Method::GET, path, "").await;
        assert_eq!(response.status(), 200);
        let _ = within(&mut stalled.ended).await.unwrap();
        drop(response);
    }
    let metrics = wire::read(live.call(Method::GET, "/metrics", "").await).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    let counted = "tidings_connections_closed_for_stall_total 2\n";
    assert!(metrics.contains(counted), "{metrics}");
    secured.app.publish(&event("still there")).await;
    assert_eq!(stream.expect_next().await.description(), "still there");
}

#[tokio::test]
async fn closes_a_client_without_a_window() {
    let secured = Secured::with(|config| {
        config.write_timeout = Duration::from_millis(400);
        config.connections.header_timeout = Duration::from_secs(3_600);
    })
    .await;
    for path in ["", "/summary", "/subscribe"] {
        let mut stalled = secured.http2_without_window().await;
        let path = format!("{EVENTS}{path}");
        let response = stalled.call(Method::GET, &path, "").await;
        assert_eq!(response.status(), 200);
        let _ = within(&mut stalled.ended).await.unwrap();
        drop(response);
    }
}

#[tokio::test]
async fn closes_an_http2_client_with_many_unread_responses() {
    let secured = Secured::with(|config| {
        config.connections.header_timeout = Duration::from_secs(3_600);
    })
    .await;
    let mut client = secured.http2_without_window().await;
    let mut responses = Vec::new();
    for _ in 0..40 {
        responses.push(client.call(Method::GET, "/healthz", "").await);
    }
    let _ = within(&mut client.ended).await.unwrap();
}

#[tokio::test]
async fn keeps_a_silent_stream() {
    let secured = Secured::with(|config| {
        config.write_timeout = Duration::from_millis(400);
        config.connections.header_timeout = Duration::from_millis(400);
        config.keepalive = Duration::from_secs(1);
    })
    .await;
    let mut client = secured.http2().await;
    let mut stream = client.subscribe().await;
    stream.until("live").await;
    // Both time-outs pass twice between two keepalives.
    for _ in 0..2 {
        assert_eq!(stream.expect_next().await.comment, "keepalive");
    }
}

#[tokio::test]
async fn closes_a_connection_without_requests() {
    let secured = Secured::with(|config| {
        config.connections.header_timeout = Duration::from_millis(100);
    })
    .await;
    let mut client = secured.http2().await;
    assert_eq!(client.call(Method::GET, "/healthz", "").await.status(), 200);
    within(client.ended).await.unwrap().unwrap();
    // A connection without the HTTP/2 preface is closed.
    let mut silent = secured.connect(&[HTTP_2]).await.unwrap();
    let mut rest = Vec::new();
    let _ = within(silent.read_to_end(&mut rest)).await;
}

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    let mut frame = vec![0, 0, length, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn closes_a_client_that_opens_and_resets_without_pause() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    /// The head is complete, and no body follows.
    const ALL: u8 = 0x5;
    /// `GET / https` of the static table, and the authority spelled out (RFC 7541).
    const HEAD: &[u8] = b"\x82\x84\x87\x41\x09localhost";
    const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
    const ENHANCE_YOUR_CALM: [u8; 4] = 11_u32.to_be_bytes();

    let secured = Secured::start().await;
    let mut other = secured.http2().await;
    let mut stream = other.subscribe().await;
    stream.until("live").await;
    let mut socket = secured.connect(&[HTTP_2]).await.unwrap();
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(SETTINGS, 0, 0, b""));
    for number in 0..500 {
        let id = 2 * number + 1;
        flood.extend(frame(HEADERS, ALL, id, HEAD));
        flood.extend(frame(RST_STREAM, 0, id, &CANCEL));
    }
    socket.write_all(&flood).await.unwrap();
    let mut response = Vec::new();
    let _ = within(socket.read_to_end(&mut response)).await;
    let mut rest = response.as_slice();
    let mut reason = None;
    while let [a, b, c, kind, _, _, _, _, _, payload @ ..] = rest {
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        if *kind == GOAWAY {
            reason = payload.get(4..8);
        }
        rest = payload.get(length..).unwrap_or_default();
    }
    assert_eq!(reason, Some(&ENHANCE_YOUR_CALM[..]));
    secured.app.publish(&event("to the others")).await;
    assert_eq!(stream.expect_next().await.description(), "to the others");
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let secured = Secured::with(|config| {
        config.drain_spread = Duration::from_millis(50);
        config.drain_grace = Duration::from_secs(3_600);
    })
    .await;
    let mut client = secured.http2().await;
    let mut streams: Vec<Stream> = Vec::new();
    for _ in 0..5 {
        let mut stream = client.subscribe().await;
        stream.until("live").await;
        streams.push(stream);
    }
    let mut idle = secured.http2().await;
    assert_eq!(idle.call(Method::GET, "/healthz", "").await.status(), 200);
    let ended = secured.server.begin_shutdown();
    for mut stream in streams {
        assert!(stream.expect_next().await.retry.is_some());
        assert_eq!(stream.next().await, None);
    }
    within(ended).await.unwrap();
    within(idle.ended).await.unwrap().unwrap();
    within(client.ended).await.unwrap().unwrap();
}
