//! `tidings backup` while the server serves, and `tidings restore`.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use crate::server::{LOCAL_USER, Server, event, output_of, tidings};
use crate::stream::Stream;

#[tokio::test]
async fn restored_backup_serves_and_resets_earlier_cursors() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (live, file, copy) = (
        place.path().join("live"),
        place.path().join("file"),
        place.path().join("copy"),
    );
    let server = Server::start(&live).await;
    server.must_publish(&event(LOCAL_USER, "before")).await;
    let mut backup = tidings();
    backup
        .arg("backup")
        .arg("--data-dir")
        .arg(&live)
        .arg("--to")
        .arg(&file);
    let (status, _, err) = output_of(backup).await;
    assert!(status.success(), "{err}");
    assert!(err.contains("1 event for 1 user"), "{err}");
    server.must_publish(&event(LOCAL_USER, "after")).await;
    let (_, page) = server.get("/api/system/events").await;
    let cursor = page["cursor"]
        .as_str()
        .expect("a list has a cursor")
        .to_owned();

    // A directory in use is rejected.
    let restore = |to: &std::path::Path| {
        let mut command = tidings();
        command
            .arg("restore")
            .arg("--from")
            .arg(&file)
            .arg("--data-dir")
            .arg(to);
        command
    };
    let (status, _, err) = output_of(restore(&live)).await;
    assert!(!status.success());
    assert!(err.contains("in use"), "{err}");
    server.kill().await;
    let (status, _, err) = output_of(restore(&copy)).await;
    assert!(status.success(), "{err}");

    let server = Server::start(&copy).await;
    let listed = server.list_all().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["description"], "before");
    let mut stream = Stream::connect(server.address, &cursor)
        .await
        .expect("it accepts");
    let frame = stream.must_next().await;
    assert_eq!(
        (frame.name.as_str(), &frame.data["reason"]),
        ("reset", &"foreign".into())
    );
}

#[tokio::test]
async fn restores_a_backup_sent_through_a_pipe() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (live, file, copy) = (
        place.path().join("live"),
        place.path().join("-"),
        place.path().join("copy"),
    );
    let server = Server::start(&live).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    let mut backup = std::process::Command::new(env!("CARGO_BIN_EXE_tidings"));
    backup
        .current_dir(place.path())
        .args(["backup", "--to", "-", "--data-dir"])
        .arg(&live);
    let backup = tokio::task::spawn_blocking(move || backup.output()).await;
    let backup = backup.expect("no panic").expect("it starts");
    assert!(backup.status.success());
    assert!(!file.exists(), "a hyphen is not a file name");
    let notes = String::from_utf8_lossy(&backup.stderr);
    assert!(notes.starts_with("standard output: 1 event"), "{notes}");
    let left: Vec<_> = fs::read_dir(&live)
        .expect("readable")
        .filter(|entry| {
            let name = entry.as_ref().expect("readable").file_name();
            name.to_string_lossy().contains("partial")
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");

    let piped = place.path().join("piped");
    fs::write(&piped, &backup.stdout).expect("writable");
    let mut restore = tidings();
    restore
        .args(["restore", "--from", "-", "--data-dir"])
        .arg(&copy)
        .stdin(File::open(&piped).expect("readable"));
    let (status, _, err) = output_of(restore).await;
    assert!(status.success(), "{err}");
    let server = Server::start(&copy).await;
    assert_eq!(server.list_all().await.len(), 1);

    // A truncated backup is rejected.
    let half = &backup.stdout[..backup.stdout.len() / 2];
    fs::write(&piped, half).expect("writable");
    let mut restore = tidings();
    restore
        .args(["restore", "--from", "-", "--data-dir"])
        .arg(place.path().join("cut"))
        .stdin(File::open(&piped).expect("readable"));
    let (status, _, err) = output_of(restore).await;
    assert!(!status.success());
    assert!(
        err.contains("standard input is not a whole event store"),
        "{err}"
    );
}

#[tokio::test]
async fn backup_follows_no_planted_link() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (live, file, precious) = (
        place.path().join("live"),
        place.path().join("file"),
        place.path().join("precious"),
    );
    fs::write(&precious, "precious").expect("writable");
    let server = Server::start(&live).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    let backup = |to: &std::path::Path| {
        let mut command = tidings();
        command.args(["backup", "--data-dir"]).arg(&live);
        command.arg("--to").arg(to);
        command
    };
    // Names that a backup's temporary file could have.
    for name in ["file.partial", ".file.partial", "file.tmp"] {
        symlink(&precious, place.path().join(name)).expect("writable");
    }
    let (status, _, err) = output_of(backup(&file)).await;
    assert!(status.success(), "{err}");
    assert!(fs::symlink_metadata(&file).expect("it is there").is_file());
    // A link at the target itself is not followed either, whether or not it dangles.
    for target in [&precious, &place.path().join("missing")] {
        let link = place.path().join("link");
        symlink(target, &link).expect("writable");
        let (status, _, err) = output_of(backup(&link)).await;
        assert!(!status.success());
        assert!(err.contains("already exists"), "{err}");
        fs::remove_file(&link).expect("it is there");
    }
    assert_eq!(fs::read_to_string(&precious).expect("readable"), "precious");
    assert!(!place.path().join("missing").exists());
}
