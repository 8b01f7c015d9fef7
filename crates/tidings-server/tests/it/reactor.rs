//! Streams of plain HTTP/1.1: how they take over a connection, and how they end.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::app::{EVENTS, TestApp, event, event_with, within};
use crate::login::{ALICE, HOST, LoginApp, USER};
use crate::stream::Stream;
use crate::wire;

/// The head of a request for a stream, with further header lines.
pub(crate) fn subscribe(version: &str, headers: &str) -> String {
    format!("GET {EVENTS}/subscribe HTTP/{version}\r\nHost: localhost\r\n{headers}\r\n")
}

/// Reads until `what` has arrived this many times. Returns everything that arrived.
pub(crate) async fn read_until(socket: &mut TcpStream, what: &str, times: usize) -> String {
    within(async {
        let (mut text, mut found, mut searched) = (String::new(), 0, 0);
        let mut buffer = vec![0; 64 * 1024];
        while found < times {
            let bytes = socket.read(&mut buffer).await.expect("it is read");
            assert!(bytes > 0, "it ended without {what}: {text}");
            text += std::str::from_utf8(&buffer[..bytes]).expect("it is text");
            while let Some(place) = text[searched..].find(what) {
                found += 1;
                searched += place + what.len();
            }
            // Its begin can have come already.
            searched = searched.max(text.len().saturating_sub(what.len()));
        }
        text
    })
    .await
}

/// The value of a metric.
async fn metric(address: SocketAddr, name: &str) -> u64 {
    let text = wire::get(address, "/metrics").await.body;
    let text = String::from_utf8(text).expect("metrics are text");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.expect("it is shown").parse().expect("a number")
}

/// Waits until a metric has this value.
pub(crate) async fn until_metric(address: SocketAddr, name: &str, value: u64) {
    within(async {
        while metric(address, name).await != value {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn answers_a_request_that_was_sent_before_the_stream_began() {
    let app = TestApp::start().await;
    let server = app.serve();
    let both = format!(
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n{}",
        subscribe("1.1", "")
    );
    let mut socket = wire::send_raw(server.address, both.as_bytes()).await;
    let text = read_until(&mut socket, "event: live", 1).await;
    let stream = text.find("text/event-stream").expect("a stream");
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(text[..stream].contains("\"alive\""), "{text}");
    app.publish(&event("after the handover")).await;
    read_until(&mut socket, "after the handover", 1).await;
}

#[tokio::test]
async fn serves_the_next_request_after_the_stream_has_ended() {
    let app = LoginApp::start().await;
    let token = app.token_until(ALICE, USER, Duration::from_secs(2));
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let head = subscribe("1.1", &bearer).replace("localhost", HOST);
    let mut socket = wire::send_raw(app.server.address, head.as_bytes()).await;
    let mut text = read_until(&mut socket, "event: live", 1).await;
    // The request comes in two parts, one of them while the stream is open.
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (first, rest) = next.split_at(20);
    socket.write_all(first.as_bytes()).await.unwrap();
    text += &read_until(&mut socket, "\r\n0\r\n\r\n", 1).await;
    socket.write_all(rest.as_bytes()).await.unwrap();
    text += &wire::read_raw(&mut socket).await;
    assert_eq!(text.matches("event: expiring").count(), 2, "{text}");
    let (_, response) = text.split_once("\r\n0\r\n\r\n").expect("the stream ends");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(response.contains("\"alive\""), "{response}");
}

#[tokio::test]
async fn a_stream_of_http_1_0_has_no_chunks_and_ends_with_the_connection() {
    let app = TestApp::with(|config| config.drain_spread = Duration::ZERO).await;
    let server = app.serve();
    let mut socket = wire::send_raw(server.address, subscribe("1.0", "").as_bytes()).await;
    let mut text = read_until(&mut socket, "event: live", 1).await;
    app.publish(&event("plain")).await;
    text += &read_until(&mut socket, "plain", 1).await;
    within(server.begin_shutdown()).await.unwrap();
    text += &wire::read_raw(&mut socket).await;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
    assert!(!head.contains("chunked"), "{head}");
    assert!(!body.contains('\r'), "{body}");
    assert!(body.starts_with("retry: "), "{body}");
    let last = body.lines().next_back().expect("lines");
    assert!(last.starts_with("retry: "), "{body}");
}

#[tokio::test]
async fn closes_after_the_stream_if_the_client_asked_for_it() {
    let app = TestApp::with(|config| config.drain_spread = Duration::ZERO).await;
    let server = app.serve();
    let head = subscribe("1.1", "Connection: close\r\n");
    let mut socket = wire::send_raw(server.address, head.as_bytes()).await;
    read_until(&mut socket, "event: live", 1).await;
    within(server.begin_shutdown()).await.unwrap();
    let rest = wire::read_raw(&mut socket).await;
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "{rest:?}");
}

#[tokio::test]
async fn gives_back_the_places_of_clients_that_close_or_half_close() {
    let app = TestApp::with(|config| {
        config.limits.streams_per_owner = NonZeroU32::new(1);
        config.connections.most = Some(3);
    })
    .await;
    let server = app.serve();
    for half in [true, false] {
        let mut socket = wire::send_raw(server.address, subscribe("1.1", "").as_bytes()).await;
        read_until(&mut socket, "event: live", 1).await;
        let rejected = wire::get(server.address, &format!("{EVENTS}/subscribe")).await;
        rejected.error(429, "too_many_streams");
        assert_eq!(metric(server.address, "tidings_subscribers").await, 1);
        if half {
            socket.shutdown().await.unwrap();
            // The server closes its side too.
            wire::read_raw(&mut socket).await;
        } else {
            drop(socket);
        }
        until_metric(server.address, "tidings_subscribers", 0).await;
        // The scraper itself.
        until_metric(server.address, "tidings_connections_open", 1).await;
    }
    Stream::open(server.address).await.until("live").await;
}

#[tokio::test]
async fn a_client_that_sends_too_much_during_its_stream_is_not_read() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut socket = wire::send_raw(server.address, subscribe("1.1", "").as_bytes()).await;
    read_until(&mut socket, "event: live", 1).await;
    let flood = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(300), socket.write(&flood)).await
    {
        sent += written.expect("the server keeps the connection");
        assert!(sent < 64 * 1024 * 1024, "the server reads everything");
    }
    app.publish(&event("still served")).await;
    read_until(&mut socket, "still served", 1).await;
}

/// A client with a small buffer, so that frames are written in part.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(16 * 1024)
        .expect("a small buffer");
    let mut socket = within(socket.connect(address)).await.expect("connects");
    let head = subscribe("1.0", "");
    within(socket.write_all(head.as_bytes()))
        .await
        .expect("sends");
    socket
}

/// Large events in a batch, described by their numbers.
pub(crate) fn large(numbers: std::ops::Range<usize>) -> Value {
    let large = |number: usize| {
        let mut event = event_with("metadata", json!({"trace": "x".repeat(60_000)}));
        event["description"] = number.to_string().into();
        event
    };
    numbers.map(large).collect()
}

#[tokio::test]
async fn a_slow_reader_gets_each_event_once_and_whole() {
    const BATCHES: usize = 2;
    const BATCH: usize = 20;
    let app = TestApp::start().await;
    let server = app.serve();
    let mut socket = narrow(server.address).await;
    let mut text = read_until(&mut socket, "event: live", 1).await;
    // More than the window of the feed holds.
    for batch in 0..BATCHES {
        let body = large(batch * BATCH..(batch + 1) * BATCH).to_string();
        assert_eq!(app.post(body).await.status, 201);
    }
    app.publish(&event("the last")).await;
    text += &read_until(&mut socket, "the last", 1).await;
    let (_, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut numbers = Vec::new();
    let mut cursors = Vec::new();
    for frame in body.split("\n\n").filter(|frame| !frame.is_empty()) {
        let frame = crate::stream::Frame::parse(frame);
        if frame.name.is_empty() && frame.id.is_empty() {
            continue;
        }
        if frame.name.is_empty() {
            numbers.push(frame.description());
            cursors.push(frame.id);
        }
    }
    let mut expected: Vec<_> = (0..BATCHES * BATCH).map(|n| n.to_string()).collect();
    expected.push("the last".to_owned());
    assert_eq!(numbers, expected);
    cursors.sort();
    cursors.dedup();
    assert_eq!(cursors.len(), expected.len());
}

#[tokio::test]
async fn closes_a_stream_whose_client_takes_nothing() {
    let app = TestApp::with(|config| config.write_timeout = Duration::from_secs(2)).await;
    let server = app.serve();
    let mut stalled = narrow(server.address).await;
    read_until(&mut stalled, "event: live", 1).await;
    let mut other = Stream::open(server.address).await;
    other.until("live").await;
    // A reader that takes what comes is not stalled.
    let reading = tokio::spawn(async move {
        let mut events = 0;
        while events < 80 {
            events += usize::from(other.expect_next().await.name.is_empty());
        }
        other
    });
    for _ in 0..4 {
        assert_eq!(app.post(large(0..20).to_string()).await.status, 201);
    }
    until_metric(
        server.address,
        "tidings_connections_closed_for_stall_total",
        1,
    )
    .await;
    until_metric(server.address, "tidings_subscribers", 1).await;
    // What was sent before arrives, and then the connection ends.
    let mut rest = Vec::new();
    let _ = within(stalled.read_to_end(&mut rest)).await;
    within(reading).await.expect("it gets everything");
}

#[tokio::test]
async fn ends_with_the_engine() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    app.publish(&event("the last")).await;
    app.engine.end_subscriptions();
    assert_eq!(stream.expect_next().await.description(), "the last");
    assert!(stream.expect_next().await.retry.is_some());
    assert_eq!(stream.next().await, None);
}
