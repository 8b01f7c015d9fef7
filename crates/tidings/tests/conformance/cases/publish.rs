//! What publish promises to the one who publishes.

use std::task::{Context, Waker};

use tidings::{EventFilter, PageRequest, PublishError, Start, StreamItem, Tidings};
use tidings_event::{EventPage, Rev, Severity};

use super::{builder, built, event};
use crate::model::user;
use crate::place::Place;
use crate::reader::{STUCK, next};

async fn listed(tidings: &Tidings, number: u8) -> EventPage {
    tidings
        .list(user(number), EventFilter::default(), PageRequest::default())
        .await
        .expect("the store can be read")
}

pub(crate) async fn the_first_receipt_is_given_again_for_a_repeat(place: Place) {
    let tidings = place.open().await;
    let sent = event(Some(user(0)), 1);
    let first = tidings.publish(sent.clone()).await.expect("it is stored");
    assert!(!first.repeated);
    assert_eq!(first.rev, Some(Rev::new(1)));
    tidings.close().await;

    let tidings = place.open().await;
    let again = tidings
        .publish(sent.clone())
        .await
        .expect("a repeat is no error");
    assert!(again.repeated);
    assert_eq!(
        (again.event(), again.json(), again.rev),
        (first.event(), first.json(), first.rev)
    );
    // Twice in one request is a repeat too.
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

pub(crate) async fn an_id_with_other_content_is_a_conflict(place: Place) {
    let tidings = place.open().await;
    let sent = event(Some(user(0)), 1);
    tidings.publish(sent.clone()).await.expect("it is stored");

    let mut other_text = sent.clone();
    other_text.description = "another".into();
    let mut other_time = sent.clone();
    other_time.created_at += std::time::Duration::from_nanos(1);
    for other in [other_text, other_time] {
        let refused = tidings.publish(other).await;
        assert!(
            matches!(refused, Err(PublishError::Conflict { index: 0, id }) if id == sent.id),
            "{refused:?}"
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

pub(crate) async fn a_batch_is_stored_whole_or_not_at_all(place: Place) {
    let tidings = place.open().await;
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
    let refused = tidings.publish_batch(batch).await;
    assert!(
        matches!(refused, Err(PublishError::Conflict { index: 2, .. })),
        "{refused:?}"
    );

    let mut invalid = event(Some(user(0)), 5);
    // An error event without a cause.
    invalid.severity = Severity::Error;
    let refused = tidings
        .publish_batch(vec![event(Some(user(0)), 6), invalid])
        .await;
    match refused {
        Err(PublishError::Invalid(violations)) => {
            let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(fields, ["[1].metadata.error"]);
        }
        other => panic!("{other:?}"),
    }

    // Nothing of them is there, neither in the list nor as a hole in the revs.
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

pub(crate) async fn an_event_survives_its_caller(place: Place) {
    let tidings = place.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let sent = event(Some(user(0)), 1);
    // The caller hangs up as soon as its request is taken, which is the first time it is polled.
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

pub(crate) async fn what_was_accepted_is_committed_by_close(place: Place) {
    let tidings = place.open().await;
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

    let tidings = place.open().await;
    assert_eq!(listed(&tidings, 0).await.total_count, Some(50));
    tidings.close().await;
}

pub(crate) async fn too_large_events_and_batches_are_refused(place: Place) {
    let mut config = place.config();
    config.limits.event_bytes = 2_000;
    config.limits.batch_events = 3;
    config.limits.batch_bytes = 3_500;
    let tidings = Tidings::open(config).await.expect("an engine opens");

    let large = |bytes| built(builder(Some(user(0))).with_description("x".repeat(bytes)));
    let refused = tidings.publish(large(2_000)).await;
    assert!(
        matches!(
            refused,
            Err(PublishError::TooLarge {
                index: 0,
                bytes: 2_001..,
                limit: 2_000
            })
        ),
        "{refused:?}"
    );
    let refused = tidings.publish_batch(vec![large(1_400); 3]).await;
    assert!(
        matches!(
            refused,
            Err(PublishError::BatchTooLarge {
                bytes: 3_501..,
                limit: 3_500
            })
        ),
        "{refused:?}"
    );
    let refused = tidings
        .publish_batch((0..4).map(|n| event(None, n)).collect())
        .await;
    assert!(
        matches!(
            refused,
            Err(PublishError::TooManyEvents {
                events: 4,
                limit: 3
            })
        ),
        "{refused:?}"
    );
    assert!(
        tidings
            .publish_batch(Vec::new())
            .await
            .expect("nothing to do")
            .is_empty()
    );
    assert_eq!(listed(&tidings, 0).await.total_count, Some(0));
    tidings.close().await;
}

pub(crate) async fn nothing_is_taken_after_close(place: Place) {
    let tidings = place.open().await;
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

/// Whoever has a receipt can rely on it: the subscribers need not wait for anything else.
pub(crate) async fn what_is_acknowledged_is_already_delivered(place: Place) {
    let tidings = place.open().await;
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

/// Whoever closes waits until all that was accepted is committed, also beside another.
pub(crate) async fn every_close_waits_for_the_end(place: Place) {
    let tidings = place.open().await;
    let mut taken = Vec::new();
    for number in 0..200 {
        let mut publish = Box::pin(tidings.publish(event(Some(user(0)), number)));
        let polled = publish
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        taken.push(publish);
    }
    // One that gives up at once, and two together.
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
    // Tokio lets one poll of a task do only so much: the later requests were not taken.
    let mut stored = 0;
    for publish in taken {
        match publish.await {
            Ok(_) => stored += 1,
            Err(PublishError::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(stored >= 50, "{stored}");
    let tidings = place.open().await;
    assert_eq!(listed(&tidings, 0).await.total_count, Some(stored));
    tidings.close().await;
}

/// The last handle is gone: nobody will publish any more.
pub(crate) async fn subscriptions_end_with_the_last_handle(place: Place) {
    let tidings = place.open().await;
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
    // The directory is free again when the subscription is gone too.
    drop(reader);
    tokio::time::timeout(STUCK, async {
        while Tidings::open(place.config()).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it is unlocked");
}

/// Live, listed, replayed and repeated: the same text.
pub(crate) async fn numbers_come_back_as_they_were_sent(place: Place) {
    let tidings = place.open().await;
    let mut numbers: Vec<f64> = (0..2000)
        .map(|_| f64::from_bits(fastrand::u64(..)))
        .collect();
    numbers.extend((0..700).map(|_| fastrand::f64() * 360.0 - 180.0));
    numbers.retain(|number| number.is_finite());
    let metadata = serde_json::json!({
        "floats": numbers,
        "edges": [u64::MAX, i64::MIN, 0, -0.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1],
    });
    let sent = built(
        builder(Some(user(0)))
            .with_metadata(metadata.as_object().expect("it is an object").clone()),
    );
    let receipt = tidings.publish(sent.clone()).await.expect("it is stored");
    assert_eq!(receipt.event().metadata, sent.metadata);
    let read = tidings
        .get(user(0), sent.id)
        .await
        .expect("readable")
        .expect("it is there");
    assert_eq!(
        serde_json::to_vec(&read).expect("it can be encoded"),
        receipt.json().to_vec()
    );
    let repeat = tidings.publish(read).await.expect("a repeat is no error");
    assert!(repeat.repeated);
    assert_eq!(repeat.json(), receipt.json());
    tidings.close().await;
}

/// A program that shuts down lets its streams go first; its own work goes on being stored.
pub(crate) async fn subscriptions_can_be_ended_while_publishing_goes_on(place: Place) {
    let tidings = place.open().await;
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
