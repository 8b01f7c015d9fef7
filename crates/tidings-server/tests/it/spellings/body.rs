//! The fields of bodies.

use serde_json::json;

use super::rows::ROWS;
use super::{ID, filled, path};
use crate::app::TestApp;

#[tokio::test]
async fn reads_body_fields_in_every_spelling() {
    for ids in ["ids", "Ids", "IDS", "id", "eventIds", "event_ids"] {
        for status in ["status", "Status"] {
            let app = TestApp::start().await;
            let id = app.publish_numbered(2).await.remove(0);
            for value in [json!([id]), json!(id)] {
                let body = json!({ids: value, status: "read"});
                assert_eq!(app.put("/status/bulk", &body).await.status, 200, "{body}");
                assert_eq!(app.list("").await["readCount"], 1, "{body}");
            }
        }
    }
    for row in ROWS
        .iter()
        .filter(|row| row.narrows && row.name != "filter")
    {
        for name in row.spellings() {
            if name.contains(['[', '.']) {
                continue;
            }
            let app = filled().await;
            let page = app.list(&path("", row.name, row.texts[0])[1..]).await;
            let text = row.texts[0];
            let body = json!({"Filter": {name.as_str(): text}, "up_to": page["cursor"]});
            let deleted = app.delete("/bulk", &body).await;
            assert_eq!(deleted.json()["count"], page["totalCount"], "{body}");
        }
    }
    let app = filled().await;
    for name in [
        "eventLogLevel",
        "event_log_level",
        "EventLogLevel",
        "event-log-level",
    ] {
        let response = app.put("/config", &json!({name: "debug"})).await;
        assert_eq!(response.status, 200, "{name}");
    }
    let one = format!("/status/{ID}");
    let twice = app
        .put(&one, &json!({"status": "read", "Status": "unread"}))
        .await;
    twice.error(400, "invalid_change");
}
