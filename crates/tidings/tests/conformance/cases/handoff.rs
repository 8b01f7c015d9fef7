//! From replay to live, while others publish.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tidings::{Start, StreamItem, Tidings};
use tidings_event::{OwnerId, Rev};
use tokio::task::JoinSet;

use super::event;
use crate::model::{Model, user};
use crate::place::Place;
use crate::reader::{Reader, STUCK, Shown, next};

/// Publishers that run beside each other, and what each sends.
const PUBLISHERS: u64 = 4;
const REQUESTS: u64 = 150;

/// Readers that come and go at random while they publish.
const READERS: u8 = 6;

pub(crate) async fn every_reader_sees_each_rev_once_while_others_publish(place: Place) {
    come_and_go(place.open().await).await;
}

/// A window of a few events: readers fall behind it all the time.
pub(crate) async fn every_reader_sees_each_rev_once_though_the_window_is_small(place: Place) {
    let mut config = place.config();
    config.window_bytes = 3_000;
    come_and_go(Tidings::open(config).await.expect("an engine opens")).await;
}

async fn come_and_go(tidings: Tidings) {
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let receipts = Arc::new(Mutex::new(Vec::new()));
    let over = Arc::new(AtomicBool::new(false));

    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (tidings, receipts) = (tidings.clone(), Arc::clone(&receipts));
        publishers.spawn(async move {
            for request in 0..REQUESTS {
                let owners = [Some(user(0)), Some(user(1)), None];
                let many = fastrand::usize(1..8);
                let batch = (0..many)
                    .map(|_| event(owners[fastrand::usize(..3)], publisher * REQUESTS + request));
                let got = tidings
                    .publish_batch(batch.collect())
                    .await
                    .expect("it is stored");
                receipts.lock().expect("no panic").extend(got);
            }
        });
    }

    let mut readers = JoinSet::new();
    for number in 0..READERS {
        let (tidings, over) = (tidings.clone(), Arc::clone(&over));
        readers.spawn(async move {
            let mut reader = Reader::new(user(number % 2), &tidings);
            let mut seen = Vec::new();
            while !over.load(Ordering::Acquire) {
                reader.come_back(&tidings).await;
                for _ in 0..fastrand::usize(1..400) {
                    // Whether more will come is not known; so give up waiting when all is over.
                    match tokio::time::timeout(std::time::Duration::from_millis(20), reader.step())
                        .await
                    {
                        Ok(Shown::Created { owner, rev, event }) => seen.push((owner, rev, event)),
                        Ok(Shown::Live { .. }) => {}
                        Err(_) => break,
                    }
                }
                reader.cut();
            }
            (reader, seen)
        });
    }

    while let Some(done) = publishers.join_next().await {
        done.expect("no publisher panics");
    }
    over.store(true, Ordering::Release);
    let mut receipts = std::mem::take(&mut *receipts.lock().expect("no panic"));
    receipts.sort_by_key(|receipt| receipt.rev);
    let mut model = Model::default();
    model.accept(receipts);

    while let Some(done) = readers.join_next().await {
        let (mut reader, mut seen) = done.expect("no reader panics");
        reader.come_back(&tidings).await;
        while !reader.has_seen_all(&model) {
            if let Shown::Created { owner, rev, event } = reader.step().await {
                seen.push((owner, rev, event));
            }
        }
        // The reader has checked that each rev follows the one before; so only the content is left.
        assert!(!seen.is_empty() && model.head(system) > Rev::ZERO);
        for (owner, rev, event) in seen {
            assert_eq!(Some(&*event), model.event(owner, rev));
        }
    }
    tidings.close().await;
}

/// More than any window holds.
const MANY: u64 = 100_000;

pub(crate) async fn a_reader_that_reads_nothing_holds_up_nobody_and_then_gets_all(place: Place) {
    let tidings = place.open().await;
    let mut lazy = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let mut numbers = 0..MANY;
    loop {
        let batch: Vec<_> = numbers
            .by_ref()
            .take(1000)
            .map(|number| event(Some(user(0)), number))
            .collect();
        if batch.is_empty() {
            break;
        }
        let publish = tidings.publish_batch(batch);
        tokio::time::timeout(STUCK, publish)
            .await
            .expect("nobody waits")
            .expect("it is stored");
    }
    assert!(matches!(next(&mut lazy).await, StreamItem::Ready { .. }));
    assert!(matches!(next(&mut lazy).await, StreamItem::Live { .. }));
    for number in 0..MANY {
        match next(&mut lazy).await {
            StreamItem::Created { cursor, event } => {
                assert_eq!(cursor.own, Rev::new(number + 1));
                assert_eq!(event.description, format!("event {number}"));
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    tidings.close().await;
}

/// Dropping a future that waits for the next item must not lose one.
pub(crate) async fn a_reader_that_is_dropped_leaves_nothing_behind(place: Place) {
    let tidings = place.open().await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("the store can be read");
    let mut expected = Rev::ZERO;
    let mut seen = Rev::ZERO;
    for number in 0..300 {
        let receipt = tidings
            .publish(event(Some(user(0)), number))
            .await
            .expect("it is stored");
        expected = receipt.rev;
        for _ in 0..3 {
            // Polled once and dropped.
            let item = tokio::select! {
                biased;
                item = reader.next() => item.expect("the store can be read"),
                () = std::future::ready(()) => None,
            };
            if let Some(StreamItem::Created { cursor, .. }) = item {
                assert_eq!(cursor.own, seen.next());
                seen = cursor.own;
            }
        }
    }
    while seen < expected {
        if let StreamItem::Created { cursor, .. } = next(&mut reader).await {
            assert_eq!(cursor.own, seen.next());
            seen = cursor.own;
        }
    }
    tidings.close().await;
}

/// Commits that fall at any moment of a subscription's beginning. Nothing is published afterwards,
/// so what slipped between replay and window would never come.
const ARRIVALS: u64 = 1500;

pub(crate) async fn an_event_that_arrives_with_its_reader_is_seen(place: Place) {
    let tidings = place.open().await;
    for number in 0..ARRIVALS {
        let owner = OwnerId::mint();
        let engine = tidings.clone();
        let publisher =
            tokio::spawn(async move { engine.publish(event(Some(owner), number)).await });
        for _ in 0..fastrand::u32(..300) {
            tokio::task::yield_now().await;
        }
        let mut reader = tidings
            .subscribe(owner, Start::Earliest)
            .await
            .expect("readable");
        let receipt = publisher.await.expect("no panic").expect("it is stored");
        loop {
            if let StreamItem::Created { event, .. } = next(&mut reader).await {
                assert_eq!(event.id, receipt.id);
                break;
            }
        }
    }
    tidings.close().await;
}

/// A reader that stops waiting again and again, as one does that has other things to do, gets on.
pub(crate) async fn a_reader_that_keeps_giving_up_gets_on(place: Place) {
    let tidings = place.open().await;
    let batch = (0..1000)
        .map(|number| event(Some(user(0)), number))
        .collect();
    tidings.publish_batch(batch).await.expect("it is stored");
    let mut reader = tidings
        .subscribe(user(0), Start::Earliest)
        .await
        .expect("readable");
    let mut seen = 0;
    let reads = async {
        while seen < 1000 {
            let polled =
                std::pin::pin!(reader.next()).poll(&mut Context::from_waker(Waker::noop()));
            match polled {
                Poll::Ready(Ok(Some(StreamItem::Created { .. }))) => seen += 1,
                Poll::Ready(Ok(Some(_))) => {}
                Poll::Ready(other) => panic!("{other:?}"),
                Poll::Pending => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(STUCK, reads)
        .await
        .expect("it gets on");
    tidings.close().await;
}
