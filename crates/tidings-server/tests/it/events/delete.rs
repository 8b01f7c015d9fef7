use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with, id_of};

const OTHER: &str = "0c0ffee0-0000-4000-8000-00000000000a";
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

async fn count_of(app: &TestApp, owner: &str) -> u64 {
    let owner = owner.parse().expect("a UUID");
    let summary = app.engine.summary(owner).await;
    summary.expect("the store answers").total_count
}

#[tokio::test]
async fn one_event_is_deleted_and_stays_deleted() {
    let app = TestApp::start().await;
    let ids = app.publish_numbered(2).await;
    let path = format!("/{}", ids[0]);
    for _ in 0..2 {
        let response = app.delete(&path, &Value::Null).await;
        assert_eq!(response.status, 204);
        assert_eq!(response.body, b"");
    }
    let gone = app.get(&format!("/api/system/events{path}")).await;
    gone.error(404, "event_not_found");
    let left = app.list("").await;
    assert_eq!(left["totalCount"], 1);
    assert_eq!(left["events"][0]["id"], ids[1]);
}

#[tokio::test]
async fn foreign_and_unknown_events_have_the_same_response() {
    let app = TestApp::start().await;
    let foreign = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let unknown = app.delete(&format!("/{UNKNOWN}"), &Value::Null).await;
    let foreign = app.delete(&format!("/{foreign}"), &Value::Null).await;
    assert_eq!(
        foreign.error(404, "event_not_found"),
        unknown.error(404, "event_not_found")
    );
    assert_eq!(count_of(&app, OTHER).await, 1);
}

#[tokio::test]
async fn an_event_of_the_system_is_deleted_for_the_caller_only() {
    let app = TestApp::start().await;
    let id = id_of(&app.publish(&event_with("owner", "system")).await);
    let path = format!("/{id}");
    assert_eq!(app.delete(&path, &Value::Null).await.status, 204);
    assert_eq!(app.list("").await["totalCount"], 0);
    assert_eq!(count_of(&app, OTHER).await, 1);
}

#[tokio::test]
async fn several_events_are_deleted_by_their_ids() {
    let app = TestApp::start().await;
    let foreign = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let ids = app.publish_numbered(3).await;
    let body = json!({"ids": [ids[0], ids[2], ids[0], UNKNOWN, foreign]});
    for _ in 0..2 {
        let response = app.delete("/bulk", &body).await;
        assert_eq!(response.status, 204);
        assert_eq!(response.body, b"");
    }
    assert_eq!(app.list("").await["totalCount"], 1);
    assert_eq!(count_of(&app, OTHER).await, 1);
}

#[tokio::test]
async fn a_filter_deletes_up_to_the_cursor_and_counts() {
    let app = TestApp::start().await;
    app.publish_numbered(4).await;
    app.publish(&event_with("severity", "error")).await;
    let cursor = app.list("").await["cursor"].clone();
    app.publish(&event("newer")).await;
    let body = json!({"filter": {"severity": ["success"]}, "upTo": cursor});
    for count in [4, 0] {
        let response = app.delete("/bulk", &body).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.json(), json!({"deleted": [], "count": count}));
    }
    let response = app.delete("/bulk", &json!({"all": true})).await;
    assert_eq!(response.json(), json!({"deleted": [], "count": 2}));
    assert_eq!(app.list("").await["totalCount"], 0);
}

/// The events are enough for many frames and many steps.
#[tokio::test]
async fn thousands_are_deleted_at_once() {
    let app = TestApp::start().await;
    let mut ids = app.publish_numbered(1_000).await;
    ids.extend(app.publish_numbered(1_000).await);
    assert_eq!(
        app.delete("/bulk", &json!({"ids": ids[..1500]}))
            .await
            .status,
        204
    );
    let response = app.delete("/bulk", &json!({"all": true})).await;
    assert_eq!(response.json()["count"], 500);
}
