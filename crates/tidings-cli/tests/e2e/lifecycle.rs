//! Start, shutdown and disconnects.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};
use crate::stream::Stream;

#[tokio::test]
async fn sigterm_ends_streams_with_a_retry_and_keeps_accepted_events() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut stream = Stream::connect(server.address, "")
        .await
        .expect("the server accepts");
    assert_eq!(stream.must_next().await.name, "ready");
    assert_eq!(stream.must_next().await.name, "live");
    let first_retry = stream.retry.take();
    assert!(first_retry.is_some());
    server
        .must_publish(&event(LOCAL_USER, "before the end"))
        .await;

    server.terminate();
    assert_eq!(
        stream.must_next().await.data["description"],
        "before the end"
    );
    assert!(
        stream
            .next()
            .await
            .expect("the stream ends in order")
            .is_none()
    );
    assert!(
        stream.retry.is_some(),
        "the last retry sets the reconnection time"
    );
    let address = server.address;
    assert!(server.ended().await.success());
    assert!(TcpStream::connect(address).await.is_err());

    let server = Server::start(directory.path()).await;
    assert_eq!(server.list_all().await.len(), 1);
    let mode = directory
        .path()
        .metadata()
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn delivers_events_of_a_disconnected_publisher() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut stream = Stream::connect(server.address, "")
        .await
        .expect("the server accepts");
    assert_eq!(stream.must_next().await.name, "ready");
    assert_eq!(stream.must_next().await.name, "live");
    let mut sent = std::collections::BTreeSet::new();
    for number in 0..100 {
        let event = event(LOCAL_USER, &format!("orphan {number}"));
        let body = event.to_string();
        let mut connection = TcpStream::connect(server.address)
            .await
            .expect("it accepts");
        let request = format!(
            "POST /api/system/events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        );
        connection
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        // Closes the connection without reading the response.
        drop(connection);
        sent.insert(event["id"].to_string());
    }
    // The stream delivers each event once, and the list has all of them.
    let mut delivered = std::collections::BTreeSet::new();
    while delivered.len() < sent.len() {
        let frame = stream.must_next().await;
        assert!(
            delivered.insert(frame.data["id"].to_string()),
            "{}",
            frame.data
        );
    }
    assert_eq!(delivered, sent);
    let listed = server.list_all().await;
    assert_eq!(
        listed
            .iter()
            .map(|event| event["id"].to_string())
            .collect::<std::collections::BTreeSet<_>>(),
        sent
    );
}

#[tokio::test]
async fn serves_only_loopback_addresses() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "0.0.0.0:0", "--data-dir"])
        .arg(directory.path());
    let (status, out, err) = output_of(command).await;
    assert!(!status.success());
    assert_eq!(out, "");
    assert!(
        err.contains("0.0.0.0") && err.contains("only this machine may connect"),
        "{err}"
    );
}

#[tokio::test]
async fn names_an_address_in_use() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let elsewhere = tempfile::tempdir().expect("a directory can be made");
    let mut command = tidings();
    command
        .args([
            "serve",
            "--listen",
            &server.address.to_string(),
            "--data-dir",
        ])
        .arg(elsewhere.path());
    let (status, _, err) = output_of(command).await;
    assert!(!status.success());
    assert!(err.contains(&server.address.to_string()), "{err}");
}

#[tokio::test]
async fn serves_the_page_and_the_probes() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.0, StatusCode::OK, "{path}");
    }
    let mut connection = TcpStream::connect(server.address)
        .await
        .expect("it accepts");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address
    );
    connection
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut page = String::new();
    soon("the page", connection.read_to_string(&mut page))
        .await
        .expect("the page is text");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("<tidings-page>"), "{page}");
    let (status, body) = server.get("/no/such/path").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::NOT_FOUND, &json!("route_not_found"))
    );
}
