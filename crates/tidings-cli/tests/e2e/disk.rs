//! A full disk, a directory without write permission, a directory in use.

use std::fs;
use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

/// Runs the binary in a separate mount namespace with a small tmpfs as its data directory. The tmpfs
/// vanishes with the process, and is visible from outside through `/proc`.
fn on_tmpfs(options: &str, mount_point: &std::path::Path) -> Command {
    let mut command = Command::new("unshare");
    if rustix::process::geteuid().is_root() {
        command.arg("--mount");
    } else {
        command.args(["--mount", "--map-root-user"]);
    }
    command
        .args(["sh", "-c", r#"mount -t tmpfs -o "$1" tmpfs "$2" && exec "$3" serve --listen 127.0.0.1:0 --data-dir "$2""#, "sh", options])
        .arg(mount_point)
        .arg(env!("CARGO_BIN_EXE_tidings"))
        .kill_on_drop(true);
    command
}

fn ids(events: &[Value]) -> std::collections::BTreeSet<String> {
    events.iter().map(|event| event["id"].to_string()).collect()
}

#[tokio::test]
async fn full_disk_rejects_events_and_recovers_without_a_restart() {
    let mount_point = tempfile::tempdir().expect("a directory can be made");
    let server = Server::from_command(on_tmpfs("size=6m", mount_point.path())).await;
    let seen_from_outside = PathBuf::from(format!(
        "/proc/{}/root{}",
        server.pid(),
        mount_point.path().display()
    ));
    let ballast = seen_from_outside.join("ballast");
    fs::write(&ballast, vec![0; 3 * 1024 * 1024]).expect("there is room");

    let (mut acknowledged, mut rejected) = (Vec::new(), None);
    for _ in 0..10_000 {
        let batch: Vec<Value> = (0..20)
            .map(|_| event(LOCAL_USER, &"x".repeat(1000)))
            .collect();
        let response = soon("a response", server.publish(&Value::Array(batch.clone()))).await;
        let (status, body) = response.expect("the connection holds");
        if status == StatusCode::CREATED {
            acknowledged.extend(batch);
        } else {
            rejected = Some((status, body, batch));
            break;
        }
    }
    let (status, body, batch) = rejected.expect("6 MiB are full before 200,000 events");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["code"], "storage_full", "{body}");
    assert!(
        body["suggestedRemediation"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
    );
    // The request must be too large for the remaining space; the server would rightly accept a small
    // one.
    let again = soon("a response", server.publish(&Value::Array(batch.clone()))).await;
    assert_eq!(
        again.expect("the connection holds").0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let (status, body) = server.get("/readyz").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("storage_full"))
    );
    // Acknowledged events are stored and readable, rejected ones are not.
    assert_eq!(ids(&server.list_all().await), ids(&acknowledged));

    fs::remove_file(&ballast).expect("the ballast is there");
    server.must_publish(&Value::Array(batch.clone())).await;
    acknowledged.extend(batch);
    assert_eq!(ids(&server.list_all().await), ids(&acknowledged));
    let (status, _) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn names_a_directory_without_write_permission() {
    let mount_point = tempfile::tempdir().expect("a directory can be made");
    let (status, out, err) = output_of(on_tmpfs("size=1m,ro", mount_point.path())).await;
    assert!(!status.success());
    assert_eq!(out, "");
    assert!(
        err.contains(&mount_point.path().display().to_string()),
        "{err}"
    );
    assert!(err.contains("Read-only file system"), "{err}");

    // A file in place of the directory.
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(file.path());
    let (status, _, err) = output_of(command).await;
    assert!(!status.success());
    assert!(err.contains(&file.path().display().to_string()), "{err}");
}

#[tokio::test]
async fn rejects_a_second_server_on_the_same_directory() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path());
    let (status, out, err) = output_of(command).await;
    assert!(!status.success());
    assert_eq!(out, "");
    let expected = format!("in use by another Tidings (process {})", server.pid());
    assert!(err.contains(&expected), "{err}");
    // The first server keeps serving.
    server
        .must_publish(&json!([event(LOCAL_USER, "still here")]))
        .await;
}

#[tokio::test]
async fn rejects_another_file_as_database_and_leaves_it_unchanged() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let database = directory.path().join("tidings.db");
    fs::write(
        &database,
        "this is somebody's file, not a database".repeat(100),
    )
    .expect("writable");
    let before = fs::read(&database).expect("readable");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path());
    let (status, _, err) = output_of(command).await;
    assert!(!status.success());
    assert!(err.contains("not a database"), "{err}");
    assert_eq!(fs::read(&database).expect("readable"), before);
}
