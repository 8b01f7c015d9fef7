//! The handoff from replay to live while others publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tidings::{Change, EventFilter, PageRequest, Selection, Start, Status, StreamItem, Tidings};
use tidings_event::{OwnerId, Rev, Sort};
use tokio::task::JoinSet;

use super::event;
use crate::listed;
use crate::model::{sort_events, user};
use crate::reader::{Reader, STUCK, next};
use crate::seeds::seeds;
use crate::test_dir::TestDir;

/// The number of concurrent publishers, and of requests of each.
const PUBLISHERS: u64 = 4;
const REQUESTS: u64 = 150;

/// How many changes each user and the system make meanwhile.
const CHANGES: u64 = 100;

/// The number of readers that connect and disconnect at random meanwhile.
const READERS: u8 = 6;

pub(crate) async fn every_reader_ends_with_the_list_under_concurrent_changes(dir: TestDir) {
    for seed in seeds("handoff", 1) {
        run_readers(dir.another().open().await, seed).await;
    }
}

/// The window holds a few events, so readers keep falling behind.
pub(crate) async fn every_reader_ends_with_the_list_with_a_small_window(dir: TestDir) {
    for seed in seeds("handoff", 1) {
        let dir = dir.another();
        let config = dir.config().with_window_bytes(3_000);
        let tidings = Tidings::open(config).await.expect("an engine opens");
        run_readers(tidings, seed).await;
    }
}

/// The seed chooses what is published, changed and read, but not the order in which tasks run.
async fn run_readers(tidings: Tidings, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let over = Arc::new(AtomicBool::new(false));

    let mut writers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (tidings, mut rng) = (tidings.clone(), rng.fork());
        writers.spawn(async move {
            for request in 0..REQUESTS {
                let owners = [Some(user(0)), Some(user(1)), None];
                let many = rng.usize(1..8);
                let batch = (0..many)
                    .map(|_| event(owners[rng.usize(..3)], publisher * REQUESTS + request));
                let published = tidings.publish_batch(batch.collect()).await;
                published.expect("it is stored");
            }
        });
    }
    for owner in [user(0), user(1), system] {
        writers.spawn(change_at_random(tidings.clone(), owner, rng.fork()));
    }

    let mut readers = JoinSet::new();
    for number in 0..READERS {
        let (tidings, over, mut rng) = (tidings.clone(), Arc::clone(&over), rng.fork());
        readers.spawn(async move {
            let mut reader = Reader::new(user(number % 2), &tidings);
            while !over.load(Ordering::Acquire) {
                reader.reconnect(&tidings).await;
                for _ in 0..rng.usize(1..400) {
                    // The reader cannot know whether more events follow, so it stops waiting after a while.
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
        reader.reconnect(&tidings).await;
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

/// Marks and deletes what the owner sees: some events, or all that match.
async fn change_at_random(tidings: Tidings, owner: OwnerId, mut rng: fastrand::Rng) {
    for _ in 0..CHANGES {
        let page = tidings
            .list(owner, EventFilter::default(), PageRequest::default())
            .await
            .expect("readable");
        let some: Vec<_> = page.events.iter().step_by(3).map(|one| one.id).collect();
        let change = match rng.u8(..4) {
            0 => Change::Delete,
            1 => Change::Status(Status::Unread),
            _ => Change::Status(Status::Read),
        };
        let selection = match rng.u8(..8) {
            0 => Selection::All {
                up_to: Some(page.cursor),
            },
            1 => Selection::Filter {
                filter: Box::new(EventFilter::default().with_status(Status::Read)),
                up_to: page.cursor,
            },
            _ => Selection::ids(some),
        };
        // Deleting everything would leave little to check.
        if matches!(selection, Selection::All { .. }) && change == Change::Delete {
            continue;
        }
        let changed = tidings.change(owner, selection, change).await;
        changed.expect("it is changed");
    }
}

/// More events than any window holds.
const MANY: u64 = 100_000;

pub(crate) async fn an_idle_reader_delays_nobody_and_later_gets_everything(dir: TestDir) {
    let tidings = dir.open().await;
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
            // It fell behind, and reads the store.
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

/// Each wait for the next item is polled once and dropped.
pub(crate) async fn dropping_a_waiting_read_loses_no_item(dir: TestDir) {
    let tidings = dir.open().await;
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
            // The future is polled once and dropped.
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

/// Commits at any moment while a subscription opens. No event is published afterwards, so an event that is
/// lost between replay and window would never come.
const ARRIVALS: u64 = 1500;

pub(crate) async fn an_event_committed_while_a_subscription_opens_is_seen(dir: TestDir) {
    let tidings = dir.open().await;
    for seed in seeds("arrivals", 1) {
        arrive(&tidings, seed).await;
    }
    tidings.close().await;
}

async fn arrive(tidings: &Tidings, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    for number in 0..ARRIVALS {
        let owner = OwnerId::mint();
        let engine = tidings.clone();
        let publisher =
            tokio::spawn(async move { engine.publish(event(Some(owner), number)).await });
        for _ in 0..rng.u32(..300) {
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
}

/// Each read is polled once and dropped.
pub(crate) async fn a_reader_that_keeps_cancelling_still_advances(dir: TestDir) {
    let tidings = dir.open().await;
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
