//! `tidings serve` applies its retention flags and its log level.

use std::path::Path;

use serde_json::{Value, json};

use crate::inbox::Inbox;
use crate::server::{LOCAL_USER, Server, event, must_run, output_of, soon, tidings};
use crate::stream::Stream;

async fn serving(directory: &Path, flags: &[&str]) -> Server {
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory)
        .args(flags);
    Server::from_command(command).await
}

#[tokio::test]
async fn retention_deletes_events_and_updates_readers_and_counts() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut events: Vec<Value> = (0..30)
        .map(|number| event(LOCAL_USER, &format!("event {number}")))
        .collect();
    for old in &mut events[20..23] {
        old["severity"] = json!("debug");
        old["createdAt"] = json!("2020-01-01T00:00:00Z");
    }
    server.must_publish(&json!(events)).await;
    let (before, _) = must_run("summary", &server, &[]).await;
    let rows = |table: &str| -> Vec<String> {
        let rows = table.lines().skip(1);
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(
        rows(&before),
        ["informational 27 0 27", "debug 3 0 3", "all 30 0 30"]
    );
    let mut reader = Inbox::default();
    reader.catch_up(&server).await;
    server.kill().await;

    let server = serving(
        directory.path(),
        &[
            "--retain-events",
            "10",
            "--retain-severity",
            "debug=7d",
            "--retention-interval",
            "20ms",
        ],
    )
    .await;
    let from = reader.cursor.expect("it has read").to_string();
    let mut stream = Stream::connect(server.address, &from)
        .await
        .expect("the server accepts");
    while reader.events.len() > 10 || reader.counts.is_none() {
        reader.take_frame(&stream.must_next().await);
    }
    reader.must_agree_with(&server).await;
    let (after, _) = must_run("summary", &server, &[]).await;
    assert_eq!(rows(&after), ["informational 10 0 10", "all 10 0 10"]);
    let metrics = server.text("/metrics").await;
    assert!(
        metrics.contains("tidings_events_expired_total 20"),
        "{metrics}"
    );
}

#[tokio::test]
async fn rejects_invalid_flags_before_creating_the_directory() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let data = directory.path().join("data");
    for (flag, hint) in [
        ("--retain-age=soon", "such as `90d`"),
        ("--retain-severity=debug=1d,debug=2d", "twice for debug"),
        ("--retention-interval=1us", "too short"),
        ("--retain-age=6m", "use `min`"),
        ("--log=foo=bar", "`foo=bar` is not a level"),
    ] {
        let mut command = tidings();
        command.args(["serve", "--data-dir"]).arg(&data).arg(flag);
        let (status, out, err) = output_of(command).await;
        assert_eq!((status.code(), out.as_str()), (Some(2), ""), "{flag}");
        assert!(err.contains(hint), "{flag}: {err}");
    }
    assert!(!data.exists());
}

#[tokio::test]
async fn treats_an_empty_variable_as_unset() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path());
    for name in [
        "TIDINGS_RETAIN_AGE",
        "TIDINGS_RETAIN_SEVERITY",
        "TIDINGS_RETAIN_DELETED",
    ] {
        command.env(name, "");
    }
    Server::from_command(command).await;
}

#[tokio::test]
async fn reads_and_sets_the_log_level() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let path = "/api/system/events/config";
    let (_, config) = server.get(path).await;
    assert_eq!(config["eventLogLevel"], "warning");
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let set = http
        .put(server.url(path))
        .json(&json!({"eventLogLevel": "error"}));
    let response: Value = set
        .send()
        .await
        .expect("the connection holds")
        .json()
        .await
        .expect("the response is JSON");
    assert_eq!(response["status"], "success");
    let (_, config) = server.get(path).await;
    assert_eq!(config["eventLogLevel"], "error");
}

#[tokio::test]
async fn an_event_goes_at_the_end_of_its_lifetime() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let publish = async |flags: &[&str]| {
        let event = [
            "--acted-upon=7b1d2c3e-0000-4000-8000-000000000001",
            "--category=maintenance",
            "--action=announce",
            "--severity=warning",
        ];
        let (id, _) = must_run("publish", &server, &[&event[..], flags].concat()).await;
        id.trim().to_owned()
    };
    let late = publish(&["--expires-at=2200-01-01T00:00:00Z"]).await;
    let (shown, _) = must_run("get", &server, &[&late]).await;
    assert!(shown.contains("2200-01-01T00:00:00Z"), "{shown}");
    let (_, summary) = server.get("/api/system/events/summary").await;
    let since = summary["cursor"].as_str().expect("a cursor").to_owned();
    let gone = publish(&["--expires-in=1s"]).await;
    // The lines after it: its own event, and then its deletion.
    let stream = format!("/api/system/events/subscribe?lastEventId={since}");
    let mut response = reqwest::get(server.url(&stream)).await.expect("a stream");
    let mut read = String::new();
    let deleted = async {
        while !read.contains("event: deleted") {
            let chunk = response.chunk().await.expect("the stream goes on");
            read += &String::from_utf8_lossy(&chunk.expect("it has not ended"));
        }
    };
    soon("the event goes", deleted).await;
    let (_, page) = server.get("/api/system/events").await;
    assert_eq!(page["totalCount"], 1, "{page}");
    assert_eq!(page["events"][0]["id"], late.as_str());
    assert!(read.contains(&gone), "{read}");
}
