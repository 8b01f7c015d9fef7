use serde_json::{Map, Value, json};

use crate::app::{TestApp, event_with};
use crate::stream::{Frame, Stream};

#[tokio::test]
async fn an_empty_inbox_has_all_fields() {
    let app = TestApp::start().await;
    let summary = app.get("/api/system/events/summary").await.json();
    let cursor = summary["cursor"].as_str().unwrap();
    assert!(cursor.starts_with("0-0-"), "{cursor}");
    assert_eq!(
        summary,
        json!({"totalCount": 0, "unreadCount": 0, "readCount": 0, "unread": {}, "read": {},
               "cursor": cursor, "systemId": app.engine.system_id()})
    );
}

/// Counts the events of the list one by one.
async fn counted(app: &TestApp) -> Value {
    let mut counts = json!({"unread": {}, "read": {}});
    let page = app.list("pagesize=all").await;
    for event in page["events"].as_array().expect("a list") {
        let status = event["status"].as_str().expect("a text");
        let severity = event["severity"].as_str().expect("a text");
        let before = counts[status][severity].as_u64().unwrap_or(0);
        counts[status][severity] = json!(before + 1);
    }
    counts
}

fn total(counts: &Value) -> u64 {
    let counts = counts.as_object().expect("an object").values();
    counts.map(|count| count.as_u64().expect("a number")).sum()
}

/// Adds to counts, or to differences of counts.
fn add(counts: &mut Value, deltas: &Value) {
    for status in ["unread", "read"] {
        let Some(deltas) = deltas[status].as_object() else {
            panic!("a live change says what it does to the counts: {deltas}");
        };
        let counts = counts[status].as_object_mut().expect("an object");
        for (severity, by) in deltas {
            let now = counts.get(severity).and_then(Value::as_i64).unwrap_or(0);
            match now + by.as_i64().expect("a number") {
                0 => drop(counts.remove(severity)),
                after => drop(counts.insert(severity.clone(), json!(after))),
            }
        }
    }
}

fn follow(counts: &mut Value, frame: &Frame) {
    let data = frame.json();
    if frame.name.is_empty() {
        let status = data["status"].as_str().expect("a text");
        let other = if status == "read" { "unread" } else { "read" };
        let mut delta = Map::new();
        delta.insert(
            status.to_owned(),
            json!({data["severity"].as_str().expect("a text"): 1}),
        );
        delta.insert(other.to_owned(), json!({}));
        add(counts, &Value::Object(delta));
    } else {
        add(counts, &data);
    }
}

/// After every kind of change, the list, the summary, an old stream and a new one agree.
#[tokio::test]
async fn list_summary_and_streams_agree_after_every_change() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut follower = Stream::open(server.address).await;
    let (_, live) = follower.until("live").await;
    let mut followed = live.json()["summary"].clone();
    for (severity, owner) in [
        ("error", None),
        ("error", Some("system")),
        ("success", None),
        ("warning", Some("0c0ffee0-0000-4000-8000-00000000000a")),
        ("debug", None),
        ("warning", Some("system")),
    ] {
        let mut event = event_with("severity", severity);
        event["owner"] = owner.into();
        app.publish(&event).await;
    }
    let ids: Vec<Value> = app.list("").await["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["id"].clone())
        .collect();
    let changes = [
        (
            "PUT",
            "/status/bulk",
            json!({"ids": [ids[0], ids[1]], "status": "read"}),
        ),
        (
            "PUT",
            "/status/bulk",
            json!({"ids": [ids[0], ids[2]], "status": "unread"}),
        ),
        ("DELETE", "/bulk", json!({"ids": [ids[1], ids[4]]})),
        (
            "PUT",
            "/status/bulk",
            json!({"all": true, "status": "read"}),
        ),
        ("DELETE", "/bulk", json!({"all": true})),
    ];
    for step in 0..=changes.len() {
        let summary = app.get("/api/system/events/summary").await.json();
        let cursor = summary["cursor"].as_str().unwrap();
        catch_up(&mut follower, cursor, &mut followed).await;
        let counted = counted(&app).await;
        for status in ["unread", "read"] {
            assert_eq!(summary[status], counted[status], "step {step}");
        }
        assert_eq!(followed, counted, "step {step}");
        assert_eq!(summary["unreadCount"], total(&counted["unread"]));
        assert_eq!(summary["readCount"], total(&counted["read"]));
        let page = app.list("").await;
        assert_eq!(page["totalCount"], summary["totalCount"]);
        assert_eq!(page["readCount"], summary["readCount"]);
        assert_eq!(page["cursor"], summary["cursor"]);
        let by_severity: Value = page["countBySeverityLevel"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let severity = entry["severity"].as_str().unwrap().to_owned();
                (severity, entry["count"].clone())
            })
            .collect::<Map<_, _>>()
            .into();
        assert_eq!(by_severity, counted["unread"], "step {step}");
        let mut fresh = Stream::open(server.address).await;
        let (_, live) = fresh.until("live").await;
        assert_eq!(live.json()["summary"], counted, "step {step}");
        if let Some((method, path, body)) = changes.get(step) {
            let response = match *method {
                "PUT" => app.put(path, body).await,
                _ => app.delete(path, body).await,
            };
            assert!(response.status.is_success(), "{body}");
        }
    }
}

/// Reads until the stream has reached the cursor.
async fn catch_up(follower: &mut Stream, cursor: &str, counts: &mut Value) {
    while follower.last_id != cursor {
        let frame = follower.expect_next().await;
        if !frame.data.is_empty() {
            follow(counts, &frame);
        }
    }
}
