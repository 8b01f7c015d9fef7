//! A disk that is full, a directory that cannot be written, one that is taken.

use std::fs;
use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

/// Runs the binary in a mount namespace of its own, with a small tmpfs as its data directory. It
/// vanishes with the process; from outside it is seen through `/proc`.
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
async fn a_full_disk_refuses_with_the_reason_and_recovers_without_a_restart() {
    let mount_point = tempfile::tempdir().expect("a directory can be made");
    let server = Server::from_command(on_tmpfs("size=6m", mount_point.path())).await;
    let seen_from_outside = PathBuf::from(format!(
        "/proc/{}/root{}",
        server.pid(),
        mount_point.path().display()
    ));
    let ballast = seen_from_outside.join("ballast");
    fs::write(&ballast, vec![0; 3 * 1024 * 1024]).expect("there is room");

    let (mut acknowledged, mut refused) = (Vec::new(), None);
    for _ in 0..10_000 {
        let batch: Vec<Value> = (0..20)
            .map(|_| event(LOCAL_USER, &"x".repeat(1000)))
            .collect();
        let answer = soon("an answer", server.publish(&Value::Array(batch.clone()))).await;
        let (status, body) = answer.expect("the connection holds");
        if status == StatusCode::CREATED {
            acknowledged.extend(batch);
        } else {
            refused = Some((status, body, batch));
            break;
        }
    }
    let (status, body, batch) = refused.expect("6 MiB are full before 200,000 events");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["code"], "storage_full", "{body}");
    assert!(
        body["suggestedRemediation"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
    );
    // A request must find no room either: one small enough would be answered with 201, rightly.
    let again = soon("an answer", server.publish(&Value::Array(batch.clone()))).await;
    assert_eq!(
        again.expect("the connection holds").0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let (status, body) = server.get("/readyz").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("storage_full"))
    );
    // What was acknowledged is there and can be read; what was refused is not.
    assert_eq!(ids(&server.list_all().await), ids(&acknowledged));

    fs::remove_file(&ballast).expect("the ballast is there");
    server.must_publish(&Value::Array(batch.clone())).await;
    acknowledged.extend(batch);
    assert_eq!(ids(&server.list_all().await), ids(&acknowledged));
    let (status, _) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let mount_point = tempfile::tempdir().expect("a directory can be made");
    let (status, out, err) = output_of(on_tmpfs("size=1m,ro", mount_point.path())).await;
    assert!(!status.success());
    assert_eq!(out, "");
    assert!(
        err.contains(&mount_point.path().display().to_string()),
        "{err}"
    );
    assert!(err.contains("Read-only file system"), "{err}");

    // A file where the directory should be.
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
async fn a_second_server_on_the_same_directory_is_refused() {
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
    // The first one is not disturbed.
    server
        .must_publish(&json!([event(LOCAL_USER, "still here")]))
        .await;
}

#[tokio::test]
async fn a_directory_that_is_no_store_is_refused_and_left_alone() {
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
