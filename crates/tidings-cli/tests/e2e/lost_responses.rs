//! `tidings publish` when the connection breaks after the event is stored and before the response.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::server::{LOCAL_USER, Server, event, output_of, tidings};

/// A proxy that drops the responses of the first connections.
struct Lossy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Lossy {
    async fn before(server: SocketAddr, losses: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            for _ in 0..losses {
                let (mut client, _) = listener.accept().await.expect("it accepts");
                let request = message(&mut client).await;
                let mut upstream = TcpStream::connect(server).await.expect("it is there");
                upstream.write_all(&request).await.expect("it reads");
                let response = message(&mut upstream).await;
                assert!(response.starts_with(b"HTTP/1.1 20"), "the server has it");
            }
            loop {
                let (mut client, _) = listener.accept().await.expect("it accepts");
                let mut upstream = TcpStream::connect(server).await.expect("it is there");
                // Either side can close the connection.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            }
        });
        Self { address, task }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a request or a response with its body.
pub(crate) async fn message(from: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().expect("a number"));
            if bytes.len() >= head.len() + 4 + length {
                return bytes;
            }
        }
        let read = from
            .read_buf(&mut bytes)
            .await
            .expect("the message continues");
        assert_ne!(read, 0, "cut off after {text}");
    }
}

#[tokio::test]
async fn stores_an_event_once_after_a_lost_response() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let lossy = Lossy::before(server.address, 2).await;
    let mut command = tidings();
    command
        .args(["publish", "--url", &lossy.url()])
        .args(["--acted-upon", "7b1d2c3e-0000-4000-8000-000000000001"])
        .args(["--category", "a", "--action", "b", "--severity", "debug"]);
    let (status, out, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    assert_eq!(err.matches("retrying in").count(), 2, "{err}");
    assert!(!err.contains("already stored"), "{err}");
    let stored = server.list_all().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["id"].as_str(), Some(out.trim()));
}

#[tokio::test]
async fn stores_a_file_once_after_a_lost_response() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let lossy = Lossy::before(server.address, 1).await;
    let file = directory.path().join("events.json");
    let mut events = [event(LOCAL_USER, "one"), event("system", "two")];
    for event in &mut events {
        event.as_object_mut().expect("an object").remove("id");
    }
    let events = Value::from(events.to_vec());
    std::fs::write(&file, events.to_string()).expect("writable");
    let mut command = tidings();
    command
        .args(["publish", "--url", &lossy.url(), "--file"])
        .arg(&file);
    let (status, out, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    assert_eq!(out.lines().count(), 2);
    assert_eq!(server.list_all().await.len(), 2);
}

#[tokio::test]
async fn stores_lines_once_after_a_lost_response() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let lossy = Lossy::before(server.address, 1).await;
    let input = directory.path().join("input");
    let mut line = event(LOCAL_USER, "x");
    line.as_object_mut().expect("an object").remove("id");
    std::fs::write(&input, format!("{line}\n").repeat(20)).expect("writable");
    let mut command = tidings();
    command
        .args(["publish", "--stdin", "--url", &lossy.url()])
        .stdin(std::fs::File::open(&input).expect("readable"));
    let (status, _, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    assert!(err.ends_with("\n20 stored, 0 rejected\n"), "{err}");
    assert_eq!(server.list_all().await.len(), 20);
}
