//! Random histories: publish requests, repeats, conflicts, changes of every kind, retractions, readers that connect and
//! disconnect, restarts that keep fewer events.

mod changes;
mod filters;
mod history;
mod lists;
mod publish;
mod recipients;
mod restarts;
mod retractions;
mod steps;
mod updates;
mod values;

use proptest::prelude::*;
use tidings_event::{OwnerId, Rev, Severity};
use uuid::Uuid;

use super::{builder, built};
use crate::seeds;
use crate::test_dir::TestDir;
use history::{History, USERS};
use publish::Sent;
use restarts::until_at;
use steps::step;
use values::{ACTIONS, CATEGORIES, TEXTS};

/// The bytes of a page that are read at once: one event, a few, or all.
const PAGE_BYTES: std::ops::Range<usize> = 0..12_000;

/// How many random histories run. Each opens stores on disk.
const HISTORIES: usize = 64;

/// Every reader ends with the events of the list, the counts agree with the model at every cursor, lists and
/// bulk changes match the same events as the model, and rejected requests store nothing.
pub(crate) fn histories_agree_with_the_model(test_dir: fn() -> TestDir) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let histories = (PAGE_BYTES, prop::collection::vec(step(), 1..80));
    seeds::check("histories", HISTORIES, &histories, |(bytes, history)| {
        let dir = test_dir().with_page_bytes(bytes);
        runtime.block_on(History::play(&dir, history));
        dir.audit();
        Ok(())
    });
}

/// The model deletes all excess events at a restart, but retention works in the background: it can reach a
/// feed late, and then delete events that were published after the restart. Here it has to empty the feeds
/// of many other owners first. A history must wait for it although the history's own feeds are already
/// empty.
pub(crate) async fn a_history_waits_until_retention_has_scanned_all_feeds(dir: TestDir) {
    let mut history = History::begin(&dir).await;
    // Retention scans 256 feeds at a time, and deletes 512 events at a time.
    let others = (100..).map(|number| OwnerId::from(Uuid::from_u128(number)));
    let others: Vec<_> = others.take(300).collect();
    let events = others
        .iter()
        .flat_map(|owner| std::iter::repeat_n(*owner, 3))
        .map(|owner| built(builder(Some(owner))));
    let published = history.tidings.publish_batch(events.collect()).await;
    published.expect("the events are new");
    history.restart(&dir, Some(0)).await;
    let sent = |owner| Sent::New {
        owner,
        severity: Severity::Success,
        category: CATEGORIES[0],
        action: ACTIONS[0],
        text: TEXTS[0],
        moment: 0,
        expires: false,
    };
    history.publish((0..=USERS).map(sent).collect()).await;
    for owner in others {
        until_at(&history.tidings, owner, Rev::new(6)).await;
    }
    history.end().await;
}
