//! How streams of plain HTTP/1.1 end, for clients that are slow or already have sent their next requests.

use std::time::Duration;

use axum::http::Method;
use tidings_server::Scopes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::app::{EVENTS, TestApp, event, within};
use crate::login::{ALICE, HOST, LoginApp, USER};
use crate::reactor::{large, read_until, subscribe};
use crate::wire;

/// How a stream ends.
const END: &str = "\r\n0\r\n\r\n";

/// The head of a request for a stream with a token.
fn subscribe_with(token: &str, headers: &str) -> String {
    let headers = format!("{headers}Authorization: Bearer {token}\r\n");
    subscribe("1.1", &headers).replace("localhost", HOST)
}

#[tokio::test]
async fn no_byte_is_lost_between_two_streams_of_a_connection() {
    // More than the server keeps of them while a stream is open.
    const REQUESTS: usize = 220;
    let app = LoginApp::start().await;
    let tokens = [3, 6].map(|seconds| app.token_until(ALICE, USER, Duration::from_secs(seconds)));
    let [first, second] = tokens.map(|token| subscribe_with(&token, ""));
    let mut socket = wire::send_raw(app.server.address, first.as_bytes()).await;
    read_until(&mut socket, "event: live", 1).await;
    let mut more = second;
    for request in 0..REQUESTS {
        let end = if request == REQUESTS - 1 {
            "Connection: close\r\n"
        } else {
            ""
        };
        more += &format!("GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n{end}\r\n");
    }
    // In two pieces, so that the server reads beyond a multiple of its buffer. An event that is sent after the first one
    // comes when the server has turned to the stream again.
    let (begin, rest) = more.split_at(500);
    within(socket.write_all(begin.as_bytes())).await.unwrap();
    let publisher = app.token(ALICE, USER);
    let body = event("after the first piece").to_string();
    let response = app
        .send(&Method::POST, EVENTS, Some(&publisher), Some(&body))
        .await;
    assert_eq!(response.status, 201);
    read_until(&mut socket, "after the first piece", 1).await;
    within(socket.write_all(rest.as_bytes())).await.unwrap();
    let mut text = read_until(&mut socket, END, 2).await;
    text += &wire::read_raw(&mut socket).await;
    let parts: Vec<&str> = text.splitn(3, END).collect();
    let &[_, second, responses] = &parts[..] else {
        panic!("both streams end: {text}");
    };
    assert!(second.contains("event: live"), "{second}");
    assert_eq!(
        responses.matches("HTTP/1.1 200 ").count(),
        REQUESTS,
        "{responses}"
    );
    assert_eq!(
        responses.matches("\"alive\"").count(),
        REQUESTS,
        "{responses}"
    );
}

/// A stream whose client takes nothing, and more large events than the server can send it.
async fn blocked(app: &LoginApp, token: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(16 * 1024)
        .expect("a small buffer");
    let mut socket = within(socket.connect(app.server.address))
        .await
        .expect("connects");
    let head = subscribe_with(token, "Connection: close\r\n");
    within(socket.write_all(head.as_bytes()))
        .await
        .expect("sends");
    read_until(&mut socket, "event: live", 1).await;
    let publisher = app.token(ALICE, USER);
    let mut kept = crate::expiry::open(app, &publisher).await;
    for _ in 0..2 {
        let body = large(0..20).to_string();
        let response = app
            .send(&Method::POST, EVENTS, Some(&publisher), Some(&body))
            .await;
        assert_eq!(response.status, 201);
    }
    read_until(&mut kept, "\"description\":\"19\"", 2).await;
    socket
}

/// Checks that the rest of a stream ends with a whole frame and an `expiring`.
async fn ends_in_order(socket: &mut TcpStream) {
    let rest = wire::read_raw(socket).await;
    let end = rest.get(rest.len().saturating_sub(400)..).unwrap_or(&rest);
    assert!(rest.ends_with("\n\n\r\n0\r\n\r\n"), "{end}");
    let (_, last) = rest.rsplit_once("event: ").expect("a frame");
    assert!(last.starts_with("expiring\n"), "{end}");
    // The frame before it is whole.
    let frames: Vec<&str> = rest.split("\n\n").collect();
    let large = frames
        .iter()
        .rev()
        .find(|frame| frame.contains("\"trace\""));
    assert!(large.expect("a large event").ends_with('}'), "{end}");
}

#[tokio::test]
async fn a_slow_reader_is_told_that_its_token_has_expired() {
    let app = LoginApp::start().await;
    let lasts = Duration::from_secs(4);
    let token = app.token_until(ALICE, USER, lasts);
    let mut same = crate::expiry::open(&app, &token).await;
    let mut socket = blocked(&app, &token).await;
    // The other stream of the token has ended.
    wire::read_raw(&mut same).await;
    // A blocked stream looks at its credential every second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    ends_in_order(&mut socket).await;
}

#[tokio::test]
async fn a_slow_reader_is_told_that_its_token_was_revoked() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let mut same = crate::expiry::open(&app, &token).await;
    let mut socket = blocked(&app, &token).await;
    let id = crate::login::id_of_token(&token);
    app.tokens.revocations().revoke(&id, None).await.unwrap();
    wire::read_raw(&mut same).await;
    ends_in_order(&mut socket).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_after_its_token_was_revoked() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let _socket = blocked(&app, &token).await;
    let id = crate::login::id_of_token(&token);
    app.tokens.revocations().revoke(&id, None).await.unwrap();
    let admin = app.token(ALICE, Scopes::ADMIN);
    within(async {
        loop {
            let scraped = app.send(&Method::GET, "/metrics", Some(&admin), None).await;
            let text = String::from_utf8(scraped.body).expect("metrics are text");
            if text.contains("tidings_subscribers 0\n") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_idle_stream_gets_keepalives() {
    let app = TestApp::with(|config| config.keepalive = Duration::from_millis(100)).await;
    let server = app.serve();
    let mut socket = wire::send_raw(server.address, subscribe("1.1", "").as_bytes()).await;
    read_until(&mut socket, "event: live", 1).await;
    read_until(&mut socket, ": keepalive", 3).await;
}

#[tokio::test]
async fn streams_of_a_server_that_ends_do_not_end_together() {
    const STREAMS: usize = 20;
    let spread = Duration::from_secs(3);
    let app = TestApp::with(|config| config.drain_spread = spread).await;
    let server = app.serve();
    let mut sockets = Vec::new();
    for _ in 0..STREAMS {
        let mut socket = wire::send_raw(server.address, subscribe("1.1", "").as_bytes()).await;
        read_until(&mut socket, "event: live", 1).await;
        sockets.push(socket);
    }
    let begun = Instant::now();
    let ends = sockets.into_iter().map(|mut socket| {
        tokio::spawn(async move {
            wire::read_raw(&mut socket).await;
            begun.elapsed()
        })
    });
    let ends: Vec<_> = ends.collect();
    within(server.begin_shutdown()).await.unwrap();
    let mut times = Vec::new();
    for end in ends {
        times.push(within(end).await.unwrap());
    }
    times.sort();
    // Twenty random moments are all within a third of the time once in 10^8 runs.
    assert!(times[STREAMS - 1] - times[0] > spread / 3, "{times:?}");
}
