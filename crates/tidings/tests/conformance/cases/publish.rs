//! The promises of publishing to the publisher.

use std::task::{Context, Waker};

use tidings::{EventFilter, PageRequest, PublishError, Start, StreamItem, Tidings};
use tidings_event::{Event, EventPage, Rev, Severity};

use super::{builder, built, event};
use crate::model::user;
use crate::reader::{STUCK, next};
use crate::seeds::seeds;
use crate::test_dir::TestDir;

async fn listed(tidings: &Tidings, number: u8) -> EventPage {
    tidings
        .list(user(number), EventFilter::default(), PageRequest::default())
        .await
        .expect("the store can be read")
}

pub(crate) async fn a_repeat_returns_the_first_receipt(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(Some(user(0)), 1);
    let first = tidings.publish(sent.clone()).await.expect("it is stored");
    assert!(!first.repeated);
    assert_eq!(first.rev, Some(Rev::new(1)));
    tidings.close().await;

    let tidings = dir.open().await;
    let again = tidings
        .publish(sent.clone())
        .await
        .expect("a repeat is no error");
    assert!(again.repeated);
    assert_eq!(
        (again.event(), again.json(), again.rev),
        (first.event(), first.json(), first.rev)
    );
    // The second copy within one request is a repeat, too.
    let other = event(Some(user(0)), 2);
    let receipts = tidings
        .publish_batch(vec![other.clone(), other])
        .await
        .expect("it is stored");
    assert_eq!(
        receipts.iter().map(|one| one.repeated).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(receipts[0].rev, receipts[1].rev);
    assert_eq!(listed(&tidings, 0).await.total_count, Some(2));
    tidings.close().await;
}

pub(crate) async fn an_id_with_other_content_is_a_conflict(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(Some(user(0)), 1);
    tidings.publish(sent.clone()).await.expect("it is stored");

    let mut other_text = sent.clone();
    other_text.description = "another".into();
    let mut other_time = sent.clone();
    other_time.created_at += std::time::Duration::from_nanos(1);
    for other in [other_text, other_time] {
        let rejected = tidings.publish(other).await;
        assert!(
            matches!(rejected, Err(PublishError::Conflict { index: 0, id }) if id == sent.id),
            "{rejected:?}"
        );
    }
    assert_eq!(
        listed(&tidings, 0).await.events,
        [sent_as_stored(&tidings, &sent)]
    );
    tidings.close().await;
}

fn sent_as_stored(tidings: &Tidings, sent: &tidings::Event) -> tidings::Event {
    let mut stored = sent.clone();
    stored.system_id = tidings.system_id();
    stored
}

pub(crate) async fn a_batch_is_stored_whole_or_not_at_all(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let known = event(Some(user(1)), 1);
    tidings.publish(known.clone()).await.expect("it is stored");

    let mut conflicting = known;
    conflicting.description.clear();
    let batch = vec![
        event(Some(user(0)), 2),
        event(None, 3),
        conflicting,
        event(Some(user(0)), 4),
    ];
    let rejected = tidings.publish_batch(batch).await;
    assert!(
        matches!(rejected, Err(PublishError::Conflict { index: 2, .. })),
        "{rejected:?}"
    );

    let mut invalid = event(Some(user(0)), 5);
    // An error event must have a cause.
    invalid.severity = Severity::Error;
    let rejected = tidings
        .publish_batch(vec![event(Some(user(0)), 6), invalid])
        .await;
    match rejected {
        Err(PublishError::Invalid(violations)) => {
            let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(fields, ["[1].metadata.error"]);
        }
        other => panic!("{other:?}"),
    }

    // The rejected requests left no event in the list and no gap in the revs.
    assert_eq!(listed(&tidings, 0).await.total_count, Some(0));
    let stored = tidings
        .publish(event(Some(user(0)), 7))
        .await
        .expect("it is stored");
    assert_eq!(stored.rev, Some(Rev::new(1)));
    assert!(matches!(next(&mut reader).await, StreamItem::Ready { .. }));
    assert!(matches!(next(&mut reader).await, StreamItem::Live { .. }));
    match next(&mut reader).await {
        StreamItem::Created { event, .. } => assert_eq!(event.description, "event 7"),
        other => panic!("{other:?}"),
    }
    tidings.close().await;
}

pub(crate) async fn an_event_survives_its_caller(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let sent = event(Some(user(0)), 1);
    // The first poll queues the request. The caller then drops its future.
    let mut publish = Box::pin(tidings.publish(sent.clone()));
    let polled = publish
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(publish);

    loop {
        if let StreamItem::Created { event, .. } = next(&mut reader).await {
            assert_eq!(event.id, sent.id);
            break;
        }
    }
    assert!(
        tidings
            .get(user(0), sent.id)
            .await
            .expect("the store can be read")
            .is_some()
    );
    tidings.close().await;
}

pub(crate) async fn close_commits_accepted_requests(dir: TestDir) {
    let tidings = dir.open().await;
    let mut taken = Vec::new();
    for number in 0..50 {
        let mut publish = Box::pin(tidings.publish(event(Some(user(0)), number)));
        let polled = publish
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        taken.push(publish);
    }
    tidings.close().await;
    for (publish, rev) in taken.into_iter().zip(1..) {
        let receipt = publish.await.expect("it was committed");
        assert_eq!(receipt.rev, Some(Rev::new(rev)));
    }

    let tidings = dir.open().await;
    assert_eq!(listed(&tidings, 0).await.total_count, Some(50));
    tidings.close().await;
}

pub(crate) async fn too_large_events_and_batches_are_rejected(dir: TestDir) {
    let mut config = dir.config();
    config.limits.event_bytes = 2_000;
    config.limits.batch_events = 3;
    config.limits.batch_bytes = 3_500;
    let tidings = Tidings::open(config).await.expect("an engine opens");

    let large = |bytes| built(builder(Some(user(0))).with_description("x".repeat(bytes)));
    let rejected = tidings.publish(large(2_000)).await;
    assert!(
        matches!(
            rejected,
            Err(PublishError::TooLarge {
                index: 0,
                bytes: 2_001..,
                limit: 2_000
            })
        ),
        "{rejected:?}"
    );
    let rejected = tidings.publish_batch(vec![large(1_400); 3]).await;
    assert!(
        matches!(
            rejected,
            Err(PublishError::BatchTooLarge {
                bytes: 3_501..,
                limit: 3_500
            })
        ),
        "{rejected:?}"
    );
    let rejected = tidings
        .publish_batch((0..4).map(|n| event(None, n)).collect())
        .await;
    assert!(
        matches!(
            rejected,
            Err(PublishError::TooManyEvents {
                events: 4,
                limit: 3
            })
        ),
        "{rejected:?}"
    );
    assert!(
        tidings
            .publish_batch(Vec::<Event>::new())
            .await
            .expect("nothing to do")
            .is_empty()
    );
    assert_eq!(listed(&tidings, 0).await.total_count, Some(0));
    tidings.close().await;
}

pub(crate) async fn requests_after_close_are_rejected(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let clone = tidings.clone();
    tidings.close().await;
    assert!(matches!(
        clone.publish(event(None, 1)).await,
        Err(PublishError::Closed)
    ));
    assert!(clone.check().await.is_err());
    while reader.next().await.expect("the end is no error").is_some() {}
    // A second close is harmless.
    clone.close().await;
}

/// When a publisher has its receipt, the subscribers have the event.
pub(crate) async fn events_are_delivered_before_they_are_acknowledged(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    assert!(matches!(next(&mut reader).await, StreamItem::Ready { .. }));
    assert!(matches!(next(&mut reader).await, StreamItem::Live { .. }));
    for number in 0..200 {
        let receipt = tidings
            .publish(event(Some(user(0)), number))
            .await
            .expect("it is stored");
        let polled = std::pin::pin!(reader.next()).poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            std::task::Poll::Ready(Ok(Some(StreamItem::Created { cursor, event }))) => {
                assert_eq!((Some(cursor.own), event.id), (receipt.rev, receipt.id));
            }
            other => panic!("not there yet: {other:?}"),
        }
    }
    tidings.close().await;
}

/// Each of several concurrent calls returns after all accepted requests are committed.
pub(crate) async fn every_concurrent_close_waits_for_the_end(dir: TestDir) {
    let tidings = dir.open().await;
    let mut taken = Vec::new();
    for number in 0..200 {
        let mut publish = Box::pin(tidings.publish(event(Some(user(0)), number)));
        let polled = publish
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        taken.push(publish);
    }
    // One call is dropped at once, and two run together.
    let mut given_up = Box::pin(tidings.close());
    assert!(
        given_up
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(given_up);
    let both = async { tokio::join!(tidings.close(), tidings.close()) };
    tokio::time::timeout(STUCK, both).await.expect("they end");
    // Tokio limits the work of one poll of a task, so the later requests were not queued.
    let mut stored = 0;
    for publish in taken {
        match publish.await {
            Ok(_) => stored += 1,
            Err(PublishError::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(stored >= 50, "{stored}");
    let tidings = dir.open().await;
    assert_eq!(listed(&tidings, 0).await.total_count, Some(stored));
    tidings.close().await;
}

/// Without a handle, no more events can come.
pub(crate) async fn subscriptions_end_with_the_last_handle(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("it is stored");
    drop(tidings);
    let mut created = 0;
    let reads = async {
        while let Some(item) = reader.next().await.expect("the end is no error") {
            created += usize::from(matches!(item, StreamItem::Created { .. }));
        }
    };
    tokio::time::timeout(STUCK, reads).await.expect("it ends");
    assert_eq!(created, 1);
    // The directory is unlocked when the subscription is dropped, too.
    drop(reader);
    tokio::time::timeout(STUCK, async {
        while Tidings::open(dir.config()).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it is unlocked");
}

/// Receipts, single events and repeats have the numbers as they were sent.
pub(crate) async fn numbers_come_back_as_they_were_sent(dir: TestDir) {
    let tidings = dir.open().await;
    for seed in seeds("numbers", 1) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut numbers: Vec<f64> = (0..2000).map(|_| f64::from_bits(rng.u64(..))).collect();
        numbers.extend((0..700).map(|_| rng.f64() * 360.0 - 180.0));
        numbers.retain(|number| number.is_finite());
        check_numbers(&tidings, &numbers).await;
    }
    tidings.close().await;
}

async fn check_numbers(tidings: &Tidings, numbers: &[f64]) {
    let metadata = serde_json::json!({
        "floats": numbers,
        "edges": [u64::MAX, i64::MIN, 0, -0.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1],
    });
    let metadata = metadata.as_object().expect("it is an object").clone();
    let sent = built(builder(Some(user(0))).with_metadata(metadata));
    let receipt = tidings.publish(sent.clone()).await.expect("it is stored");
    assert_eq!(receipt.event().metadata, sent.metadata);
    let read = tidings.get(user(0), sent.id).await.expect("readable");
    let read = read.expect("it exists");
    let json = serde_json::to_vec(&read).expect("it can be encoded");
    assert_eq!(json, receipt.json().to_vec());
    let repeat = tidings.publish(read).await.expect("a repeat is no error");
    assert!(repeat.repeated);
    assert_eq!(repeat.json(), receipt.json());
}

/// A program that shuts down ends its streams first, and still stores its own events.
pub(crate) async fn subscriptions_can_end_while_publishing_continues(dir: TestDir) {
    let tidings = dir.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("it is stored");
    tidings.end_subscriptions();
    let mut created = 0;
    while let Some(item) = reader.next().await.expect("the end is no error") {
        created += usize::from(matches!(item, StreamItem::Created { .. }));
    }
    assert_eq!(created, 1, "what was delivered is handed over");
    tidings
        .publish(event(Some(user(0)), 2))
        .await
        .expect("it is stored");
    let mut later = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let ends = async { while later.next().await.expect("the end is no error").is_some() {} };
    tokio::time::timeout(STUCK, ends).await.expect("it ends");
    tidings.close().await;
}
