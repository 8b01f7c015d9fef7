//! Tests of the stream that reconnects and resumes.

use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream as _;

use tidings_client::{ClientError, ErrorKind, ProtocolFault, Received, Subscription};
use tidings_event::{
    Cursor, Deletion, ErrorCode, Event, EventId, EventRef, OwnerKind, ResetReason, ResourceId,
    Severity, Start, Status, StreamItem, Summary,
};

use crate::stub::{Stub, StubResponse};

fn cursor(own: u64) -> Cursor {
    format!("{own}-7-k3f9q2w8").parse().unwrap()
}

fn frame(item: &StreamItem) -> String {
    let name = item
        .name()
        .map_or_else(String::new, |name| format!("event: {name}\n"));
    format!("{name}id: {}\ndata: {}\n\n", item.cursor(), item.data())
}

fn ready(own: u64) -> String {
    frame(&StreamItem::Ready {
        cursor: cursor(own),
        head: cursor(own + 100),
    })
}

/// A frame of a created event whose description is its rev.
fn created(own: u64) -> String {
    let event = Event::builder()
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping")
        .with_severity(Severity::Success)
        .with_description(own.to_string())
        .build()
        .unwrap();
    frame(&StreamItem::Created {
        cursor: cursor(own),
        event: Box::new(event.into_event()),
    })
}

#[tokio::test]
async fn tells_a_users_own_event_and_one_of_the_system_with_its_id_apart() {
    let event: Event = Event::builder()
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping")
        .with_severity(Severity::Success)
        .build()
        .unwrap()
        .into();
    let id = event.id;
    let at = |text: &str| text.parse::<Cursor>().unwrap();
    let created = |cursor| StreamItem::Created {
        cursor,
        event: Box::new(event.clone()),
    };
    let deletion = Deletion::new(vec![id; 2]).with_system_ids(Some(vec![id]));
    let frames = [
        StreamItem::Ready {
            cursor: at("1-7-k3f9q2w8"),
            head: at("1-7-k3f9q2w8"),
        },
        created(at("1-8-k3f9q2w8")),
        created(at("2-8-k3f9q2w8")),
        StreamItem::Deleted {
            cursor: at("4-8-k3f9q2w8"),
            deletion,
        },
    ];
    let frames: String = frames.iter().map(frame).collect();
    let stub = Stub::start([StubResponse::stream(frames).held()]).await;
    let mut follow = follow(&stub, Start::Now);
    let mut kinds = Vec::new();
    let deletion = loop {
        match follow.next().await.unwrap() {
            Received::Item(StreamItem::Deleted { deletion, .. }) => break deletion,
            Received::Item(_) => kinds.push(follow.owner_kind()),
            Received::Disconnected { error, .. } => panic!("{error}"),
        }
    };
    let (user, system) = (OwnerKind::User, OwnerKind::System);
    assert_eq!(kinds, [None, Some(system), Some(user)]);
    let deleted: Vec<_> = deletion.events().collect();
    assert_eq!(deleted, [EventRef::of(system, id), EventRef::of(user, id)]);
}

fn live(own: u64) -> String {
    frame(&StreamItem::Live {
        cursor: cursor(own),
        summary: Summary::default(),
    })
}

fn reset(own: u64) -> String {
    frame(&StreamItem::Reset {
        cursor: cursor(own),
        reason: ResetReason::TooNew,
    })
}

fn envelope(code: &str) -> String {
    format!(r#"{{"error":"no","code":"{code}","severity":"ERROR","longDescription":["why"]}}"#)
}

fn follow(stub: &Stub, start: Start) -> Subscription {
    stub.client
        .subscribe(start)
        .with_retry_base(Duration::from_millis(1))
}

/// The next result in short form: `ready 1`, `created 2`, `live 3`, `reset 4` or `cut`.
async fn next(follow: &mut Subscription) -> String {
    match follow.next().await.unwrap() {
        Received::Item(StreamItem::Created { cursor, event }) => {
            assert_eq!(event.description, cursor.own.to_string());
            format!("created {}", cursor.own)
        }
        Received::Item(item) => format!("{} {}", item.name().unwrap(), item.cursor().own),
        Received::Disconnected { .. } => "cut".to_owned(),
    }
}

async fn expect<const N: usize>(follow: &mut Subscription, expected: [&str; N]) {
    for expected in expected {
        assert_eq!(next(follow).await, expected);
    }
}

/// The error of the next result, which must be a disconnection.
async fn cut(follow: &mut Subscription) -> ClientError {
    match follow.next().await.unwrap() {
        Received::Disconnected { error, .. } => error,
        Received::Item(item) => panic!("{item:?}"),
    }
}

fn fault_of(error: &ClientError) -> Option<&ProtocolFault> {
    match error.kind() {
        ErrorKind::Protocol { fault, .. } => Some(fault),
        _ => None,
    }
}

/// The value of the header `Last-Event-ID`.
fn resumed_at(request: &str) -> Option<&str> {
    request
        .lines()
        .find_map(|line| line.strip_prefix("last-event-id: "))
}

#[tokio::test]
async fn resumes_after_the_last_item_and_drops_duplicates() {
    let mut stub = Stub::start([
        StubResponse::stream(ready(1) + &created(2) + &created(3)),
        StubResponse::stream(ready(3) + &created(2) + &created(3) + &created(4) + &live(4)),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    assert_eq!(follow.cursor(), None);

    expect(&mut follow, ["ready 1", "created 2", "created 3"]).await;
    let error = cut(&mut follow).await;
    assert!(matches!(error.kind(), ErrorKind::StreamEnded { .. }));
    assert_eq!(follow.cursor(), Some(cursor(3)));
    expect(&mut follow, ["ready 3", "created 4", "live 4"]).await;

    let first = stub.request().await;
    assert!(first.starts_with("GET /api/system/events/subscribe HTTP/1.1\r\n"));
    assert!(first.contains("\r\naccept: text/event-stream\r\n"));
    assert_eq!(resumed_at(&first), None);
    assert_eq!(resumed_at(&stub.request().await), Some("3-7-k3f9q2w8"));
}

#[tokio::test]
async fn keeps_a_system_event_with_an_own_rev_already_seen() {
    let of_system = created(2).replace("id: 2-7-", "id: 2-8-");
    let of_other_store = created(2).replace("-k3f9q2w8", "-00000000");
    let stub = Stub::start([StubResponse::stream(
        created(2) + &of_system + &of_system + &of_other_store,
    )])
    .await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["created 2", "created 2", "created 2", "cut"]).await;
    assert_eq!(follow.cursor(), "2-7-00000000".parse().ok());
}

#[tokio::test]
async fn receives_a_torn_frame_again_after_resuming() {
    let (whole, torn) = (created(2), created(3));
    let (kept, lost) = whole.split_at(whole.len() / 2);
    let mut stub = Stub::start([
        StubResponse::torn_stream(&[&ready(1), kept, lost, &torn[..torn.len() - 1]]),
        StubResponse::stream(ready(2) + &torn),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1", "created 2"]).await;
    let error = cut(&mut follow).await;
    assert!(matches!(error.kind(), ErrorKind::Unreachable { .. }));
    expect(&mut follow, ["ready 2", "created 3"]).await;
    stub.request().await;
    assert_eq!(resumed_at(&stub.request().await), Some("2-7-k3f9q2w8"));
}

#[tokio::test]
async fn keeps_the_requested_start_until_the_server_sends_ready() {
    for (start, query, header) in [
        (Start::Now, "", None),
        (Start::Earliest, "?lastEventId=earliest", None),
        (Start::Malformed, "?lastEventId=malformed", None),
        (Start::After(cursor(5)), "", Some("5-7-k3f9q2w8")),
    ] {
        let mut stub = Stub::start([
            StubResponse::stream(": keepalive\n\n"),
            StubResponse::stream(ready(9)),
            StubResponse::stream(live(9)),
        ])
        .await;
        let mut follow = follow(&stub, start);
        expect(&mut follow, ["cut", "ready 9", "cut", "live 9"]).await;
        for _ in 0..2 {
            let request = stub.request().await;
            let target = format!("GET /api/system/events/subscribe{query} HTTP/1.1\r\n");
            assert!(request.starts_with(&target), "{start:?}: {request}");
            assert_eq!(resumed_at(&request), header);
        }
        assert_eq!(resumed_at(&stub.request().await), Some("9-7-k3f9q2w8"));
    }
}

#[tokio::test]
async fn retries_after_a_temporary_rejection() {
    let stub = Stub::start([
        StubResponse::json("503 Service Unavailable", envelope("shutting_down")),
        StubResponse::json("502 Bad Gateway", "<h1>bad gateway</h1>"),
        StubResponse::json("429 Too Many Requests", "slower"),
        StubResponse::stream(ready(1)),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    let error = cut(&mut follow).await;
    assert_eq!(error.rejection().unwrap().code, ErrorCode::ShuttingDown);
    expect(&mut follow, ["cut", "cut", "ready 1"]).await;
}

#[tokio::test]
async fn ends_with_the_error_body_of_a_permanent_rejection() {
    let stub = Stub::start([
        StubResponse::json("403 Forbidden", envelope("foreign_host")),
        StubResponse::stream(ready(1)),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    let error = follow.next().await.unwrap_err();
    let body = error.rejection().unwrap();
    assert_eq!(body.code, ErrorCode::ForeignHost);
    assert_eq!(body.long_description, ["why"]);
    // The caller can continue with the same stream after fixing the cause.
    expect(&mut follow, ["ready 1"]).await;
}

#[tokio::test]
async fn ends_at_a_response_that_is_not_a_stream() {
    let stub = Stub::start([
        StubResponse::json("200 OK", "{}"),
        StubResponse::json("302 Found", ""),
        StubResponse::json("404 Not Found", "<h1>not found</h1>"),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    for fault in [
        ProtocolFault::NotAStream,
        ProtocolFault::Status(302),
        ProtocolFault::Status(404),
    ] {
        let error = follow.next().await.unwrap_err();
        assert_eq!(fault_of(&error), Some(&fault));
    }
}

#[tokio::test]
async fn adopts_the_cursor_of_a_reset_even_if_it_is_lower() {
    let mut stub = Stub::start([
        StubResponse::stream(reset(3) + &live(3) + &created(4)),
        StubResponse::stream(ready(4)),
    ])
    .await;
    let mut follow = follow(&stub, Start::After(cursor(50)));
    expect(&mut follow, ["reset 3"]).await;
    assert_eq!(follow.cursor(), Some(cursor(3)));
    expect(&mut follow, ["live 3", "created 4", "cut", "ready 4"]).await;
    assert_eq!(resumed_at(&stub.request().await), Some("50-7-k3f9q2w8"));
    assert_eq!(resumed_at(&stub.request().await), Some("4-7-k3f9q2w8"));
}

#[tokio::test]
async fn reconnects_a_silent_stream() {
    let mut stub = Stub::start([
        StubResponse::stream(ready(1)).held(),
        StubResponse::stream(ready(1)).held(),
    ])
    .await;
    let limit = Duration::from_millis(40);
    let mut follow = follow(&stub, Start::Now).with_silence_limit(limit);
    expect(&mut follow, ["ready 1"]).await;
    let error = cut(&mut follow).await;
    let server = stub.client.server().clone();
    assert_eq!(error.kind(), &ErrorKind::StreamSilent { server, limit });
    expect(&mut follow, ["ready 1"]).await;
    stub.request().await;
    assert_eq!(resumed_at(&stub.request().await), Some("1-7-k3f9q2w8"));
}

#[tokio::test]
async fn skips_an_unknown_kind_of_frame_and_advances_the_cursor() {
    let unknown = "event: of_a_newer_server\nid: 2-7-k3f9q2w8\ndata: {\"ids\":[]}\n\n";
    let stub = Stub::start([StubResponse::stream(ready(1) + unknown + &created(3))]).await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1", "created 3"]).await;

    let stub = Stub::start([StubResponse::stream(ready(1) + unknown)]).await;
    let mut follow = self::follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1", "cut"]).await;
    assert_eq!(follow.cursor(), Some(cursor(2)));
}

#[tokio::test]
async fn reports_repeated_changes() {
    let id = EventId::mint();
    let status = format!(
        "event: status\nid: 2-7-k3f9q2w8\ndata: {{\"ids\":[\"{id}\"],\"status\":\"read\",\
         \"updatedAt\":\"2026-08-01T10:00:00Z\",\"unread\":{{\"error\":-1}},\"read\":{{\"error\":1}}}}\n\n"
    );
    let deleted = format!("event: deleted\nid: 9-7-k3f9q2w8\ndata: {{\"ids\":[\"{id}\"]}}\n\n");
    let stub = Stub::start([
        StubResponse::stream(ready(1) + &live(1) + &status + &deleted),
        StubResponse::stream(ready(9) + &deleted + &created(10)),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1", "live 1"]).await;
    match follow.next().await.unwrap() {
        Received::Item(StreamItem::Status { change, .. }) => {
            assert_eq!((change.ids, change.status), (vec![id], Status::Read));
            let counts = change.counts.unwrap();
            assert_eq!(counts.unread[&Severity::Error], -1);
        }
        other => panic!("{other:?}"),
    }
    match follow.next().await.unwrap() {
        Received::Item(StreamItem::Deleted { deletion, .. }) => {
            assert_eq!((deletion.ids, deletion.counts), (vec![id], None));
        }
        other => panic!("{other:?}"),
    }
    expect(&mut follow, ["cut", "ready 9", "deleted 9", "created 10"]).await;
}

#[tokio::test]
async fn reports_a_second_ready_without_moving_the_cursor() {
    let stub = Stub::start([StubResponse::stream(
        ready(1) + &live(1) + &created(2) + &ready(2) + &created(3) + &live(3),
    )])
    .await;
    let mut follow = follow(&stub, Start::Now);
    let expected = [
        "ready 1",
        "live 1",
        "created 2",
        "ready 2",
        "created 3",
        "live 3",
    ];
    expect(&mut follow, expected).await;
}

#[tokio::test]
async fn retries_an_unreadable_frame_once() {
    let nonsense = "id: 2-7-k3f9q2w8\ndata: {\"nonsense\":true}\n\n";
    let stub = Stub::start([
        StubResponse::stream(ready(1) + nonsense),
        StubResponse::stream(ready(1) + &created(2) + "id: x\ndata: {}\n\n"),
        StubResponse::stream(ready(2) + "id: x\ndata: {}\n\n"),
    ])
    .await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1"]).await;
    let error = cut(&mut follow).await;
    assert_eq!(fault_of(&error), Some(&ProtocolFault::FrameData));
    expect(&mut follow, ["ready 1", "created 2"]).await;
    let error = cut(&mut follow).await;
    assert_eq!(fault_of(&error), Some(&ProtocolFault::FrameId));
    expect(&mut follow, ["ready 2"]).await;
    let error = follow.next().await.unwrap_err();
    assert_eq!(fault_of(&error), Some(&ProtocolFault::FrameId));
}

#[tokio::test]
async fn waits_as_long_as_the_server_requests() {
    let stub = Stub::start([StubResponse::stream(
        "retry: 290000\n\n".to_owned() + &ready(1),
    )])
    .await;
    let mut follow = follow(&stub, Start::Now);
    expect(&mut follow, ["ready 1"]).await;
    match follow.next().await.unwrap() {
        // Without `retry` the wait is at most 1 ms. With it, 1 in 290,000 random waits is that short.
        Received::Disconnected { retry_in, .. } => assert!(retry_in > Duration::from_millis(1)),
        Received::Item(item) => panic!("{item:?}"),
    }
}

/// Polls `follow` as a stream, which drops the future of `next` at every poll.
async fn poll(follow: &mut Subscription) -> Option<Result<Received, ClientError>> {
    std::future::poll_fn(|context| Pin::new(&mut *follow).poll_next(context)).await
}

#[tokio::test]
async fn wakes_the_task_of_a_stream_after_timers() {
    let stub = Stub::start([
        StubResponse::stream(ready(1)).held(),
        StubResponse::stream(ready(1) + &created(2)),
    ])
    .await;
    let limit = Duration::from_millis(20);
    let mut follow = follow(&stub, Start::Now).with_silence_limit(limit);
    let mut items = Vec::new();
    for _ in 0..4 {
        // Two timers: the silence of the first connection, and the wait before the second.
        items.push(
            match poll(&mut follow)
                .await
                .expect("the stream never ends")
                .unwrap()
            {
                Received::Item(item) => item.name().unwrap_or("created"),
                Received::Disconnected { .. } => "cut",
            },
        );
    }
    assert_eq!(items, ["ready", "cut", "ready", "created"]);
}

#[tokio::test]
async fn loses_nothing_if_next_is_dropped_at_any_point() {
    let all: String = (2..200).map(created).collect();
    let chunks: Vec<_> = all
        .as_bytes()
        .chunks(700)
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect();
    let stub = Stub::start([StubResponse::torn_stream(&chunks).held()]).await;
    let mut follow = follow(&stub, Start::Now);
    let mut came = Vec::new();
    while came.len() < 198 {
        tokio::select! {
            biased;
            item = next(&mut follow) => came.push(item),
            // Ready at the second poll, so `next` is dropped whenever it waits.
            () = tokio::task::yield_now() => {}
        }
    }
    let expected: Vec<_> = (2..200).map(|own| format!("created {own}")).collect();
    assert_eq!(came, expected);
}
