//! From replay to live, while others publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tidings::{Change, EventFilter, PageRequest, Selection, Start, Status, StreamItem, Tidings};
use tidings_event::{OwnerId, Rev, Sort};
use tokio::task::JoinSet;

use super::event;
use crate::listed;
use crate::model::{sort_events, user};
use crate::place::Place;
use crate::reader::{Reader, STUCK, next};

/// Publishers that run beside each other, and what each sends.
const PUBLISHERS: u64 = 4;
const REQUESTS: u64 = 150;

/// How often each user, and the system, changes something meanwhile.
const CHANGES: u64 = 100;

/// Readers that come and go at random while they publish.
const READERS: u8 = 6;

pub(crate) async fn every_reader_ends_with_the_list_while_others_publish_and_change(place: Place) {
    come_and_go(place.open().await).await;
}

/// A window of a few events: readers fall behind it all the time.
pub(crate) async fn every_reader_ends_with_the_list_though_the_window_is_small(place: Place) {
    let mut config = place.config();
    config.window_bytes = 3_000;
    come_and_go(Tidings::open(config).await.expect("an engine opens")).await;
}

async fn come_and_go(tidings: Tidings) {
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let over = Arc::new(AtomicBool::new(false));

    let mut writers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let tidings = tidings.clone();
        writers.spawn(async move {
            for request in 0..REQUESTS {
                let owners = [Some(user(0)), Some(user(1)), None];
                let many = fastrand::usize(1..8);
                let batch = (0..many)
                    .map(|_| event(owners[fastrand::usize(..3)], publisher * REQUESTS + request));
                let published = tidings.publish_batch(batch.collect()).await;
                published.expect("it is stored");
            }
        });
    }
    for owner in [user(0), user(1), system] {
        writers.spawn(change_at_random(tidings.clone(), owner));
    }

    let mut readers = JoinSet::new();
    for number in 0..READERS {
        let (tidings, over) = (tidings.clone(), Arc::clone(&over));
        readers.spawn(async move {
            let mut reader = Reader::new(user(number % 2), &tidings);
            while !over.load(Ordering::Acquire) {
                reader.come_back(&tidings).await;
                for _ in 0..fastrand::usize(1..400) {
                    // Whether more will come is not known; so give up waiting when all is over.
                    let step =
                        tokio::time::timeout(std::time::Duration::from_millis(20), reader.step());
                    if step.await.is_err() {
                        break;
                    }
                }
                reader.cut();
            }
            reader
        });
    }

    while let Some(done) = writers.join_next().await {
        done.expect("no writer panics");
    }
    over.store(true, Ordering::Release);
    while let Some(done) = readers.join_next().await {
        let mut reader = done.expect("no reader panics");
        let summary = tidings.summary(reader.owner()).await.expect("readable");
        reader.come_back(&tidings).await;
        while !reader.has_reached(summary.cursor) {
            reader.step().await;
        }
        // The reader has checked that no event came twice.
        let listed = listed::all(&tidings, reader.owner()).await;
        let mut seen: Vec<_> = reader.inbox.into_values().collect();
        sort_events(&mut seen, Sort::default());
        assert!(seen == listed, "the inbox of a reader is the list");
        assert_eq!(reader.counts, Some(summary.counts));
        assert_eq!(listed.len() as u64, summary.total_count);
    }
    tidings.close().await;
}

/// Marks and deletes what the owner sees: one, some, or all that match.
async fn change_at_random(tidings: Tidings, owner: OwnerId) {
    for _ in 0..CHANGES {
        let page = tidings
            .list(owner, EventFilter::default(), PageRequest::default())
            .await
            .expect("readable");
        let some: Vec<_> = page.events.iter().step_by(3).map(|one| one.id).collect();
        let change = match fastrand::u8(..4) {
            0 => Change::Delete,
            1 => Change::Status(Status::Unread),
            _ => Change::Status(Status::Read),
        };
        let selection = match fastrand::u8(..8) {
            0 => Selection::All {
                up_to: Some(page.cursor),
            },
            1 => Selection::Filter {
                filter: Box::new(EventFilter::default().with_status(Status::Read)),
                up_to: page.cursor,
            },
            _ => Selection::Ids(some),
        };
        // Deleting all would leave little to see.
        if matches!(selection, Selection::All { .. }) && change == Change::Delete {
            continue;
        }
        let changed = tidings.change(owner, selection, change).await;
        changed.expect("it is changed");
    }
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
        let mut item = next(&mut lazy).await;
        if matches!(item, StreamItem::Ready { .. }) {
            // It has fallen behind, and reads the store.
            assert_eq!(number, 0);
            item = next(&mut lazy).await;
        }
        match item {
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
        expected = receipt.rev.expect("the engine knows the position");
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
