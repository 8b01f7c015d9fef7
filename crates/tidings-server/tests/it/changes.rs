//! Changes in open streams.

use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with, id_of};
use crate::stream::Stream;

async fn live(server: &crate::app::Running) -> Stream {
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    stream
}

#[tokio::test]
async fn a_change_reaches_every_open_stream() {
    let app = TestApp::start().await;
    let server = app.serve();
    let ids = app.publish_numbered(2).await;
    let system = id_of(&app.publish(&event_with("owner", "system")).await);
    let mut streams = [live(&server).await, live(&server).await];
    app.put(&format!("/status/{}", ids[0]), &json!({"status": "read"}))
        .await;
    app.put(
        "/status/bulk",
        &json!({"ids": [ids[1], system], "status": "read"}),
    )
    .await;
    app.delete(&format!("/{}", ids[0]), &Value::Null).await;
    app.delete("/bulk", &json!({"all": true})).await;
    app.publish(&event("last")).await;
    for stream in &mut streams {
        let frame = stream.expect_next().await;
        assert_eq!(frame.name, "status");
        let status = frame.json();
        let stored_at = &status["updatedAt"];
        assert!(stored_at.is_string(), "{status}");
        assert_eq!(
            status,
            json!({"ids": [ids[0]], "systemIds": [], "status": "read", "updatedAt": stored_at,
                   "unread": {"success": -1}, "read": {"success": 1}})
        );
        let frame = stream.expect_next().await;
        assert_eq!(frame.name, "status");
        assert_eq!(frame.json()["ids"], json!([ids[1], system]));
        assert_eq!(frame.json()["unread"], json!({"success": -2}));
        let frame = stream.expect_next().await;
        assert_eq!(frame.name, "deleted");
        assert_eq!(
            frame.json(),
            json!({"ids": [ids[0]], "systemIds": [], "unread": {}, "read": {"success": -1}})
        );
        let frame = stream.expect_next().await;
        assert_eq!(frame.name, "deleted");
        assert_eq!(frame.json()["read"], json!({"success": -2}));
        assert_eq!(stream.expect_next().await.description(), "last");
    }
}

#[tokio::test]
async fn does_not_show_a_change_without_effect() {
    let app = TestApp::start().await;
    let server = app.serve();
    let id = app.publish_numbered(1).await.remove(0);
    let mut stream = live(&server).await;
    for _ in 0..2 {
        app.put(&format!("/status/{id}"), &json!({"status": "read"}))
            .await;
        app.delete(&format!("/{id}"), &Value::Null).await;
    }
    app.publish(&event("last")).await;
    let names = ["status", "deleted", ""];
    for name in names {
        assert_eq!(stream.expect_next().await.name, name);
    }
}

#[tokio::test]
async fn a_reader_that_reconnects_gets_the_same_inbox() {
    let app = TestApp::start().await;
    let server = app.serve();
    let ids = app.publish_numbered(3).await;
    let away = live(&server).await.last_id;
    app.put(&format!("/status/{}", ids[0]), &json!({"status": "read"}))
        .await;
    app.delete(&format!("/{}", ids[1]), &Value::Null).await;
    app.publish(&event("new")).await;
    let query = format!("?lastEventId={away}");
    let mut stream = Stream::open_with(server.address, &query, None).await;
    stream.until("ready").await;
    let status = stream.expect_next().await;
    assert_eq!(status.name, "status");
    assert_eq!(status.json()["ids"], json!([ids[0]]));
    // While the stream catches up, its frames have no counts.
    assert_eq!(status.json()["unread"], Value::Null);
    let deleted = stream.expect_next().await;
    assert_eq!(deleted.name, "deleted");
    assert_eq!(deleted.json(), json!({"ids": [ids[1]]}));
    assert_eq!(stream.expect_next().await.description(), "new");
    let live = stream.expect_next().await;
    assert_eq!(live.name, "live");
    assert_eq!(
        live.json()["summary"],
        json!({"unread": {"success": 2}, "read": {"success": 1}})
    );
}

#[tokio::test]
async fn sends_a_large_change_in_frames_of_bounded_size() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.publish_numbered(1_000).await;
    app.publish_numbered(500).await;
    let mut stream = live(&server).await;
    app.put("/status/bulk", &json!({"all": true, "status": "read"}))
        .await;
    let mut left = 1_500;
    while left > 0 {
        let frame = stream.expect_next().await;
        let ids = frame.json()["ids"].as_array().unwrap().len();
        assert!((1..=512).contains(&ids), "{ids}");
        left -= ids;
    }
}
