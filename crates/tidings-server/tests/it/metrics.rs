use std::net::SocketAddr;
use std::time::Duration;

use crate::app::{TestApp, event, stalled_reader, within};
use crate::stream::Stream;
use crate::wire;

async fn metrics(server: SocketAddr) -> String {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let mut socket = wire::send_raw(server, request.as_bytes()).await;
    wire::read_raw(&mut socket).await
}

#[tokio::test]
async fn what_happened_is_counted() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    app.publish(&event("counted")).await;
    let text = metrics(server.address).await;
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(
        text.contains("content-type: application/openmetrics-text"),
        "{text}"
    );
    for line in [
        "tidings_events_stored_total 1",
        "tidings_subscribers 1",
        "tidings_connections_closed_for_stall_total 0",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in {text}"
        );
    }
}

#[tokio::test]
async fn a_connection_closed_for_taking_nothing_is_counted() {
    let app = TestApp::with(|config| config.write_timeout = Duration::from_millis(50)).await;
    let server = app.serve();
    let _stalled = stalled_reader(&app, server.address).await;
    let counted = async {
        while !metrics(server.address)
            .await
            .contains("closed_for_stall_total 1")
        {}
    };
    within(counted).await;
}
