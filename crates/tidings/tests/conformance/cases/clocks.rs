//! Wrong clocks, of publishers and of the machine: retention, and the times of changes.

use std::time::Duration;

use tidings::{Change, Config, Event, ManualClock, Selection, Start, Status, StreamItem, Tidings};
use tidings_event::{OwnerId, Severity, Sort, Timestamp};

use super::{builder, built, event};
use crate::listed;
use crate::model::{sort_events, user};
use crate::reader::{Reader, STUCK, next};
use crate::test_dir::TestDir;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().expect("a time")
}

fn config(dir: &TestDir, clock: &ManualClock) -> Config {
    let mut config = dir.config();
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

/// Waits until retention has scanned all feeds: it has deleted the excess events of another user, whose feed
/// was created after all others and is scanned last.
async fn until_scanned(tidings: &Tidings, kept: u64) {
    let last = user(200);
    for number in 0..=kept {
        let event = event(Some(last), number);
        tidings.publish(event).await.expect("stored");
    }
    // The scan that found them can have begun before this call. The next scan begins later.
    until_left(tidings, last, kept).await;
    tidings
        .publish(event(Some(last), kept + 1))
        .await
        .expect("stored");
    until_left(tidings, last, kept).await;
}

pub(crate) async fn keeps_the_last_stored_events_whatever_their_times(dir: TestDir) {
    let clock = ManualClock::new(now());
    let mut config = config(&dir, &clock);
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
    // Old events that are stored last, as in an import, count as the last.
    for _ in 0..3 {
        publish(&tidings, Some(user(0)), "old", now() - DAY * 1000).await;
    }
    until_left(&tidings, user(0), 10).await;
    let kept = listed::all(&tidings, user(0)).await;
    let old = kept.iter().filter(|event| event.description == "old");
    assert_eq!(old.count(), 3);
    tidings.close().await;
}

pub(crate) async fn a_jump_of_the_wall_clock_deletes_nothing(dir: TestDir) {
    let clock = ManualClock::new(now());
    let mut config = config(&dir, &clock);
    config.retention.age = Some(DAY * 90);
    config.retention.deleted_age = DAY * 30;
    config.retention.owner_events = Some(60);
    let tidings = open(config.clone()).await;
    for number in 0..50 {
        publish(&tidings, Some(user(0)), &format!("event {number}"), now()).await;
    }
    let before = tidings.summary(user(0)).await.expect("readable").cursor;
    let seen = listed::all(&tidings, user(0)).await;
    let selection = Selection::ids([seen[0].id]);
    let deleted = tidings.change(user(0), selection, Change::Delete).await;
    assert_eq!(deleted.expect("it answers").count, 1);

    // The clock is ahead while the engine runs, ahead at a start, and behind.
    clock.set_wall(now() + DAY * 100);
    until_scanned(&tidings, 60).await;
    assert_eq!(listed::all(&tidings, user(0)).await, seen[1..]);
    tidings.close().await;
    for wall in [now() + DAY * 100, now() - DAY * 1000, now()] {
        clock.set_wall(wall);
        let tidings = open(config.clone()).await;
        until_scanned(&tidings, 60).await;
        assert_eq!(listed::all(&tidings, user(0)).await, seen[1..], "{wall}");
        let opened = tidings.subscribe(user(0), Start::After(before)).await;
        let first = next(&mut opened.expect("readable")).await;
        assert!(matches!(first, StreamItem::Ready { .. }), "{first:?}");
        tidings.close().await;
    }
    // Time that really passes counts.
    let tidings = open(config).await;
    clock.advance(DAY * 89);
    until_scanned(&tidings, 60).await;
    assert_eq!(listed::all(&tidings, user(0)).await, seen[1..]);
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 0).await;
    tidings.close().await;
}

pub(crate) async fn an_event_with_an_impossible_time_ages_from_its_storage(dir: TestDir) {
    let clock = ManualClock::new(now());
    let mut config = config(&dir, &clock);
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
    // An event with a plausible old time is old.
    publish(&tidings, Some(user(0)), "old", now() - DAY * 2).await;
    until_left(&tidings, user(0), 4).await;
    until_scanned(&tidings, 60).await;
    let kept = listed::all(&tidings, user(0)).await;
    assert!(kept.iter().all(|event| event.description != "old"));
    assert_eq!(kept.len(), 4);
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 2).await;
    clock.advance(DAY * 2);
    until_left(&tidings, user(0), 0).await;
    tidings.close().await;
}

/// Readers keep the later of the time of a system event and that of their mark, so neither can go back: a reader
/// could not take back the time that it has. Nodes have different clocks, and the clock of a machine can be set.
pub(crate) async fn the_time_of_a_system_event_never_goes_back(dir: TestDir) {
    let clock = ManualClock::new(now());
    let mut config = dir.config();
    config.clock = clock.clock();
    let tidings = open(config).await;
    for text in ["updated", "marked"] {
        publish(&tidings, None, text, now() - DAY).await;
    }
    let mut reader = Reader::new(user(0), &tidings);
    reader.reconnect(&tidings).await;
    let listed = listed::all(&tidings, user(0)).await;
    let of = |text| {
        let mut events = listed.iter();
        let event = events.find(|event| event.description == text);
        event.expect("it was published").id
    };
    let (updated, marked) = (of("updated"), of("marked"));
    for (hours, status) in [(2, Status::Read), (1, Status::Unread), (3, Status::Read)] {
        let at = now() + Duration::from_secs(hours * 3600);
        clock.set_wall(at);
        let update = Event::update(updated)
            .with_severity(Severity::Informational)
            .with_description(format!("hour {hours}"));
        let update = update.build().expect("the update keeps the rules");
        tidings.update(update).await.expect("it is updated");
        let selection = Selection::ids([marked]);
        let change = Change::Status(status);
        let change = tidings.change(user(0), selection, change).await;
        assert_eq!(change.expect("it is marked").count, 1);
        let summary = tidings.summary(user(0)).await.expect("readable");
        while !reader.has_reached(summary.cursor) {
            reader.step().await;
        }
        let listed = listed::all(&tidings, user(0)).await;
        let latest = at.max(now() + Duration::from_secs(2 * 3600));
        for event in &listed {
            assert_eq!(event.updated_at, latest, "{} at {at}", event.description);
        }
        let mut seen: Vec<_> = reader.inbox.values().cloned().collect();
        sort_events(&mut seen, Sort::default());
        assert_eq!(seen, listed, "at {at}");
    }
    tidings.close().await;
}
