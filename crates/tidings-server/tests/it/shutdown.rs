use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::app::{TestApp, event, stalled_reader, within};
use crate::stream::Stream;
use crate::wire;

#[tokio::test]
async fn ends_streams_with_a_retry_time() {
    let app = TestApp::with(|config| config.drain_spread = Duration::from_millis(50)).await;
    let server = app.serve();
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = Stream::open(server.address).await;
        stream.until("live").await;
        streams.push(stream);
    }
    let address = server.address;
    let ended = server.begin_shutdown();
    for mut stream in streams {
        let farewell = stream.expect_next().await;
        let retry = farewell.retry.unwrap();
        assert!((1_000..=10_000).contains(&retry), "{retry}");
        assert_eq!(stream.next().await, None);
    }
    within(ended).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    // The caller closes the engine.
    app.publish(&event("afterwards")).await;
}

#[tokio::test]
async fn answers_a_request_under_way() {
    let app = TestApp::start().await;
    let server = app.serve();
    let body = event("half sent").to_string();
    let head = wire::post_head(server.address, body.len());
    let (first, rest) = body.split_at(10);
    let mut socket = wire::send_raw(server.address, format!("{head}{first}").as_bytes()).await;
    // The stream opens after that request, so the server is serving it.
    Stream::open(server.address).await.until("live").await;
    let ended = server.begin_shutdown();
    socket.write_all(rest.as_bytes()).await.unwrap();
    let response = wire::read_raw(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    within(ended).await.unwrap();
    assert_eq!(app.stored().await.len(), 1);
}

#[tokio::test]
async fn a_stalled_client_does_not_delay_the_shutdown() {
    let grace = Duration::from_millis(300);
    let app = TestApp::with(|config| config.drain_grace = grace).await;
    let server = app.serve();
    let _stalled = stalled_reader(&app, server.address).await;
    let begun = Instant::now();
    within(server.begin_shutdown()).await.unwrap();
    assert!(begun.elapsed() >= grace, "the reader was not stalled");
}

#[tokio::test]
async fn closes_a_stalled_reader() {
    let app = TestApp::with(|config| {
        config.drain_grace = Duration::from_secs(3600);
        config.write_timeout = Duration::from_millis(50);
    })
    .await;
    let server = app.serve();
    let _stalled = stalled_reader(&app, server.address).await;
    // Without the timeout the server would wait until the end of the grace time.
    within(server.begin_shutdown()).await.unwrap();
}

#[tokio::test]
async fn idle_connections_end_with_the_server() {
    let app = TestApp::with(|config| config.drain_grace = Duration::from_secs(3600)).await;
    let server = app.serve();
    let silent = wire::send_raw(server.address, b"").await;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let idle = wire::send_raw(server.address, request.as_bytes()).await;
    idle.readable().await.unwrap();
    within(server.begin_shutdown()).await.unwrap();
    drop((silent, idle));
}
