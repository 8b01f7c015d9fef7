//! What is deleted though clocks are wrong: the publishers' and the machine's own.

use std::time::Duration;

use tidings::{Change, Config, ManualClock, Selection, Start, StreamItem, Tidings};
use tidings_event::{OwnerId, Severity, Timestamp};

use super::{builder, built, event};
use crate::listed;
use crate::model::user;
use crate::place::Place;
use crate::reader::{STUCK, next};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().expect("a time")
}

fn config(place: &Place, clock: &ManualClock) -> Config {
    let mut config = place.config();
    config.retention.interval = Duration::from_millis(5);
    config.clock = clock.clock();
    config
}

async fn open(config: Config) -> Tidings {
    Tidings::open(config).await.expect("an engine opens")
}

async fn publish(tidings: &Tidings, owner: Option<OwnerId>, text: &str, created_at: Timestamp) {
    let mut event = built(builder(owner).with_description(text));
    event.created_at = created_at;
    tidings.publish(event).await.expect("stored");
}

async fn until_left(tidings: &Tidings, owner: OwnerId, number: u64) {
    let left = async {
        while tidings.summary(owner).await.expect("readable").total_count != number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(STUCK, left).await.expect("they go");
}

/// Retention has looked at all feeds since: it took what another user has too much of. That feed was
/// begun after all others, so they are looked at before it.
async fn until_looked_through(tidings: &Tidings, kept: u64) {
    let last = user(200);
    for number in 0..=kept {
        let event = event(Some(last), number);
        tidings.publish(event).await.expect("stored");
    }
    // The look that found them may have begun before; the next one has not.
    until_left(tidings, last, kept).await;
    tidings
        .publish(event(Some(last), kept + 1))
        .await
        .expect("stored");
    until_left(tidings, last, kept).await;
}

pub(crate) async fn the_last_stored_are_kept_whatever_times_they_carry(place: Place) {
    let clock = ManualClock::new(now());
    let mut config = config(&place, &clock);
    config.retention.owner_events = Some(5);
    config.retention.system_events = 5;
    let tidings = open(config).await;
    for owner in [Some(user(0)), None] {
        for created_at in ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
            for _ in 0..5 {
                publish(
                    &tidings,
                    owner,
                    "wrong",
                    created_at.parse().expect("a time"),
                )
                .await;
            }
        }
        for _ in 0..5 {
            publish(&tidings, owner, "right", now()).await;
        }
    }
    until_left(&tidings, user(1), 5).await;
    until_left(&tidings, user(0), 10).await;
    let kept = listed::all(&tidings, user(0)).await;
    assert!(kept.iter().all(|event| event.description == "right"));
    // Old ones that are stored last are the last, as those of an import are.
    for _ in 0..3 {
        publish(&tidings, Some(user(0)), "old", now() - DAY * 1000).await;
    }
    until_left(&tidings, user(0), 10).await;
    let kept = listed::all(&tidings, user(0)).await;
    let old = kept.iter().filter(|event| event.description == "old");
    assert_eq!(old.count(), 3);
    tidings.close().await;
}

pub(crate) async fn a_wall_clock_that_jumps_deletes_and_forgets_nothing(place: Place) {
    let clock = ManualClock::new(now());
    let mut config = config(&place, &clock);
    config.retention.age = Some(DAY * 90);
    config.retention.deleted_age = DAY * 30;
    config.retention.owner_events = Some(60);
    let tidings = open(config.clone()).await;
    for number in 0..50 {
        publish(&tidings, Some(user(0)), &format!("event {number}"), now()).await;
    }
    let before = tidings.summary(user(0)).await.expect("readable").cursor;
    let seen = listed::all(&tidings, user(0)).await;
    let selection = Selection::Ids(vec![seen[0].id]);
    let deleted = tidings.change(user(0), selection, Change::Delete).await;
    assert_eq!(deleted.expect("it answers").count, 1);

    // Ahead while it runs, ahead at a start, and behind.
    clock.set_wall(now() + DAY * 100);
    until_looked_through(&tidings, 60).await;
    assert_eq!(listed::all(&tidings, user(0)).await, seen[1..]);
    tidings.close().await;
    for wall in [now() + DAY * 100, now() - DAY * 1000, now()] {
        clock.set_wall(wall);
        let tidings = open(config.clone()).await;
        until_looked_through(&tidings, 60).await;
        assert_eq!(listed::all(&tidings, user(0)).await, seen[1..], "{wall}");
        let opened = tidings.subscribe(user(0), Start::After(before)).await;
        let first = next(&mut opened.expect("readable")).await;
        assert!(matches!(first, StreamItem::Ready { .. }), "{first:?}");
        tidings.close().await;
    }
    // Time that passes counts.
    let tidings = open(config).await;
    clock.advance(DAY * 89);
    until_looked_through(&tidings, 60).await;
    assert_eq!(listed::all(&tidings, user(0)).await, seen[1..]);
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 0).await;
    tidings.close().await;
}

pub(crate) async fn an_event_with_an_impossible_time_ages_from_when_it_was_stored(place: Place) {
    let clock = ManualClock::new(now());
    let mut config = config(&place, &clock);
    config.retention.age = Some(DAY);
    config
        .retention
        .severity_age
        .insert(Severity::Debug, DAY * 3);
    config.retention.owner_events = Some(60);
    let tidings = open(config).await;
    for created_at in ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        for severity in [Severity::Success, Severity::Debug] {
            let mut event = built(builder(Some(user(0))).with_severity(severity));
            event.created_at = created_at.parse().expect("a time");
            tidings.publish(event).await.expect("stored");
        }
    }
    // One that says credibly that it is old is old.
    publish(&tidings, Some(user(0)), "old", now() - DAY * 2).await;
    until_left(&tidings, user(0), 4).await;
    until_looked_through(&tidings, 60).await;
    let kept = listed::all(&tidings, user(0)).await;
    assert!(kept.iter().all(|event| event.description != "old"));
    assert_eq!(kept.len(), 4);
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 2).await;
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 0).await;
    tidings.close().await;
}
