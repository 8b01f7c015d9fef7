//! Publish, list and get.

use serde_json::json;
use tidings_client::{Client, ClientError, ErrorKind, ProtocolFault};
use tidings_event::{
    ErrorCode, Event, EventFilter, EventId, NewEvent, OwnerKind, PageRequest, PageToken, Paging,
    ResourceId, Severity, Sort, SortKey, SortOrder, Status, Total,
};

use crate::stub::{Answer, Stub};

fn event() -> Event {
    Event::builder()
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping")
        .with_severity(Severity::Success)
        .with_description("reached")
        .build()
        .unwrap()
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn envelope(code: &str) -> String {
    text(
        &json!({"error": "the event breaks 2 rules", "code": code, "severity": "ERROR",
                 "longDescription": ["category is missing", "action is missing"]}),
    )
}

#[tokio::test]
async fn a_new_event_and_a_repeat_are_told_apart_by_their_status() {
    let event = event();
    let mut stub = Stub::start([
        Answer::json("201 Created", text(&event)),
        Answer::json("200 OK", text(&event)),
    ])
    .await;

    let first = stub.client.publish(event.clone()).await.unwrap();
    assert_eq!((&first.event, first.repeated), (&event, false));
    let second = stub
        .client
        .publish(NewEvent::from(event.clone()))
        .await
        .unwrap();
    assert_eq!((&second.event, second.repeated), (&event, true));

    let request = stub.request().await;
    assert!(
        request.starts_with("POST /api/system/events HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("\r\ncontent-type: application/json\r\n"),
        "{request}"
    );
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let sent: NewEvent = serde_json::from_str(body).unwrap();
    assert_eq!(sent, NewEvent::from(event));
}

#[tokio::test]
async fn a_batch_is_sent_as_an_array_and_answered_with_as_many() {
    let events = [event(), event()];
    let mut stub = Stub::start([
        Answer::json("201 Created", text(&events)),
        Answer::json("201 Created", text(&&events[..1])),
    ])
    .await;
    let batch = events.clone().map(NewEvent::from);

    let receipt = stub.client.publish_batch(&batch).await.unwrap();
    assert_eq!(
        (&receipt.events[..], receipt.repeated),
        (&events[..], false)
    );
    let request = stub.request().await;
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Vec<NewEvent>>(body).unwrap(), batch);

    let error = stub.client.publish_batch(&batch).await.unwrap_err();
    let fault = ProtocolFault::EventCount {
        sent: 2,
        returned: 1,
    };
    assert_eq!(fault_of(&error), Some(&fault));
}

#[tokio::test]
async fn a_refusal_carries_the_envelope() {
    let stub = Stub::start([Answer::json("400 Bad Request", envelope("invalid_event"))]).await;
    let error = stub.client.publish(event()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused with status 400: the event breaks 2 rules"
    );
    assert!(!error.is_temporary());
    let body = error.refusal().unwrap();
    assert_eq!(body.code, ErrorCode::InvalidEvent);
    assert_eq!(
        body.long_description,
        ["category is missing", "action is missing"]
    );
}

#[tokio::test]
async fn a_missing_event_is_none_and_a_missing_route_an_error() {
    let stored = event();
    let mut stub = Stub::start([
        Answer::json("200 OK", text(&stored)),
        Answer::json("404 Not Found", envelope("event_not_found")),
        Answer::json("404 Not Found", envelope("route_not_found")),
        Answer::json("404 Not Found", "<h1>not found</h1>"),
    ])
    .await;
    let id = EventId::mint();

    assert_eq!(stub.client.get(id).await.unwrap(), Some(stored));
    let path = format!("GET /api/system/events/{id} HTTP/1.1\r\n");
    assert!(stub.request().await.starts_with(&path));

    assert_eq!(stub.client.get(id).await.unwrap(), None);
    let error = stub.client.get(id).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code, ErrorCode::RouteNotFound);
    let error = stub.client.get(id).await.unwrap_err();
    assert_eq!(fault_of(&error), Some(&ProtocolFault::Status(404)));
}

#[tokio::test]
async fn the_list_is_asked_for_with_every_part_of_the_filter() {
    let id = ResourceId::mint();
    let page = json!({"events": [event()], "page": 2, "pageSize": 7, "totalCount": 30,
                      "countBySeverityLevel": [{"severity": "error", "count": 2}],
                      "readCount": 4, "cursor": "3-1-00000000"});
    let mut stub = Stub::start([
        Answer::json("200 OK", text(&page)),
        Answer::json("200 OK", text(&page)),
    ])
    .await;
    let filter = EventFilter {
        status: Some(Status::Unread),
        category: vec!["connection".parse().unwrap()],
        action: vec!["ping".parse().unwrap()],
        severity: vec![Severity::Error, Severity::Alert],
        acted_upon: vec![id],
        owner_kind: Some(OwnerKind::System),
        operation_id: Some(id.as_uuid().to_owned().into()),
        from: Some("2026-08-01T10:00:00.5Z".parse().unwrap()),
        to: Some("2026-08-02T10:00:00Z".parse().unwrap()),
        search: Some("100 % & é".to_owned()),
    };

    let request = PageRequest {
        paging: Paging::Number(2),
        size: 7,
        sort: Sort {
            key: SortKey::UpdatedAt,
            order: SortOrder::Ascending,
        },
        total: Total::Left,
    };
    let answer = stub.client.list(&filter, request).await.unwrap();
    assert_eq!((answer.events.len(), answer.total_count), (1, Some(30)));
    assert_eq!(
        query(&stub.request().await),
        [
            ("page", "2".to_owned()),
            ("pagesize", "7".to_owned()),
            ("sort", "updated_at".to_owned()),
            ("order", "asc".to_owned()),
            ("count", "none".to_owned()),
            ("status", "unread".to_owned()),
            ("category", r#"["connection"]"#.to_owned()),
            ("action", r#"["ping"]"#.to_owned()),
            ("severity", r#"["error","alert"]"#.to_owned()),
            ("actedUpon", format!(r#"["{id}"]"#)),
            ("ownerKind", "system".to_owned()),
            ("operationId", id.to_string()),
            ("from", "2026-08-01T10:00:00.5Z".to_owned()),
            ("to", "2026-08-02T10:00:00Z".to_owned()),
            ("search", "100 % & é".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    );

    let filter = EventFilter::default();
    let sort = Sort::default();
    let last = &answer.events[0];
    let token = PageToken::after(last.created_at, last.id, &filter, sort);
    let request = PageRequest {
        paging: Paging::After(token),
        ..PageRequest::default()
    };
    stub.client.list(&filter, request).await.unwrap();
    let expected = [
        ("next".to_owned(), token.to_string()),
        ("pagesize".to_owned(), "25".to_owned()),
        ("sort".to_owned(), "created_at".to_owned()),
        ("order".to_owned(), "desc".to_owned()),
    ];
    assert_eq!(query(&stub.request().await), expected);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let client = Client::new(url.parse().unwrap()).unwrap();
    let error = client.get(EventId::mint()).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unreachable { .. }),
        "{error:?}"
    );
    assert!(error.is_temporary());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn other_answers_than_tidings_gives_are_protocol_errors() {
    let stub = Stub::start([
        Answer::json("201 Created", "{}"),
        Answer::json("302 Found", ""),
        Answer::json("204 No Content", ""),
        Answer::json("502 Bad Gateway", "<h1>bad gateway</h1>"),
    ])
    .await;
    for (fault, temporary) in [
        (ProtocolFault::Body, false),
        (ProtocolFault::Status(302), false),
        (ProtocolFault::Status(204), false),
        (ProtocolFault::Status(502), true),
    ] {
        let error = stub.client.publish(event()).await.unwrap_err();
        assert_eq!(fault_of(&error), Some(&fault));
        assert_eq!(error.is_temporary(), temporary, "{error:?}");
    }
}

fn fault_of(error: &ClientError) -> Option<&ProtocolFault> {
    match error.kind() {
        ErrorKind::Protocol { fault, .. } => Some(fault),
        _ => None,
    }
}

/// The query parameters of a request, in order.
fn query(request: &str) -> Vec<(String, String)> {
    let target = request.split(' ').nth(1).unwrap();
    let url = url::Url::parse("http://host")
        .unwrap()
        .join(target)
        .unwrap();
    url.query_pairs().into_owned().collect()
}
