//! `tidings doctor` with healthy and faulty servers and directories.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::inbox::Inbox;
use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

/// Runs the doctor. Returns the exit code, and each check's name, verdict and finding.
pub(crate) async fn examine(args: &[&str]) -> (Option<i32>, Vec<(String, String, String)>) {
    let mut command = tidings();
    command.args(["doctor", "--json"]).args(args);
    let (status, out, err) = output_of(command).await;
    assert_eq!(err, "");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let checks = out.lines().map(|line| {
        let check: Value = serde_json::from_str(line).expect("a line is JSON");
        let verdict = text(&check["verdict"]);
        assert_eq!(verdict == "ok", check["remedy"].is_null(), "{line}");
        (text(&check["check"]), verdict, text(&check["finding"]))
    });
    (status.code(), checks.collect())
}

fn path(directory: &Path) -> &str {
    directory.to_str().expect("a plain path")
}

#[tokio::test]
async fn reports_no_fault_of_a_healthy_server_and_directory() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let data = place.path().join("data");
    let server = Server::start(&data).await;
    let (code, checks) = examine(&["--url", &server.url(""), "--data-dir", path(&data)]).await;
    let names: Vec<_> = checks.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "directory",
        "access",
        "space",
        "lock",
        "database",
        "server",
        "clock",
        "ready",
        "events",
        "stream",
        "log",
    ];
    assert_eq!(names, expected);
    for (name, verdict, finding) in &checks {
        // The free space depends on the machine.
        assert!(verdict == "ok" || name == "space", "{name}: {finding}");
    }
    let lock = &checks[3].2;
    assert_eq!(lock, &format!("in use by process {}", server.pid()));
    if checks[2].1 != "fail" {
        assert_eq!(code, Some(0));
    }

    let pid = server.pid();
    server.kill().await;
    let (_, checks) = examine(&["--data-dir", path(&data)]).await;
    assert_eq!(checks.len(), 5, "only the directory was asked for");
    let lock = &checks[3].2;
    let expected = format!("not in use; process {pid} was the last to use it");
    assert_eq!(lock, &expected);
}

#[tokio::test]
async fn prints_lines_for_people() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(place.path()).await;
    let mut command = tidings();
    command.args(["doctor", "--url", &server.url("")]);
    let (status, out, _) = output_of(command).await;
    assert!(status.success(), "{out}");
    let lines: Vec<_> = out.lines().collect();
    assert!(
        lines[0].starts_with("ok    server     Tidings runs at"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'), "{out:?}");
}

#[tokio::test]
async fn reports_the_faults_of_a_directory() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let missing = place.path().join("missing");
    let (code, checks) = examine(&["--data-dir", path(&missing)]).await;
    assert_eq!(code, Some(1));
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].1, "fail");

    let open = place.path().join("open");
    fs::create_dir(&open).expect("writable");
    fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("it is ours");
    let (_, checks) = examine(&["--data-dir", path(&open)]).await;
    let of = |name: &str| {
        let check = checks.iter().find(|(check, ..)| check == name);
        check.expect("the check is made")
    };
    assert_eq!(of("access").1, "warn");
    assert!(of("access").2.contains("755"), "{checks:?}");
    assert_eq!(of("lock").2, "no server has used it");
    assert_eq!(of("database").1, "warn");

    let file = place.path().join("file");
    fs::write(&file, "").expect("writable");
    let (code, checks) = examine(&["--data-dir", path(&file)]).await;
    assert_eq!(code, Some(1));
    assert!(checks[0].2.contains("is not a directory"), "{checks:?}");
}

#[tokio::test]
async fn leaves_the_files_of_a_killed_server_unchanged() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(place.path()).await;
    server.must_publish(&event(LOCAL_USER, "in the log")).await;
    server.kill().await;
    let files = || {
        let entries = fs::read_dir(place.path()).expect("readable");
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.expect("readable");
                let bytes = entry.metadata().expect("it is there").len();
                (entry.file_name(), bytes)
            })
            .collect();
        files.sort();
        files
    };
    let before = files();
    assert!(before.iter().any(|(name, _)| name == "tidings.db-wal"));
    let (_, checks) = examine(&["--data-dir", path(place.path())]).await;
    let is_well =
        |(check, verdict, _): &(String, String, String)| check == "database" && verdict == "ok";
    assert!(checks.iter().any(is_well), "{checks:?}");
    assert_eq!(files(), before);
}

/// Opening the FIFO would block, since it has no writer.
#[tokio::test]
async fn reports_a_fifo_and_a_link_without_opening_them() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, place.path().join("lock"), FileType::Fifo, mode, 0).expect("a FIFO can be made");
    let elsewhere = place.path().join("elsewhere");
    fs::write(&elsewhere, "no database").expect("writable");
    symlink(&elsewhere, place.path().join("tidings.db")).expect("writable");
    let args = ["--data-dir", path(place.path())];
    let (code, checks) = soon("the checks", examine(&args)).await;
    assert_eq!(code, Some(1));
    for name in ["lock", "database"] {
        let of = |(check, verdict, finding): &&(String, String, String)| {
            check == name && verdict == "fail" && finding.contains("not a file that Tidings made")
        };
        assert!(checks.iter().any(|check| of(&check)), "{name}: {checks:?}");
    }
}

#[tokio::test]
async fn unreachable_server_is_a_single_failure() {
    let (code, checks) = examine(&["--url", "http://127.0.0.1:1"]).await;
    assert_eq!(code, Some(1));
    assert_eq!(checks.len(), 1);
    assert!(checks[0].2.contains("127.0.0.1:1"), "{checks:?}");
}

#[tokio::test]
async fn reports_a_server_that_is_not_tidings() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let other = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("it accepts");
            let mut request = [0; 4096];
            let _ = client.read(&mut request).await;
            let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _ = client.write_all(response.as_bytes()).await;
        }
    });
    let (code, checks) = examine(&["--url", &url]).await;
    other.abort();
    assert_eq!(code, Some(1));
    let verdicts: Vec<_> = checks
        .iter()
        .map(|(name, verdict, _)| (name.as_str(), verdict.as_str()))
        .collect();
    assert_eq!(verdicts, [("server", "warn"), ("events", "fail")]);
}

#[tokio::test]
async fn rebuilds_the_lists_of_a_store_that_no_server_uses() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(place.path()).await;
    for number in 0..70 {
        let text = format!("event {number}");
        server.must_publish(&event(LOCAL_USER, &text)).await;
    }
    let mut before = Inbox::default();
    before.catch_up(&server).await;
    let args = ["--data-dir", path(place.path()), "--rebuild"];
    let (code, checks) = examine(&args).await;
    assert_eq!(
        (code, &*checks[0].0, &*checks[0].1),
        (Some(1), "rebuild", "fail")
    );
    server.kill().await;
    let (code, checks) = examine(&args).await;
    assert_eq!(
        (&*checks[0].0, &*checks[0].1),
        ("rebuild", "ok"),
        "{checks:?}"
    );
    assert_eq!(code, Some(0), "{checks:?}");
    let server = Server::start(place.path()).await;
    before.catch_up(&server).await;
    before.must_agree_with(&server).await;
    assert_eq!(before.events.len(), 70);
    server.kill().await;
    // A mistyped directory does not become a store.
    let missing = place.path().join("missing");
    let (code, checks) = examine(&["--data-dir", path(&missing), "--rebuild"]).await;
    assert_eq!((code, &*checks[0].1), (Some(1), "fail"));
    assert!(!missing.exists());
}
