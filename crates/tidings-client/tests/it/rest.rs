//! Tests of publishing, listing and getting events.

use serde_json::json;
use tidings_client::{Client, ClientError, ErrorKind, ProtocolFault};
use tidings_event::{
    ErrorCode, Event, EventFilter, EventId, NewEvent, OwnerId, OwnerKind, PageRequest, PageToken,
    Paging, Receipt, ResourceId, Severity, Sort, SortKey, SortOrder, Status, Total,
};

use crate::stub::{Stub, StubResponse};

fn event() -> Event {
    Event::builder()
        .for_user(OwnerId::mint())
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping")
        .with_severity(Severity::Success)
        .with_description("reached")
        .build()
        .unwrap()
        .into_event()
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
async fn distinguishes_a_new_event_from_a_repeat_by_status() {
    let event = event();
    let mut stub = Stub::start([
        StubResponse::json("201 Created", text(&event)),
        StubResponse::json("200 OK", text(&event)),
    ])
    .await;

    let first = stub.client.publish(event.clone()).await.unwrap();
    assert_eq!((&first.event(), first.repeated), (&event, false));
    let second = stub
        .client
        .publish(NewEvent::from(event.clone()))
        .await
        .unwrap();
    assert_eq!((&second.event(), second.repeated), (&event, true));

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
async fn sends_a_batch_as_an_array_and_checks_the_number_of_receipts() {
    let events = [event(), event()];
    let mut stub = Stub::start([
        StubResponse::json("201 Created", text(&events)),
        StubResponse::json("201 Created", text(&&events[..1])),
    ])
    .await;
    let batch = events.clone().map(NewEvent::from);

    let receipts = stub.client.publish_batch(events.clone()).await.unwrap();
    let stored: Vec<_> = receipts.iter().map(Receipt::event).collect();
    assert_eq!(stored, events);
    assert!(receipts.iter().all(|receipt| !receipt.repeated));
    let request = stub.request().await;
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Vec<NewEvent>>(body).unwrap(), batch);

    let error = stub.client.publish_batch(batch).await.unwrap_err();
    let fault = ProtocolFault::EventCount {
        sent: 2,
        returned: 1,
    };
    assert_eq!(fault_of(&error), Some(&fault));
}

#[tokio::test]
async fn reports_each_event_of_a_partial_batch() {
    let events = [event(), event(), event()];
    let error = serde_json::from_str::<serde_json::Value>(&envelope("invalid_event")).unwrap();
    let warning = json!({"field": "severity", "code": "converted", "message": "m"});
    let body = json!({"results": [
        {"index": 0, "status": 201, "event": events[0], "warnings": [warning]},
        {"index": 1, "status": 400, "error": error},
        {"index": 2, "status": 200, "event": events[2]},
    ], "stored": 1, "repeated": 1, "refused": 1});
    let mut stub = Stub::start([
        StubResponse::json("207 Multi-Status", text(&body)),
        StubResponse::json("207 Multi-Status", text(&body)),
        StubResponse::json("413 Content Too Large", envelope("too_large")),
        StubResponse::json(
            "207 Multi-Status",
            r#"{"results": [{"index": 0, "status": 201}]}"#,
        ),
    ])
    .await;

    let results = stub.client.publish_partial(events.clone()).await.unwrap();
    let [Ok(first), Err(second), Ok(third)] = &results[..] else {
        panic!("{results:?}");
    };
    assert_eq!((first.event(), first.repeated), (events[0].clone(), false));
    assert_eq!(first.warnings[0].field, "severity");
    assert_eq!(second.rejection().unwrap().code, ErrorCode::InvalidEvent);
    assert!(!second.is_temporary());
    assert_eq!((third.id, third.repeated), (events[2].id, true));
    let request = stub.request().await;
    assert!(
        request.starts_with("POST /api/system/events?partial=true HTTP/1.1\r\n"),
        "{request}"
    );

    let results = stub.client.import_partial(events.clone()).await.unwrap();
    assert_eq!(results.len(), 3);
    let request = stub.request().await;
    assert!(
        request.starts_with("POST /api/system/events?import=true&partial=true HTTP/1.1\r\n"),
        "{request}"
    );

    let error = stub
        .client
        .publish_partial(events.clone())
        .await
        .unwrap_err();
    assert_eq!(error.rejection().unwrap().code, ErrorCode::TooLarge);
    let [only, ..] = events;
    let error = stub.client.publish_partial([only]).await.unwrap_err();
    assert_eq!(fault_of(&error), Some(&ProtocolFault::Body));
}

#[tokio::test]
async fn sends_the_headers_of_the_builder_through_a_given_http_client() {
    let mut stub = Stub::start([StubResponse::json(
        "404 Not Found",
        envelope("event_not_found"),
    )])
    .await;
    let http = tidings_client::reqwest::Client::builder()
        .no_proxy()
        .build();
    let name = "x-tenant".parse().unwrap();
    let client = Client::builder(stub.client.server().clone())
        .with_http_client(http.unwrap())
        .with_headers([(name, "a".parse().unwrap())].into_iter().collect())
        .build()
        .unwrap();
    assert_eq!(client.get(EventId::mint()).await.unwrap(), None);
    let request = stub.request().await;
    assert!(request.contains("\r\nx-tenant: a\r\n"), "{request}");
}

#[tokio::test]
async fn sends_requests_through_a_proxy() {
    let mut proxy = Stub::start([StubResponse::json(
        "404 Not Found",
        envelope("event_not_found"),
    )])
    .await;
    let client = Client::builder("http://tidings.invalid".parse().unwrap())
        .with_proxy(proxy.client.server().clone())
        .build()
        .unwrap();
    assert_eq!(client.get(EventId::mint()).await.unwrap(), None);
    let request = proxy.request().await;
    assert!(
        request.starts_with("GET http://tidings.invalid/api/system/events/"),
        "{request}"
    );
}

#[tokio::test]
async fn ends_a_request_at_the_time_limit_of_the_builder() {
    let stub = Stub::start([StubResponse::stream("").held()]).await;
    let client = Client::builder(stub.client.server().clone())
        .with_request_timeout(std::time::Duration::from_millis(50))
        .build()
        .unwrap();
    // The response starts but never ends.
    let error = client.summary().await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}

#[tokio::test]
async fn reports_the_error_body_of_a_rejection() {
    let stub = Stub::start([StubResponse::json(
        "400 Bad Request",
        envelope("invalid_event"),
    )])
    .await;
    let error = stub.client.publish(event()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "rejected with status 400: the event breaks 2 rules"
    );
    assert!(!error.is_temporary());
    let body = error.rejection().unwrap();
    assert_eq!(body.code, ErrorCode::InvalidEvent);
    assert_eq!(
        body.long_description,
        ["category is missing", "action is missing"]
    );
}

#[tokio::test]
async fn returns_none_for_a_missing_event_and_an_error_for_a_missing_route() {
    let stored = event();
    let mut stub = Stub::start([
        StubResponse::json("200 OK", text(&stored)),
        StubResponse::json("404 Not Found", envelope("event_not_found")),
        StubResponse::json("404 Not Found", envelope("route_not_found")),
        StubResponse::json("404 Not Found", "<h1>not found</h1>"),
    ])
    .await;
    let id = EventId::mint();

    assert_eq!(stub.client.get(id).await.unwrap(), Some(stored));
    let path = format!("GET /api/system/events/{id} HTTP/1.1\r\n");
    assert!(stub.request().await.starts_with(&path));

    assert_eq!(stub.client.get(id).await.unwrap(), None);
    let error = stub.client.get(id).await.unwrap_err();
    assert_eq!(error.rejection().unwrap().code, ErrorCode::RouteNotFound);
    let error = stub.client.get(id).await.unwrap_err();
    assert_eq!(fault_of(&error), Some(&ProtocolFault::Status(404)));
}

#[tokio::test]
async fn sends_every_field_of_the_filter() {
    let id = ResourceId::mint();
    let page = json!({"events": [event()], "page": 2, "pageSize": 7, "totalCount": 30,
                      "countBySeverityLevel": [{"severity": "error", "count": 2}],
                      "readCount": 4, "cursor": "3-1-00000000",
                      "systemId": "7b1d2c3e-0000-4000-8000-00000000000b"});
    let mut stub = Stub::start([
        StubResponse::json("200 OK", text(&page)),
        StubResponse::json("200 OK", text(&page)),
    ])
    .await;
    let filter = EventFilter::default()
        .with_status(Status::Unread)
        .with_category(["connection".parse().unwrap()])
        .with_action(["ping".parse().unwrap()])
        .with_severity([Severity::Error, Severity::Alert])
        .with_acted_upon([id])
        .with_owner_kind(OwnerKind::System)
        .with_operation_id(*id.as_uuid())
        .with_from("2026-08-01T10:00:00.5Z".parse().unwrap())
        .with_to("2026-08-02T10:00:00Z".parse().unwrap())
        .with_search("100 % & é");

    let request = PageRequest::default()
        .with_paging(Paging::Number(2))
        .with_size(7)
        .with_sort(Sort {
            key: SortKey::UpdatedAt,
            order: SortOrder::Ascending,
        })
        .with_total(Total::Left);
    let response = stub.client.list(filter.clone(), request).await.unwrap();
    assert_eq!((response.events.len(), response.total_count), (1, Some(30)));
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
    let last = &response.events[0];
    let token = PageToken::after(last.created_at, last.id, &filter, sort);
    let request = PageRequest::default().with_paging(Paging::After(token));
    stub.client.list(filter.clone(), request).await.unwrap();
    let expected = [
        ("next".to_owned(), token.to_string()),
        ("pagesize".to_owned(), "25".to_owned()),
        ("sort".to_owned(), "created_at".to_owned()),
        ("order".to_owned(), "desc".to_owned()),
    ];
    assert_eq!(query(&stub.request().await), expected);
}

#[tokio::test]
async fn reports_a_refused_connection_as_unreachable() {
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
async fn reports_unexpected_responses_as_protocol_errors() {
    let stub = Stub::start([
        StubResponse::json("201 Created", "{}"),
        StubResponse::json("302 Found", ""),
        StubResponse::json("204 No Content", ""),
        StubResponse::json("502 Bad Gateway", "<h1>bad gateway</h1>"),
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
