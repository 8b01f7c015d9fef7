//! The limits of connections, and the time-outs of slow ones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::app::{EVENTS, TestApp, event, within};
use crate::stream::Stream;
use crate::wire;

/// The head of a request on a persistent connection.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Sends a request, and reads until the server closes the connection.
async fn ask(address: SocketAddr, path: &str) -> String {
    let mut socket = wire::send_raw(address, get(path).as_bytes()).await;
    wire::read_raw(&mut socket).await
}

/// Waits until the server has closed all of these connections, in any order.
async fn closed(mut socket: TcpStream) {
    let mut rest = Vec::new();
    let _ = within(socket.read_to_end(&mut rest)).await;
}

/// Waits until the server accepts new connections for all requests again.
async fn served_again(address: SocketAddr) {
    within(async {
        loop {
            let request = get(EVENTS).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
            let mut socket = wire::send_raw(address, request.as_bytes()).await;
            let response = wire::read_raw(&mut socket).await;
            if response.starts_with("HTTP/1.1 200 ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn closes_unfinished_heads_and_idle_connections() {
    let app = TestApp::with(|config| {
        config.connections.header_timeout = Duration::from_millis(200);
    })
    .await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let silent = wire::send_raw(server.address, b"").await;
    let idle = wire::send_raw(server.address, get("/healthz").as_bytes()).await;
    // Further header fields do not extend the time.
    let mut slow = wire::send_raw(server.address, b"GET / HTTP/1.1\r\n").await;
    within(async {
        while slow.write_all(b"X-More: 1\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    closed(silent).await;
    closed(idle).await;
    // A connection with an open stream is not idle.
    app.publish(&event("still there")).await;
    assert_eq!(stream.expect_next().await.description(), "still there");
}

#[tokio::test]
async fn rejects_a_large_head_whether_it_ends_or_not() {
    let app = TestApp::with(|config| config.connections.head_bytes = 10_000).await;
    let server = app.serve();
    let head = |bytes: usize| {
        let begin = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Fill: ";
        format!("{begin}{}\r\n\r\n", "x".repeat(bytes - begin.len() - 4))
    };
    for (head, status) in [
        (head(10_000), "200"),
        (head(10_001), "431"),
        (head(60_000), "431"),
        (head(60_000).trim_end().to_owned(), "431"),
    ] {
        let mut socket = wire::send_raw(server.address, head.as_bytes()).await;
        // The response is complete.
        let mut response = vec![0; 4_096];
        let bytes = within(socket.read(&mut response)).await.unwrap();
        let response = String::from_utf8_lossy(&response[..bytes]);
        let expected = format!("HTTP/1.1 {status} ");
        assert!(
            response.starts_with(&expected),
            "{} bytes: {response}",
            head.len()
        );
        if status == "431" {
            for part in ["\"code\":\"too_large\"", "10000 bytes", "--max-head-bytes"] {
                assert!(response.contains(part), "{response}");
            }
        }
    }
}

#[tokio::test]
async fn answers_health_checks_when_all_connections_are_taken() {
    let app = TestApp::with(|config| config.connections.most = Some(2)).await;
    let server = app.serve();
    let mut first = Stream::open(server.address).await;
    first.until("live").await;
    let mut second = Stream::open(server.address).await;
    second.until("live").await;

    // Silent connections beyond the limit do not block health checks.
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(wire::send_raw(server.address, b"").await);
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = ask(server.address, path).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        assert!(response.contains("connection: close"), "{response}");
    }
    let rejected = ask(server.address, EVENTS).await;
    assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
    for part in [
        "\"code\":\"overloaded\"",
        "retry-after: ",
        "connection: close",
        "no-store",
    ] {
        assert!(rejected.contains(part), "{rejected}");
    }
    // The server reads the rest of the request, so that the client receives the response.
    let body = event(&"x".repeat(4_000)).to_string();
    let head = wire::post_head(server.address, body.len());
    let mut socket = wire::send_raw(server.address, head.as_bytes()).await;
    within(socket.write_all(body.as_bytes())).await.unwrap();
    let rejected = wire::read_raw(&mut socket).await;
    assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
    assert!(app.stored().await.is_empty());
    // The server also closes the silent connections in the end.
    for socket in silent {
        closed(socket).await;
    }

    // The connections within the limit are served as before.
    app.publish(&event("as before")).await;
    for stream in [&mut first, &mut second] {
        assert_eq!(stream.expect_next().await.description(), "as before");
    }
    drop(first);
    served_again(server.address).await;
}

/// A connection from another address of this machine.
async fn from(address: [u8; 4], server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(address)), 0);
    socket.bind(here).expect("binds");
    within(socket.connect(server)).await.expect("connects")
}

#[tokio::test]
async fn one_address_cannot_shut_out_others() {
    let app = TestApp::with(|config| config.connections.most_per_address = Some(1)).await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let rejected = ask(server.address, EVENTS).await;
    assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
    assert!(rejected.contains("from your address"), "{rejected}");
    let check = ask(server.address, "/healthz").await;
    assert!(check.starts_with("HTTP/1.1 200 "), "{check}");

    let mut other = from([127, 0, 0, 2], server.address).await;
    let request = get(EVENTS).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    other.write_all(request.as_bytes()).await.unwrap();
    let response = wire::read_raw(&mut other).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");

    drop(stream);
    served_again(server.address).await;
}
