//! Retention, and forgetting deletions.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings::{Change, Config, Selection, Start, StreamItem, Tidings};
use tidings_event::{OwnerId, ResetReason, Severity, Timestamp};

use super::{builder, built, event};
use crate::listed;
use crate::model::user;
use crate::reader::{STUCK, next};
use crate::test_dir::TestDir;

async fn open(config: Config) -> Tidings {
    Tidings::open(config).await.expect("an engine opens")
}

/// Waits until `owner` has this many events left.
async fn until_left(tidings: &Tidings, owner: OwnerId, number: u64) {
    let left = async {
        while tidings.summary(owner).await.expect("readable").total_count != number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(STUCK, left).await.expect("they go");
}

pub(crate) async fn keeps_the_newest_events_and_streams_the_deletions(dir: TestDir) {
    let mut config = dir.config();
    config.retention.owner_events = Some(10);
    config.retention.system_events = 5;
    config.retention.interval = Duration::from_millis(5);
    let tidings = open(config).await;
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("readable");
    let mut newest = Vec::new();
    for number in 0..600 {
        let owner = (number % 2 == 0).then(|| user(0));
        let receipt = tidings.publish(event(owner, number)).await.expect("stored");
        newest.push(receipt.event());
    }
    tidings
        .publish(event(Some(user(1)), 0))
        .await
        .expect("stored");
    until_left(&tidings, user(0), 15).await;
    // All events of the other user, and the kept events of the system.
    until_left(&tidings, user(1), 6).await;
    newest.reverse();
    let own = newest
        .iter()
        .filter(|one| one.owner == Some(user(0)))
        .take(10);
    let system = newest
        .iter()
        .filter(|one| one.owner != Some(user(0)))
        .take(5);
    let mut expected: Vec<_> = own.chain(system).cloned().collect();
    expected.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    assert_eq!(listed::all(&tidings, user(0)).await, expected);
    // The stream has shown each event, and the deletion of each other one.
    let end = tidings.summary(user(0)).await.expect("readable").cursor;
    let (mut seen, mut counts, mut reached) = (BTreeMap::new(), None, None);
    while counts.is_none() || reached != Some(end) {
        let item = next(&mut reader).await;
        reached = Some(item.cursor());
        match item {
            StreamItem::Created { event, .. } => {
                seen.insert(event.id, *event);
            }
            StreamItem::Deleted { deletion, .. } => {
                seen.retain(|id, _| !deletion.ids.contains(id));
                counts = counts.filter(|_| deletion.counts.is_some());
            }
            StreamItem::Ready { .. } => counts = None,
            StreamItem::Live { summary, .. } => counts = Some(summary),
            other => panic!("unexpected {other:?}"),
        }
    }
    let mut seen: Vec<_> = seen.into_values().collect();
    seen.sort_by_key(|one: &tidings::Event| std::cmp::Reverse((one.created_at, one.id)));
    assert_eq!(seen, expected);
    tidings.close().await;
}

/// Events that are too old are deleted, and do not count among the newest.
pub(crate) async fn deletes_old_events_before_it_counts_the_rest(dir: TestDir) {
    let mut config = dir.config();
    config.retention.owner_events = Some(10);
    config.retention.severity_age = BTreeMap::from([(Severity::Debug, Duration::from_secs(60))]);
    // Retention runs once, when the engine opens.
    config.retention.interval = Duration::from_secs(3600);
    let tidings = dir.open().await;
    let now = Timestamp::now();
    for number in 0..20_u64 {
        let severity = match number {
            15 => Severity::Debug,
            _ => Severity::Success,
        };
        let mut event = built(builder(Some(user(0))).with_severity(severity));
        event.created_at = now - Duration::from_secs(1000 - number);
        tidings.publish(event).await.expect("stored");
    }
    tidings.close().await;
    let tidings = open(config).await;
    until_left(&tidings, user(0), 10).await;
    let kept = listed::all(&tidings, user(0)).await;
    assert!(kept.iter().all(|event| event.severity != Severity::Debug));
    tidings.close().await;
}

pub(crate) async fn each_severity_has_its_age(dir: TestDir) {
    let day = Duration::from_secs(24 * 60 * 60);
    let mut config = dir.config();
    config.retention.age = Some(10 * day);
    config.retention.severity_age =
        BTreeMap::from([(Severity::Debug, day), (Severity::Critical, 1000 * day)]);
    config.retention.interval = Duration::from_millis(5);
    let now = Timestamp::now();
    let tidings = open(config).await;
    for (severity, days) in [
        (Severity::Debug, 0),
        (Severity::Debug, 2),
        (Severity::Success, 2),
        (Severity::Success, 11),
        (Severity::Critical, 11),
        (Severity::Critical, 1001),
    ] {
        for owner in [Some(user(0)), None] {
            let text = format!("{severity} {days}");
            let builder = builder(owner)
                .with_severity(severity)
                .with_description(text);
            let mut event = built(builder);
            event.created_at = now - day * days;
            tidings.publish(event).await.expect("stored");
        }
    }
    until_left(&tidings, user(0), 6).await;
    let texts: Vec<_> = listed::all(&tidings, user(0))
        .await
        .into_iter()
        .map(|event| event.description)
        .collect();
    let expected = ["debug 0", "success 2", "critical 11"];
    assert_eq!(texts, expected.map(|text| [text; 2]).concat());
    tidings.close().await;
}

pub(crate) async fn a_cursor_before_forgotten_deletions_is_too_old(dir: TestDir) {
    let tidings = dir.open().await;
    for number in 0..10 {
        tidings
            .publish(event(Some(user(0)), number))
            .await
            .expect("stored");
    }
    let seen = listed::all(&tidings, user(0)).await;
    let before = tidings.summary(user(0)).await.expect("readable").cursor;
    let some = seen.iter().take(4).map(|event| event.id);
    let deleted = tidings
        .change(user(0), Selection::ids(some), Change::Delete)
        .await;
    assert_eq!(deleted.expect("it answers").count, 4);
    let after = tidings.summary(user(0)).await.expect("readable").cursor;
    tidings.close().await;

    let mut config = dir.config();
    config.retention.deleted_age = Duration::ZERO;
    let tidings = open(config).await;
    // The floor rises when the deletions are forgotten.
    let forgotten = async {
        loop {
            let opened = tidings.subscribe(user(0), Start::After(before)).await;
            match next(&mut opened.expect("readable")).await {
                StreamItem::Reset { cursor, reason } => return (cursor, reason),
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    let reset = tokio::time::timeout(STUCK, forgotten).await;
    let reset = reset.expect("they are forgotten");
    assert_eq!(reset, (after, ResetReason::TooOld));
    // A reader who has seen all deletions continues. A new reader gets all events.
    for start in [Start::After(after), Start::Earliest] {
        let opened = tidings.subscribe(user(0), start).await;
        let mut reader = opened.expect("readable");
        let mut events = Vec::new();
        loop {
            match next(&mut reader).await {
                StreamItem::Created { event, .. } => events.push(*event),
                StreamItem::Live { cursor, .. } => {
                    assert_eq!(cursor, after);
                    break;
                }
                StreamItem::Ready { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        events.reverse();
        match start {
            Start::Earliest => assert_eq!(events, seen[4..]),
            _ => assert!(events.is_empty()),
        }
    }
    // An id is new once its deletion is forgotten.
    let again = tidings.publish(seen[0].clone()).await.expect("stored");
    assert!(!again.repeated);
    tidings.close().await;
}
