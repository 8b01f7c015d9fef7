//! `tidings publish` and `tidings tail` against a real server.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

/// A running `tidings tail`.
struct Tail {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tail {
    fn start(server: &Server, args: &[&str]) -> Self {
        let mut process = tidings()
            .args(["tail", "--url", &server.url("")])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let output = process.stdout.take().expect("standard output is piped");
        Self {
            _process: process,
            lines: BufReader::new(output).lines(),
        }
    }

    async fn line(&mut self) -> String {
        let line = soon("a line of tail", self.lines.next_line()).await;
        line.expect("the output is text").expect("tail continues")
    }

    /// The next event line of `tail --json`.
    async fn event(&mut self) -> Value {
        loop {
            let line = self.line().await;
            let mut value: Value = serde_json::from_str(&line).expect("a line is JSON");
            if value["event"].is_object() {
                return value["event"].take();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tail_shows_every_event_once_across_server_kills() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Server::start(directory.path()).await;
    let address = server.address.to_string();
    let mut tail = Tail::start(&server, &["--json", "--since", "earliest"]);
    let mut number = 0;
    for _ in 0..3 {
        for _ in 0..10 {
            server
                .must_publish(&event(LOCAL_USER, &format!("event {number}")))
                .await;
            number += 1;
        }
        // Kills the server at an arbitrary point of the stream.
        server.kill().await;
        server = Server::start_at(directory.path(), &address).await;
    }
    server.must_publish(&event(LOCAL_USER, "the last")).await;
    for expected in 0..number {
        assert_eq!(
            tail.event().await["description"],
            format!("event {expected}")
        );
    }
    assert_eq!(tail.event().await["description"], "the last");
}

fn publish(server: &Server, args: &[&str]) -> Command {
    let mut command = tidings();
    command
        .args(["publish", "--url", &server.url("")])
        .args(args);
    command
}

#[tokio::test]
async fn tail_escapes_a_published_event() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let id = "01930000-0000-7000-8000-000000000042";
    let sent = [
        "--id",
        id,
        "--acted-upon",
        "7b1d2c3e-0000-4000-8000-000000000001",
        "--category",
        "connection",
        "--action",
        "ping",
        "--severity",
        "error",
        "--description",
        "could not reach \u{1b}[31mthe cluster",
        "--error",
        "connection refused",
        "--suggested-remediation",
        "start the cluster",
    ];
    let (status, out, err) = output_of(publish(&server, &sent)).await;
    assert!(status.success(), "{err}");
    assert_eq!(out.trim(), id);
    // Publishing the event again is a repeat, not an error.
    let (status, out, _) = output_of(publish(&server, &sent)).await;
    assert!(status.success());
    assert_eq!(out.trim(), id);

    let mut tail = Tail::start(&server, &["--since", "earliest"]);
    let line = tail.line().await;
    assert!(
        line.contains("could not reach") && line.contains("error"),
        "{line:?}"
    );
    assert!(
        !line.contains('\u{1b}'),
        "tail printed an escape sequence: {line:?}"
    );
    assert_eq!(server.list_all().await.len(), 1);
}

#[tokio::test]
async fn publish_reports_every_fault_of_an_event() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let wrong = [
        "--acted-upon",
        "not-a-uuid",
        "--owner",
        "alice",
        "--category",
        "connection",
        "--action",
        "ping",
        "--severity",
        "info",
    ];
    let (status, out, err) = output_of(publish(&server, &wrong)).await;
    assert!(!status.success());
    assert_eq!(out, "");
    for expected in ["actedUpon `not-a-uuid`", "owner `alice`", "is not a UUID"] {
        assert!(err.contains(expected), "{expected} is not in {err}");
    }
    assert!(server.list_all().await.is_empty());

    let (status, _, err) = output_of(publish(&server, &["--category", "a"])).await;
    assert!(!status.success());
    assert!(err.contains("--acted-upon"), "{err}");
}

#[tokio::test]
async fn publish_warns_about_repairs() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let long = "x".repeat(5_000);
    let repaired = [
        "--acted-upon",
        "7B1D2C3E-0000-4000-8000-000000000001",
        "--category",
        "Snake-Case",
        "--action",
        "ping",
        "--severity",
        "info",
        "--description",
        &long,
    ];
    let (status, out, err) = output_of(publish(&server, &repaired)).await;
    assert!(status.success(), "{err}");
    let warnings: Vec<_> = err.lines().collect();
    assert_eq!(
        warnings[..2],
        [
            "warning: category: `Snake-Case` is stored as `snake_case`",
            "warning: severity: `info` is stored as `informational`",
        ]
    );
    assert!(
        warnings[2].starts_with("warning: description: has 5000 bytes"),
        "{err}"
    );
    let listed = server.list_all().await;
    assert_eq!(listed[0]["id"], out.trim());

    // Repairs by the command are reported too, with the index in an array.
    let file = directory.path().join("events");
    let event = listed[0]["actedUpon"].as_str().expect("a text");
    let odd = format!(
        "[{{\"actedUpon\":\"{event}\",\"category\":\"a\",\"action\":\"b\",\"severity\":\"debug\",\
         \"description\":\"cut \\ud83d\",\"metadata\":{{\"n\":123456789012345678901}}}}]"
    );
    std::fs::write(&file, odd).expect("writable");
    let file = file.to_str().expect("a path of ours");
    let (status, _, err) = output_of(publish(&server, &["--file", file])).await;
    assert!(status.success(), "{err}");
    for expected in ["warning: [0].description: ", "warning: [0].metadata.n: "] {
        assert!(err.contains(expected), "{expected} is not in {err}");
    }
    let listed = server.list_all().await;
    let stored = listed
        .iter()
        .find(|event| event["category"] == "a")
        .expect("it is stored");
    assert_eq!(stored["metadata"]["n"], "123456789012345678901");
    assert_eq!(stored["description"], "cut \u{fffd}");
}

#[tokio::test]
async fn publishes_to_a_user_by_subject() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let named = ["--issuer", "https://id.example", "--subject", "alice"];
    let mut owner = tidings();
    owner.args(["token", "owner"]).args(named);
    let (status, owner, err) = output_of(owner).await;
    assert!(status.success(), "{err}");
    assert_eq!(owner, "22f88f7e-c03d-5f41-b813-5cfc38f76390\n");
    let event = [
        "--acted-upon",
        "7b1d2c3e-0000-4000-8000-000000000001",
        "--category",
        "connection",
        "--action",
        "ping",
        "--severity",
        "success",
        "--json",
    ];
    let (status, out, err) = output_of(publish(&server, &[&event[..], &named].concat())).await;
    assert!(status.success(), "{err}");
    let stored: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(stored["owner"], owner.trim());
    let nobody = ["--subject", "alice"];
    let (status, _, err) = output_of(publish(&server, &[&event[..], &nobody].concat())).await;
    assert!(!status.success());
    assert!(err.contains("no issuer is known"), "{err}");
}

#[tokio::test]
async fn publish_reads_events_from_a_file() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let file = directory.path().join("events.json");
    let events = json!([event(LOCAL_USER, "one"), event("system", "two")]);
    std::fs::write(&file, events.to_string()).expect("writable");
    let path = file.to_str().expect("a plain path");
    let (status, out, err) = output_of(publish(&server, &["--file", path])).await;
    assert!(status.success(), "{err}");
    let expected: Vec<_> = [&events[0], &events[1]]
        .map(|event| event["id"].as_str())
        .to_vec();
    assert_eq!(out.lines().map(Some).collect::<Vec<_>>(), expected);
    assert_eq!(server.list_all().await.len(), 2);
}

#[tokio::test]
async fn names_an_unreachable_server() {
    let mut command = tidings();
    command
        .args(["publish", "--url", "http://127.0.0.1:1", "--retries", "0"])
        .args([
            "--acted-upon",
            "7b1d2c3e-0000-4000-8000-000000000001",
            "--category",
            "a",
            "--action",
            "b",
            "--severity",
            "success",
        ]);
    let (status, _, err) = output_of(command).await;
    assert!(!status.success());
    assert!(err.contains("127.0.0.1:1"), "{err}");
}
