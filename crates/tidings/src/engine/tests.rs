//! Tests of the engine on a store that counts reads and can fail on request.

mod nodes;

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tempfile::TempDir;
use tidings_event::{Draft, Event, EventId, Severity, Status, StreamItem};
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::error::PublishError;
use crate::store::sqlite::SqliteStore;
use crate::store::watched::WatchedStore;

/// The time limit of a wait, far longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(60);

async fn start() -> (Tidings, Arc<WatchedStore>, TempDir) {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let store = Arc::new(WatchedStore::new(store));
    let config = Config::new(directory.path());
    let shared: Arc<dyn Store> = Arc::clone(&store) as _;
    let tidings = Tidings::start(shared, None, config).await.unwrap();
    (tidings, store, directory)
}

fn event(owner: Option<OwnerId>) -> Draft {
    let builder = Event::builder()
        .acted_upon(Uuid::from_u128(1))
        .with_category("server")
        .with_action("restart")
        .with_severity(Severity::Warning);
    let builder = match owner {
        Some(owner) => builder.for_user(owner),
        None => builder,
    };
    builder.build().unwrap()
}

/// Waits until the engine reports a fault, and returns its text.
async fn fault(tidings: &Tidings) -> String {
    let reported = async {
        loop {
            if let Err(error) = tidings.check().await {
                return error.to_string();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reported).await.unwrap()
}

#[tokio::test]
async fn check_reports_a_committer_that_panicked() {
    let (tidings, store, _directory) = start().await;
    tidings.check().await.unwrap();
    store.commit_panics.store(true, Ordering::Relaxed);
    let rejected = tidings.publish(event(None)).await.unwrap_err();
    assert!(matches!(rejected, PublishError::Closed), "{rejected:?}");
    let fault = fault(&tidings).await;
    assert_eq!(fault, "the task that commits requests has ended");
    // Later requests fail too, instead of waiting forever.
    let rejected = tidings.publish(event(None)).await.unwrap_err();
    assert!(matches!(rejected, PublishError::Closed), "{rejected:?}");
    tidings.close().await;
}

#[tokio::test]
async fn check_reports_a_background_task_that_panicked() {
    let (tidings, store, _directory) = start().await;
    store.upkeep_panics.store(true, Ordering::Relaxed);
    let fault = fault(&tidings).await;
    assert_eq!(fault, "the background task has ended");
    // Publishing still works.
    tidings.publish(event(None)).await.unwrap();
    tidings.close().await;
}

#[tokio::test]
async fn check_reports_a_writer_that_ended() {
    let (tidings, store, _directory) = start().await;
    store.close().await;
    let rejected = tidings.publish(event(None)).await.unwrap_err();
    assert!(
        matches!(rejected, PublishError::Closed | PublishError::Store(_)),
        "{rejected:?}"
    );
    let fault = fault(&tidings).await;
    assert_eq!(fault, "the thread that writes to the store has ended");
    tidings.close().await;
}

#[tokio::test(start_paused = true)]
async fn check_reports_a_writer_that_ended_while_nothing_is_published() {
    let (tidings, store, _directory) = start().await;
    store.close().await;
    let fault = async {
        loop {
            match tidings.check().await {
                Err(fault @ StoreError::Ended { .. }) => return fault.to_string(),
                Ok(()) | Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    };
    let fault = tokio::time::timeout(PATIENCE, fault).await.unwrap();
    assert_eq!(fault, "the thread that writes to the store has ended");
    tidings.close().await;
}

/// Reads items until one satisfies `is_wanted`.
async fn until(
    subscription: &mut Subscription,
    is_wanted: impl Fn(&StreamItem) -> bool,
) -> StreamItem {
    let wanted = async {
        loop {
            let item = subscription.next().await.unwrap().unwrap();
            if is_wanted(&item) {
                return item;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wanted).await.unwrap()
}

#[tokio::test]
async fn deletes_a_system_event_without_a_read_per_subscriber() {
    const SUBSCRIBERS: usize = 1_000;
    let (tidings, store, _directory) = start().await;
    let ended: EventId = tidings.publish(event(None)).await.unwrap().id;
    tidings.publish(event(None)).await.unwrap();
    let mut subscribers = Vec::new();
    for number in 0..SUBSCRIBERS {
        let reader = OwnerId::mint();
        match number % 3 {
            0 => {
                let read = tidings.set_status(reader, ended, Status::Read).await;
                read.unwrap();
            }
            1 => {
                tidings.delete(reader, ended).await.unwrap();
            }
            _ => {}
        }
        let mut subscription = tidings.subscribe(reader, Start::Now).await.unwrap();
        let live = until(&mut subscription, |item| {
            matches!(item, StreamItem::Live { .. })
        });
        let StreamItem::Live { summary, .. } = live.await else {
            panic!("expected a live item");
        };
        subscribers.push((reader, subscription, summary));
    }
    let before = store.reads.load(Ordering::Relaxed);
    let system = OwnerId::from(tidings.system_id());
    tidings.delete(system, ended).await.unwrap();
    let mut followed = Vec::new();
    for (reader, subscription, summary) in &mut subscribers {
        let item = until(subscription, |_| true).await;
        let StreamItem::Deleted { deletion, .. } = item else {
            panic!("{item:?}");
        };
        assert_eq!(deletion.ids, [ended]);
        let now = summary.changed_by(&deletion.counts.unwrap()).unwrap();
        followed.push((*reader, now));
    }
    assert_eq!(store.reads.load(Ordering::Relaxed) - before, 0);
    // The counts from the stream equal the counts in the store.
    for (reader, counted) in followed {
        assert_eq!(tidings.summary(reader).await.unwrap().counts, counted);
    }
    tidings.close().await;
}

#[tokio::test]
async fn reads_a_subscription_as_a_stream() {
    let (tidings, _store, _directory) = start().await;
    let reader = OwnerId::mint();
    let subscription = tidings.subscribe(reader, Start::Now).await.unwrap();
    let event = event(Some(reader));
    let id = event.id;
    let created = subscription.filter_map(async |item| match item.unwrap() {
        StreamItem::Created { event, .. } => Some(event.id),
        _ => None,
    });
    let mut created = std::pin::pin!(created);
    // The stream has no item before the event is published.
    assert!(created.next().now_or_never().is_none());
    tidings.publish(event).await.unwrap();
    let next = tokio::time::timeout(PATIENCE, created.next()).await;
    assert_eq!(next.unwrap(), Some(id));
    tidings.close().await;
    assert_eq!(created.next().await, None);
}
