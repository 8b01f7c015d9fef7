//! `tidings backup` while the server serves, and `tidings restore`.

use crate::server::{LOCAL_USER, Server, event, output_of, tidings};
use crate::stream::Stream;

#[tokio::test]
async fn a_restored_backup_serves_and_resets_the_readers_of_before() {
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
    assert!(err.contains("1 events"), "{err}");
    server.must_publish(&event(LOCAL_USER, "after")).await;
    let (_, page) = server.get("/api/system/events").await;
    let cursor = page["cursor"]
        .as_str()
        .expect("a list has a cursor")
        .to_owned();

    // Not into a directory in use.
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
