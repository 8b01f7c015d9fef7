//! Events that are deleted at their publishers' times.

use std::time::Duration;

use tidings::{Config, ManualClock, Start, StreamItem, Tidings};
use tidings_event::{Event, EventId, OwnerId, Rev, Timestamp, WarningCode};
use uuid::Uuid;

use super::{builder, built, event};
use crate::listed;
use crate::model::user;
use crate::reader::{STUCK, next};
use crate::test_dir::TestDir;

const MINUTE: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    "2099-08-01T12:00:00Z".parse().expect("a time")
}

fn config(dir: &TestDir, clock: &ManualClock) -> Config {
    let mut config = dir.config();
    config.retention.interval = Duration::from_millis(5);
    config.clock = clock.clock();
    config
}

/// An event that expires this many minutes from now.
fn expiring(owner: Option<OwnerId>, minutes: u32) -> Event {
    built(builder(owner).expires_at(now() + MINUTE * minutes))
}

async fn published(tidings: &Tidings, event: Event) -> Event {
    let receipt = tidings.publish(event).await;
    receipt.expect("it is stored").event()
}

async fn until_left(tidings: &Tidings, owner: OwnerId, number: u64) {
    let left = async {
        while tidings.summary(owner).await.expect("readable").total_count != number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(STUCK, left).await.expect("they go");
}

pub(crate) async fn an_event_goes_at_the_time_of_its_publisher(dir: TestDir) {
    let clock = ManualClock::new(now());
    let config = config(&dir, &clock);
    let tidings = Tidings::open(config.clone()).await.expect("it opens");
    let stays = published(&tidings, event(Some(user(0)), 1)).await;
    let sent = expiring(Some(user(0)), 5);
    let later = published(&tidings, expiring(Some(user(0)), 9)).await;
    let soon = published(&tidings, sent.clone()).await;
    let of_system = published(&tidings, expiring(None, 5)).await;
    assert_eq!(soon.expires_at, Some(now() + MINUTE * 5));
    let listed = listed::all(&tidings, user(0)).await;
    assert!(listed.contains(&soon) && listed.len() == 4, "{listed:?}");
    let opened = tidings.subscribe(user(0), Start::Now).await;
    let mut reader = opened.expect("readable");
    while !matches!(next(&mut reader).await, StreamItem::Live { .. }) {}
    // Nothing goes early, and a clock that jumps is not believed.
    clock.set_wall(now() + MINUTE * 60);
    let marker = published(&tidings, expiring(Some(user(1)), 0)).await;
    assert_eq!(marker.expires_at, Some(now()));
    until_left(&tidings, user(1), 1).await;
    assert_eq!(listed::all(&tidings, user(0)).await.len(), 4);
    clock.set_wall(now());
    clock.advance(MINUTE * 6);
    until_left(&tidings, user(0), 2).await;
    until_left(&tidings, user(1), 0).await;
    let mut left = listed::all(&tidings, user(0)).await;
    left.sort_unstable_by_key(|event| event.expires_at);
    assert_eq!(left, [stays.clone(), later]);
    let mut deleted = Vec::new();
    while deleted.len() < 2 {
        if let StreamItem::Deleted { deletion, .. } = next(&mut reader).await {
            assert!(deletion.counts.is_some());
            deleted.extend(deletion.ids);
        }
    }
    deleted.sort_unstable();
    let mut expected = vec![soon.id, of_system.id];
    expected.sort_unstable();
    assert_eq!(deleted, expected);
    // A late repeat does not bring it back.
    let repeated = tidings.publish(sent).await.expect("a repeat");
    assert!(repeated.repeated && repeated.deleted);
    tidings.close().await;
    dir.audit();
    // What expires while no engine runs goes at the next start.
    clock.advance(MINUTE * 5);
    let tidings = Tidings::open(config).await.expect("it opens");
    until_left(&tidings, user(0), 1).await;
    assert_eq!(listed::all(&tidings, user(0)).await, [stays]);
    tidings.close().await;
}

pub(crate) async fn an_event_that_has_expired_already_goes_at_once(dir: TestDir) {
    let mut config = dir.config();
    config.retention.interval = Duration::from_millis(5);
    let tidings = Tidings::open(config).await.expect("it opens");
    let draft = builder(Some(user(0))).expires_at("2020-01-01T00:00:00Z".parse().expect("a time"));
    let receipt = tidings.publish(draft.build().expect("kept")).await;
    let receipt = receipt.expect("it is stored");
    let codes: Vec<_> = receipt.warnings.iter().map(|one| one.code).collect();
    assert_eq!(codes, [WarningCode::Expired]);
    until_left(&tidings, user(0), 0).await;
    assert_eq!(
        tidings.summary(user(0)).await.expect("readable").cursor.own,
        Rev::new(2)
    );
    tidings.close().await;
}

pub(crate) async fn an_update_keeps_the_time(dir: TestDir) {
    let clock = ManualClock::new(now());
    let tidings = Tidings::open(config(&dir, &clock)).await.expect("it opens");
    let first = published(&tidings, expiring(Some(user(0)), 5)).await;
    let update = Event::update(first.id)
        .for_user(user(0))
        .with_severity(first.severity)
        .with_description("updated");
    let update = update.build().expect("the test's update keeps the rules");
    let updated = tidings.update(update).await.expect("it is updated");
    assert_eq!(updated.event().expires_at, first.expires_at);
    clock.advance(MINUTE * 6);
    until_left(&tidings, user(0), 0).await;
    tidings.close().await;
}

/// More than are found at a time, of one owner and of many, which share commits.
pub(crate) async fn many_events_go_in_steps(dir: TestDir) {
    const OWNERS: u128 = 600;
    let clock = ManualClock::new(now());
    let tidings = Tidings::open(config(&dir, &clock)).await.expect("it opens");
    let owner = |number| OwnerId::from(Uuid::from_u128(0xE000 + number));
    for _ in 0..5 {
        let batch = (0..1_000).map(|_| expiring(Some(user(0)), 5));
        tidings
            .publish_batch(batch.collect())
            .await
            .expect("stored");
    }
    let batch: Vec<_> = (0..OWNERS)
        .map(|one| expiring(Some(owner(one)), 4))
        .collect();
    let ids: Vec<EventId> = batch.iter().map(|event| event.id).collect();
    tidings.publish_batch(batch).await.expect("stored");
    tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("stored");
    clock.advance(MINUTE * 6);
    until_left(&tidings, user(0), 1).await;
    for (number, id) in (0..OWNERS).zip(ids) {
        let owner = owner(number);
        until_left(&tidings, owner, 0).await;
        assert_eq!(tidings.get(owner, id).await.expect("readable"), None);
    }
    tidings.close().await;
    dir.audit();
}
