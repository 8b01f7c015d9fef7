//! An event of the caller and one of the system with the same id.

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{EVENTS, TestApp, event, event_with, id_of};
use crate::stream::Stream;

/// An app with an event of the caller and one of the system, and their id.
async fn twins() -> (TestApp, String) {
    let app = TestApp::start().await;
    let own = app.publish(&event("own")).await;
    let id = id_of(&own);
    let mut of_system = event_with("owner", "system");
    of_system["id"] = json!(id);
    of_system["description"] = json!("of the system");
    app.publish(&of_system).await;
    (app, id)
}

/// The caller's event and the system's: their status, `null` if it is gone.
async fn statuses(app: &TestApp, id: &str) -> [Value; 2] {
    let mut found = [Value::Null, Value::Null];
    for (found, kind) in found.iter_mut().zip(["user", "system"]) {
        let response = app.get(&format!("{EVENTS}/{id}?ownerKind={kind}")).await;
        match response.status.as_u16() {
            200 => *found = response.json()["status"].clone(),
            _ => drop(response.error(404, "event_not_found")),
        }
    }
    found
}

#[tokio::test]
async fn a_request_for_one_event_names_the_feed() {
    let (app, id) = twins().await;
    let page = app.list("").await;
    let system_id = app.engine.system_id().to_string();
    assert_eq!(page["systemId"], system_id);
    let summary = app.get(&format!("{EVENTS}/summary")).await.json();
    assert_eq!(summary["systemId"], system_id);
    assert_eq!(
        app.get(&format!("{EVENTS}/{id}")).await.json()["description"],
        "own"
    );
    let got = app.get(&format!("{EVENTS}/{id}?owner_kind=system")).await;
    assert_eq!(got.json()["description"], "of the system");

    let read = json!({"status": "read"});
    let marked = app
        .put(&format!("/status/{id}?ownerKind=system"), &read)
        .await;
    assert_eq!(marked.status, 200);
    assert_eq!(statuses(&app, &id).await, [json!("unread"), json!("read")]);
    let marked = app
        .send_json(
            Method::PUT,
            &format!("/api/events/{id}/status?ownerKind=user"),
            read.to_string(),
        )
        .await;
    assert_eq!(marked.json()["eventId"], id);
    assert_eq!(statuses(&app, &id).await, [json!("read"), json!("read")]);

    let path = format!("/{id}?ownerKind=system");
    for _ in 0..2 {
        assert_eq!(app.delete(&path, &Value::Null).await.status, 204);
        assert_eq!(statuses(&app, &id).await, [json!("read"), Value::Null]);
    }
    for (query, fault) in [
        ("ownerKind=me", "ownerKind (`me`) is not a kind of owner"),
        (
            "severity=error",
            "`severity` cannot be used here: this request accepts no filters",
        ),
    ] {
        for response in [
            app.get(&format!("{EVENTS}/{id}?{query}")).await,
            app.delete(&format!("/{id}?{query}"), &Value::Null).await,
            app.put(&format!("/status/{id}?{query}"), &read).await,
        ] {
            let error = response.error(400, "invalid_query");
            assert_eq!(error["longDescription"], json!([fault]), "{query}");
        }
    }
    // Elsewhere it stays a filter, which those requests do not take.
    let types = app.get(&format!("{EVENTS}/types?ownerKind=system")).await;
    types.error(400, "invalid_query");
}

#[tokio::test]
async fn a_bulk_change_names_the_feed_of_each_id_as_its_frame_does() {
    let (app, id) = twins().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let bulk = |ids: &[&str], system_ids: &[&str]| json!({"ids": ids, "systemIds": system_ids, "status": "read"});
    let marked = app
        .send_json(
            Method::PUT,
            "/api/events/status",
            bulk(&[&id], &[&id]).to_string(),
        )
        .await;
    assert_eq!(marked.json(), json!({"updated": [id], "count": 1}));
    assert_eq!(statuses(&app, &id).await, [json!("unread"), json!("read")]);
    let frame = stream.until("status").await.1.json();
    assert_eq!(
        (&frame["ids"], &frame["systemIds"]),
        (&json!([id]), &json!([id]))
    );

    let marked = app.put("/status/bulk", &bulk(&[&id], &[])).await;
    assert_eq!(marked.status, 200);
    assert_eq!(statuses(&app, &id).await, [json!("read"), json!("read")]);
    let frame = stream.until("status").await.1.json();
    assert_eq!(
        (&frame["ids"], &frame["systemIds"]),
        (&json!([id]), &json!([]))
    );

    let both = json!({"ids": [id, id], "systemIds": [id]});
    assert_eq!(app.delete("/bulk", &both).await.status, 204);
    assert_eq!(statuses(&app, &id).await, [Value::Null, Value::Null]);
    let frame = stream.until("deleted").await.1.json();
    assert_eq!(
        (&frame["ids"], &frame["systemIds"]),
        (&both["ids"], &both["systemIds"])
    );
}
