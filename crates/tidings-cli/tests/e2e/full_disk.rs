//! Users can empty a completely full disk through the server.

use std::fs::{self, File};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{LOCAL_USER, Server, event, soon, tidings};
use crate::small_disk::Disk;
use crate::test_dir::TestDir;

/// Publishes until the server reports `storage_full`.
async fn publish_until_full(server: &Server) {
    for _ in 0..10_000 {
        let batch: Vec<Value> = (0..20)
            .map(|_| event(LOCAL_USER, &"x".repeat(1000)))
            .collect();
        let response = soon("a response", server.publish(&Value::Array(batch))).await;
        let (status, body) = response.expect("the connection holds");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(body["code"], "storage_full", "{body}");
            return;
        }
        assert_eq!(status, StatusCode::CREATED, "{body}");
    }
    panic!("a small disk must not hold any number of events");
}

/// Publishes single events until the smallest are rejected, too. The server counts as ready as long as it
/// accepts events of 4 KiB.
async fn readiness_agrees_with_publishing(server: &Server) {
    for text in ["x".repeat(4096), String::new()] {
        loop {
            let (ready, body) = server.get("/readyz").await;
            let response = server.publish(&event(LOCAL_USER, &text)).await;
            let (published, rejected) = response.expect("the connection holds");
            if published == StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(rejected["code"], "storage_full", "{rejected}");
                break;
            }
            assert_eq!(published, StatusCode::CREATED, "{rejected}");
            let is_large = !text.is_empty();
            assert!(ready.is_success() || !is_large, "{body}");
        }
    }
    let (status, body) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["code"], "storage_full");
}

async fn ask(server: &Server, method: Method, path: &str, body: Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    let url = server.url(&format!("/api/system/events{path}"));
    let response = http.request(method, url).json(&body).send();
    let response = soon("a response", response)
        .await
        .expect("the connection holds");
    let status = response.status();
    let text = response.text().await.expect("it is text");
    assert!(status.is_success(), "{path} {body}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn id(event: &Value) -> &str {
    event["id"].as_str().expect("an event has an id")
}

/// Checks every form of change: by id, by ids, by filter, and of all events.
async fn change_in_every_way(server: &Server) {
    let events = server.list_all().await;
    assert!(events.len() > 200, "{} events are few", events.len());
    let (_, page) = server.get("/api/system/events?pagesize=1").await;
    let cursor = &page["cursor"];
    let mark = format!("/status/{}", id(&events[0]));
    ask(server, Method::PUT, &mark, json!({"status": "read"})).await;
    let ids: Vec<&str> = events[1..100].iter().map(id).collect();
    let marked = json!({"ids": ids, "status": "read"});
    ask(server, Method::PUT, "/status/bulk", marked).await;
    let all = json!({"all": true, "status": "read"});
    ask(server, Method::PUT, "/status/bulk", all).await;
    ask(
        server,
        Method::DELETE,
        &format!("/{}", id(&events[0])),
        Value::Null,
    )
    .await;
    ask(server, Method::DELETE, "/bulk", json!({"ids": ids})).await;
    let filter =
        json!({"filter": {"severity": ["informational"], "status": "unread"}, "upTo": cursor});
    ask(server, Method::DELETE, "/bulk", filter).await;
    assert_eq!(server.list_all().await.len(), events.len() - 100);
}

#[tokio::test]
async fn accepts_marks_and_deletes_on_a_full_disk() {
    let disk = Disk::of("16m").await;
    let directory = TempDir::new().expect("a directory can be made");
    let log = directory.path().join("log");
    let server = disk.serve(&[], &log).await;
    assert!(fs::metadata(disk.file("reserve")).expect("a reserve").len() > 0);
    publish_until_full(&server).await;
    disk.fill();
    publish_until_full(&server).await;
    readiness_agrees_with_publishing(&server).await;
    for _ in 0..20 {
        publish_until_full(&server).await;
    }
    change_in_every_way(&server).await;
    // The server logs the start of the condition, not every request.
    let told = fs::read_to_string(&log).expect("readable");
    let errors = told.lines().filter(|line| line.contains("ERROR")).count();
    assert!((1..=3).contains(&errors), "{told}");

    // After a crash, and after an orderly shutdown, each time without a free byte.
    server.kill().await;
    disk.fill();
    let server = disk.serve(&[], &log).await;
    change_in_every_way(&server).await;
    server.terminate();
    assert!(server.ended().await.success());
    disk.fill();
    disk.examine(directory.path()).await;
    let server = disk.serve(&[], &log).await;
    ask(&server, Method::DELETE, "/bulk", json!({"all": true})).await;
    assert_eq!(server.list_all().await.len(), 0);

    // New events use the space of the deleted ones, although the disk is as full as before.
    server
        .must_publish(&event(LOCAL_USER, "stored again"))
        .await;
    let (status, body) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    fs::remove_file(disk.file("ballast")).expect("the ballast is there");
    for _ in 0..100 {
        server
            .must_publish(&event(LOCAL_USER, &"x".repeat(4000)))
            .await;
    }
}

/// The test publishes more than the disk can hold, so retention must free space before its long
/// interval ends.
#[tokio::test]
async fn retention_frees_a_full_disk() {
    let disk = Disk::of("8m").await;
    let directory = TempDir::new().expect("a directory can be made");
    let log = directory.path().join("log");
    let flags = ["--retain-events=100", "--retention-interval=1d"];
    let server = disk.serve(&flags, &log).await;
    let mut stored = 0;
    let publishing = async {
        while stored < 8 * 1024 {
            let batch: Vec<Value> = (0..20)
                .map(|_| event(LOCAL_USER, &"x".repeat(1000)))
                .collect();
            let response = server.publish(&Value::Array(batch)).await;
            let (status, body) = response.expect("the connection holds");
            match status {
                StatusCode::CREATED => stored += 20,
                _ => {
                    assert_eq!(body["code"], "storage_full", "{body}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::time::timeout(2 * crate::server::STUCK, publishing)
        .await
        .expect("retention keeps freeing space");
}

/// The reserve file has the size of `--reserve-bytes`, and is absent if that is 0.
#[tokio::test]
async fn reserve_follows_its_flag() {
    let directory = TempDir::new().expect("a directory can be made");
    for (bytes, length) in [("1000000", Some(1_000_000)), ("0", None)] {
        let mut command = tidings();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--reserve-bytes", bytes])
            .arg("--data-dir")
            .arg(directory.path());
        let server = Server::from_command(command).await;
        server.must_publish(&event(LOCAL_USER, "stored")).await;
        let reserve = File::open(directory.path().join("reserve"));
        let found = reserve.and_then(|file| file.metadata()).ok();
        assert_eq!(found.map(|file| file.len()), length);
        server.terminate();
        assert!(server.ended().await.success());
    }
    // A reserve larger than the disk: the server rejects every event and reports why.
    let mut command = tidings();
    let too_much = u64::MAX / 4;
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path())
        .args(["--reserve-bytes", &too_much.to_string()]);
    let server = Server::from_command(command).await;
    let (status, body) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let response = server.publish(&event(LOCAL_USER, "rejected")).await;
    let (_, body) = response.expect("the connection holds");
    assert_eq!(body["code"], "storage_full");
    let remedies = body["suggestedRemediation"].to_string();
    assert!(remedies.contains("delete"), "{body}");
}

#[tokio::test]
async fn logs_a_full_disk_once_without_a_reserve() {
    let disk = Disk::of("8m").await;
    let directory = TempDir::new().expect("a directory can be made");
    let log = directory.path().join("log");
    let server = disk.serve(&["--reserve-bytes=0"], &log).await;
    publish_until_full(&server).await;
    disk.fill();
    for _ in 0..20 {
        publish_until_full(&server).await;
    }
    let told = fs::read_to_string(&log).expect("readable");
    let errors = told.lines().filter(|line| line.contains("ERROR")).count();
    assert_eq!(errors, 1, "{told}");
    // Without a reserve, deletions can also fail.
    assert!(told.contains("has no reserve"), "{told}");
}

/// For example a snapshot of a volume.
#[tokio::test]
async fn examines_and_backs_up_a_read_only_disk() {
    let disk = Disk::of("16m").await;
    let directory = TempDir::new().expect("a directory can be made");
    let server = disk.serve(&[], &directory.path().join("log")).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    server.terminate();
    assert!(server.ended().await.success());
    disk.make_read_only().await;
    disk.examine(directory.path()).await;
}

/// Revokes tokens until the revocation file is out of space. A truncated line would make the whole list
/// unreadable.
#[tokio::test]
async fn revocation_list_stays_readable_on_a_full_disk() {
    const ADMINISTRATOR: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
    let disk = Disk::of("8m").await;
    let place = TestDir::new().await;
    let log = place.path("log");
    let list = disk.file("revoked");
    fs::write(&list, "").expect("it can be made");
    let secret = place.path("secret");
    let flags = [
        "--auth=jwt",
        "--jwt-secret-file",
        secret.to_str().expect("it is text"),
        "--revoked-tokens",
        &format!("{}/revoked", disk.path().display()),
    ];
    let server = disk.serve(&flags, &log).await;
    let token = place
        .token(ADMINISTRATOR, &["--scope", "events:admin"])
        .await;
    disk.fill();
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    // A line has 226 bytes. The 64 KiB of reserved space end 4 bytes before the end of a line, within
    // its time.
    let mut revoked = 0;
    let rejected = loop {
        let id = format!("{revoked:0>204}");
        let body = json!({"id": id, "expires": "2099-01-01T00:00:00Z"});
        let url = server.url("/tokens/revoke");
        let response = http.post(url).bearer_auth(&token).json(&body).send();
        let response = soon("a response", response).await;
        let response = response.expect("the connection holds");
        if response.status() != StatusCode::NO_CONTENT {
            break (
                response.status(),
                response.text().await.expect("it is text"),
            );
        }
        revoked += 1;
    };
    assert_eq!(rejected.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(rejected.1.contains("storage_full"), "{}", rejected.1);
    assert!(rejected.1.contains("free space"), "{}", rejected.1);
    let text = fs::read_to_string(&list).expect("readable");
    assert_eq!(text.lines().count(), revoked);
    assert!(revoked > 200 && text.ends_with("Z\n"), "{revoked}");

    server.kill().await;
    disk.serve(&flags, &log).await;
}
