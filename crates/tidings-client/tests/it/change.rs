//! Tests of changes, counts, types and imported events.

use serde_json::{Value, json};
use tidings_client::ChangeOutcome::{Done, NotFound};
use tidings_client::{Change, Changes, ErrorKind, OwnerId, PastEvent, ProtocolFault};
use tidings_event::{
    Cursor, ErrorCode, Event, EventFilter, EventId, EventRef, Given, NewEvent, NewRetraction,
    OwnerKind, Past, ResourceId, Retraction, Selection, Severity, Status, Timestamp,
};

use crate::stub::{Stub, StubResponse};

fn envelope(code: &str) -> String {
    json!({"error": "no", "code": code, "severity": "ERROR"}).to_string()
}

/// The request line and the body of a request.
fn parts(request: &str) -> (&str, Value) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap();
    let body = match body {
        "" => Value::Null,
        body => serde_json::from_str(body).unwrap(),
    };
    (line, body)
}

fn cursor() -> Cursor {
    "7-3-k3f9q2w8".parse().unwrap()
}

#[tokio::test]
async fn marks_one_event_and_reports_a_missing_one() {
    let mut stub = Stub::start([
        StubResponse::json("200 OK", ""),
        StubResponse::json("404 Not Found", envelope("event_not_found")),
        StubResponse::json("404 Not Found", envelope("route_not_found")),
    ])
    .await;
    let id = EventId::mint();
    let client = stub.client.clone();

    assert_eq!(client.set_status(id, Status::Read).await.unwrap(), Done);
    let request = stub.request().await;
    let (line, body) = parts(&request);
    assert_eq!(line, format!("PUT /api/system/events/status/{id} HTTP/1.1"));
    assert_eq!(body, json!({"status": "read"}));

    assert_eq!(
        client.set_status(id, Status::Unread).await.unwrap(),
        NotFound
    );
    let error = client.set_status(id, Status::Read).await.unwrap_err();
    assert_eq!(error.rejection().unwrap().code, ErrorCode::RouteNotFound);
}

#[tokio::test]
async fn deletes_one_event_and_reports_a_missing_one() {
    let mut stub = Stub::start([
        StubResponse::json("204 No Content", ""),
        StubResponse::json("404 Not Found", envelope("event_not_found")),
        StubResponse::json("200 OK", "{}"),
    ])
    .await;
    let id = EventId::mint();

    assert_eq!(stub.client.delete(id).await.unwrap(), Done);
    let line = format!("DELETE /api/system/events/{id} HTTP/1.1");
    assert_eq!(parts(&stub.request().await), (line.as_str(), Value::Null));

    assert_eq!(stub.client.delete(id).await.unwrap(), NotFound);
    let error = stub.client.delete(id).await.unwrap_err();
    match error.kind() {
        ErrorKind::Protocol { fault, .. } => assert_eq!(fault, &ProtocolFault::Status(200)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_the_feed_of_one_event() {
    let mut stub = Stub::start([
        StubResponse::json("404 Not Found", envelope("event_not_found")),
        StubResponse::json("200 OK", ""),
        StubResponse::json("204 No Content", ""),
    ])
    .await;
    let id = EventId::mint();
    let of_system = EventRef::of(OwnerKind::System, id);
    let client = stub.client.clone();
    assert_eq!(client.get(of_system).await.unwrap(), None);
    assert_eq!(
        client.set_status(of_system, Status::Read).await.unwrap(),
        Done
    );
    let own = EventRef::of(OwnerKind::User, id);
    assert_eq!(client.delete(own).await.unwrap(), Done);
    for expected in [
        format!("GET /api/system/events/{id}?ownerKind=system HTTP/1.1"),
        format!("PUT /api/system/events/status/{id}?ownerKind=system HTTP/1.1"),
        format!("DELETE /api/system/events/{id}?ownerKind=user HTTP/1.1"),
    ] {
        assert_eq!(parts(&stub.request().await).0, expected);
    }
}

/// A request names the feed of all its ids, or of none.
#[tokio::test]
async fn sends_ids_with_and_without_a_feed_apart() {
    let updated = |id: EventId| json!({"updated": [id], "count": 1}).to_string();
    let [plain, named] = [EventId::mint(), EventId::mint()];
    let responses = [plain, named].map(|id| StubResponse::json("200 OK", updated(id)));
    let mut stub = Stub::start(responses).await;
    let selection = Selection::ids([EventRef::of(OwnerKind::System, named), plain.into()]);
    let read = Change::Status(Status::Read);
    let changed = stub.client.change(selection, read).await.unwrap();
    assert_eq!(changed, Changes::new(vec![plain, named], 2));
    for expected in [
        json!({"ids": [plain], "status": "read"}),
        json!({"ids": [named], "systemIds": [named], "status": "read"}),
    ] {
        assert_eq!(parts(&stub.request().await).1, expected);
    }
}

#[tokio::test]
async fn sends_only_the_set_fields_of_a_selection() {
    let ids = [EventId::mint(), EventId::mint()];
    let filter = EventFilter::default()
        .with_severity([Severity::Error])
        .with_from("2026-08-01T10:00:00Z".parse().unwrap())
        .with_search("a");
    let selections = [
        (Selection::ids(ids), json!({"ids": ids})),
        (
            Selection::ids(ids.map(|id| EventRef::of(OwnerKind::System, id))),
            json!({"ids": ids, "systemIds": ids}),
        ),
        (
            Selection::ids(ids.map(|id| EventRef::of(OwnerKind::User, id))),
            json!({"ids": ids, "systemIds": []}),
        ),
        (Selection::Ids(Vec::new()), json!({"ids": []})),
        (
            Selection::Filter {
                filter: Box::new(filter),
                up_to: cursor(),
            },
            json!({"upTo": "7-3-k3f9q2w8", "filter": {
                "severity": ["error"], "from": "2026-08-01T10:00:00Z", "search": "a"}}),
        ),
        (Selection::All { up_to: None }, json!({"all": true})),
        (
            Selection::All {
                up_to: Some(cursor()),
            },
            json!({"all": true, "upTo": "7-3-k3f9q2w8"}),
        ),
    ];
    let updated = json!({"updated": [ids[0]], "count": 1}).to_string();
    let deleted = json!({"deleted": [], "count": 12}).to_string();
    for (selection, expected) in selections {
        let mut stub =
            Stub::start([&updated, &deleted].map(|body| StubResponse::json("200 OK", body))).await;
        let read = Change::Status(Status::Read);
        let changed = stub.client.change(selection.clone(), read).await.unwrap();
        assert_eq!(changed, Changes::new(vec![ids[0]], 1));
        let request = stub.request().await;
        let (line, body) = parts(&request);
        assert_eq!(line, "PUT /api/events/status HTTP/1.1");
        let mut with_status = expected.clone();
        with_status["status"] = json!("read");
        assert_eq!(body, with_status);

        let gone = stub.client.change(selection, Change::Delete).await.unwrap();
        assert_eq!(gone, Changes::new(vec![], 12));
        let request = stub.request().await;
        assert_eq!(
            parts(&request),
            ("POST /api/events/delete HTTP/1.1", expected)
        );
    }
}

#[tokio::test]
async fn reports_the_error_body_of_a_rejected_selection() {
    let stub = Stub::start([
        StubResponse::json("400 Bad Request", envelope("invalid_query")),
        StubResponse::json("503 Service Unavailable", envelope("shutting_down")),
        StubResponse::json("200 OK", "{}"),
    ])
    .await;
    let all = || Selection::All { up_to: None };
    for (code, temporary) in [
        (ErrorCode::InvalidQuery, false),
        (ErrorCode::ShuttingDown, true),
    ] {
        let error = stub.client.change(all(), Change::Delete).await.unwrap_err();
        assert_eq!(error.rejection().unwrap().code, code);
        assert_eq!(error.is_temporary(), temporary);
    }
    let read = Change::Status(Status::Read);
    let error = stub.client.change(all(), read).await;
    match error.unwrap_err().kind() {
        ErrorKind::Protocol { fault, .. } => assert_eq!(fault, &ProtocolFault::Body),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reads_the_summary_and_the_types() {
    let summary = json!({"totalCount": 3, "unreadCount": 2, "readCount": 1,
                         "unread": {"error": 2}, "read": {"success": 1},
                         "cursor": "7-3-k3f9q2w8",
                         "systemId": "7b1d2c3e-0000-4000-8000-00000000000b"});
    let types = json!({"category": ["connection"], "action": ["ping", "register"]});
    let mut stub = Stub::start([
        StubResponse::json("200 OK", summary.to_string()),
        StubResponse::json("200 OK", types.to_string()),
        StubResponse::json("503 Service Unavailable", envelope("storage_unavailable")),
    ])
    .await;
    let read = stub.client.summary().await.unwrap();
    assert_eq!(
        (read.total_count, read.counts.unread[&Severity::Error]),
        (3, 2)
    );
    assert_eq!(read.cursor, cursor());
    let request = stub.request().await;
    assert_eq!(parts(&request).0, "GET /api/system/events/summary HTTP/1.1");

    let read = stub.client.types().await.unwrap();
    assert_eq!((read.category.len(), read.action.len()), (1, 2));
    let request = stub.request().await;
    assert_eq!(parts(&request).0, "GET /api/system/events/types HTTP/1.1");
    assert!(stub.client.types().await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn imports_an_event_with_its_past() {
    let mut event = Event::builder()
        .for_user(OwnerId::mint())
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping")
        .with_severity(Severity::Success)
        .build()
        .unwrap()
        .into_event();
    event.status = Status::Read;
    event.updated_at = "2026-08-01T10:00:00.5Z".parse::<Timestamp>().unwrap();
    let mut stub = Stub::start([
        StubResponse::json("201 Created", json!([event, event]).to_string()),
        StubResponse::json("200 OK", json!([event]).to_string()),
    ])
    .await;
    let without_past = PastEvent::new(NewEvent::from(event.clone()), Past::default());
    let batch = [PastEvent::from(event.clone()), without_past];
    let receipts = stub.client.import_batch(batch.clone()).await.unwrap();
    assert_eq!((receipts.len(), receipts[0].repeated), (2, false));

    let request = stub.request().await;
    let (line, body) = parts(&request);
    assert_eq!(line, "POST /api/system/events?import=true HTTP/1.1");
    assert_eq!(body[0]["id"], json!(event.id));
    assert_eq!(body[0]["status"], "read");
    assert_eq!(body[0]["updatedAt"], "2026-08-01T10:00:00.5Z");
    assert_eq!(body[0]["owner"], json!(event.owner));
    assert!(body[1].get("status").is_none(), "{body}");
    assert!(body[1].get("updatedAt").is_none(), "{body}");

    let [first, _] = batch;
    let receipts = stub.client.import_batch([first]).await.unwrap();
    assert!(receipts[0].repeated);
}

#[tokio::test]
async fn retracts_an_event_by_the_name_of_its_owner() {
    let mut stub = Stub::start([
        StubResponse::json("204 No Content", ""),
        StubResponse::json("404 Not Found", envelope("event_not_found")),
        StubResponse::json("403 Forbidden", envelope("foreign_system")),
        StubResponse::json("204 No Content", ""),
    ])
    .await;
    let (id, user) = (EventId::mint(), OwnerId::mint());
    let client = stub.client.clone();
    let of_user = Retraction::of(id).for_user(user);
    assert_eq!(client.retract(of_user).await.unwrap(), Done);
    let line = format!("DELETE /api/system/events/{id}?owner={user} HTTP/1.1");
    assert_eq!(parts(&stub.request().await).0, line);
    assert_eq!(client.retract(Retraction::of(id)).await.unwrap(), NotFound);
    let line = format!("DELETE /api/system/events/{id}?owner=system HTTP/1.1");
    assert_eq!(parts(&stub.request().await).0, line);
    // The caller has a name, too: without one, it would be a deletion by a reader.
    let rejected = client.retract_new(id, &NewRetraction::default()).await;
    let rejected = rejected.unwrap_err();
    assert_eq!(rejected.rejection().unwrap().code, ErrorCode::ForeignSystem);
    let nil = "00000000-0000-0000-0000-000000000000";
    let line = format!("DELETE /api/system/events/{id}?owner={nil} HTTP/1.1");
    assert_eq!(parts(&stub.request().await).0, line);
    let mut named = NewRetraction::default();
    named.subject = Given::Value("a b".into());
    named.issuer = Given::Value("https://id.example".into());
    assert_eq!(client.retract_new(id, &named).await.unwrap(), Done);
    let line = format!(
        "DELETE /api/system/events/{id}?subject=a+b&issuer=https%3A%2F%2Fid.example HTTP/1.1"
    );
    assert_eq!(parts(&stub.request().await).0, line);
}
