//! Retention while clocks are wrong: the publishers' and the server's.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

fn texts(events: &[Value]) -> Vec<&str> {
    let texts = events.iter().map(|event| event["description"].as_str());
    texts.map(|text| text.expect("a text")).collect()
}

async fn until(what: &str, mut met: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !met().await {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn cap_keeps_the_last_stored_whatever_their_times() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--retain-events=5"])
        .args([
            "--retain-system=5",
            "--retention-interval=20ms",
            "--data-dir",
        ])
        .arg(directory.path());
    let server = Server::from_command(command).await;
    for owner in [LOCAL_USER, "system"] {
        for created_at in ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
            let mut wrong = vec![event(owner, "wrong"); 5];
            for event in &mut wrong {
                event["id"] = json!(uuid::Uuid::now_v7());
                event["createdAt"] = json!(created_at);
            }
            server.must_publish(&Value::Array(wrong)).await;
        }
        for _ in 0..5 {
            server.must_publish(&event(owner, "right")).await;
        }
    }
    until("the caps", async || server.list_all().await.len() == 10).await;
    assert_eq!(texts(&server.list_all().await), ["right"; 10]);
}

/// The path of the library that `faketime` preloads.
pub(crate) async fn faketime_library() -> String {
    let mut command = Command::new("faketime");
    command.args(["-f", "+0", "printenv", "LD_PRELOAD"]);
    let (status, out, err) = output_of(command).await;
    assert!(status.success(), "Debian's package faketime: {err}");
    out.trim().to_owned()
}

/// Starts a server whose wall clock has the offset in `file`. Its monotonic clock is right.
async fn moved_by(file: &Path, data_dir: &Path) -> Server {
    let mut command = tidings();
    command
        .env("LD_PRELOAD", faketime_library().await)
        .env("FAKETIME_TIMESTAMP_FILE", file)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .args(["serve", "--listen", "127.0.0.1:0", "--retain-age=90d"])
        .args([
            "--retain-events=50",
            "--retention-interval=20ms",
            "--data-dir",
        ])
        .arg(data_dir);
    Server::from_command(command).await
}

const ROUNDS: u32 = 2;

/// Publishes beyond the cap and waits until retention has applied it. Retention has then checked the
/// ages too.
async fn wait_for_retention(server: &Server) {
    for round in 0..ROUNDS {
        let more = event(LOCAL_USER, &format!("more {round}"));
        server.must_publish(&more).await;
        until("the cap", async || server.list_all().await.len() == 50).await;
    }
    let expired = value(server, "tidings_events_expired_total").await;
    let rounds = f64::from(ROUNDS);
    assert_eq!(expired % rounds, 0.0, "only events beyond the cap expired");
}

async fn value(server: &Server, name: &str) -> f64 {
    let metrics = server.text("/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.trim().parse().expect("a number")
}

#[tokio::test]
async fn wall_clock_ahead_expires_nothing() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("offset");
    let data_dir = directory.path().join("data");
    let set = |offset: &str| std::fs::write(&file, offset).expect("writable");
    set("+0");
    let mut server = moved_by(&file, &data_dir).await;
    let events: Vec<Value> = (0..50).map(|_| event(LOCAL_USER, "kept")).collect();
    server.must_publish(&Value::Array(events)).await;

    set("+100d");
    until("the jump is seen", async || {
        value(&server, "tidings_clock_jumps_total").await > 0.0
    })
    .await;
    assert!(value(&server, "tidings_clock_ahead_seconds").await > 99.0 * 86_400.0);
    wait_for_retention(&server).await;
    set("+0");
    until("the clock agrees", async || {
        value(&server, "tidings_clock_ahead_seconds").await.abs() < 10.0
    })
    .await;
    wait_for_retention(&server).await;
    // The clock can also be wrong at the start.
    for offset in ["+100d", "-1000d", "+0"] {
        server.terminate();
        assert!(server.ended().await.success());
        set(offset);
        server = moved_by(&file, &data_dir).await;
        wait_for_retention(&server).await;
    }
    // The last start deleted only the events beyond the cap.
    assert_eq!(value(&server, "tidings_events_expired_total").await, 2.0);
}
