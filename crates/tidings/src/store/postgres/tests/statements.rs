//! The number of statements that a group takes.

use tidings_event::{Change, EventId, OwnerId, Status};
use uuid::Uuid;

use super::{Database, moment, open, publishing, submission, update};
use crate::store::postgres::PostgresStore;
use crate::store::{ChangeStep, Group, Publication, Side, Store as _, Target};

/// Commits a group and returns how many statements it took.
async fn statements(store: &PostgresStore, group: Group) -> u64 {
    let before = store.commits.sent();
    store.commit(Box::new(|| group)).await.unwrap();
    store.commits.sent() - before
}

fn id(number: u64) -> EventId {
    Uuid::from_u128(0xE000 + u128::from(number)).into()
}

fn owner(number: u64) -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA000 + u128::from(number)))
}

#[tokio::test]
async fn a_group_takes_as_many_statements_however_many_events_it_has() {
    let database = Database::create();
    let store = open(&database).await;
    let system = store.identity().system;
    let event = |number| submission(id(number), owner(number % 7), number, system);
    // The statement for new events, whose owners have no feeds; BEGIN, make them, lock them, look up events; insert, set
    // feeds, COMMIT.
    assert_eq!(statements(&store, publishing(vec![event(1)])).await, 8);
    // More newcomers are expected now.
    let more = publishing((2..8).map(event).collect());
    assert_eq!(statements(&store, more).await, 7);
    assert_eq!(statements(&store, publishing(vec![event(8)])).await, 7);
    // Only new events are expected now.
    assert_eq!(statements(&store, publishing(vec![event(9)])).await, 1);
    let batch = publishing((100..200).map(event).collect());
    assert_eq!(statements(&store, batch).await, 1);
    let requests = (200..264).map(|number| Publication {
        submissions: vec![event(number)],
        quota: None,
    });
    let requests = Group {
        publications: requests.collect(),
        ..Group::default()
    };
    assert_eq!(statements(&store, requests).await, 1);
    // Repeats change nothing, but their commit waits until what they repeat is durable.
    let repeats = publishing((100..200).map(event).collect());
    assert_eq!(statements(&store, repeats).await, 6);
    let repeats = publishing((100..200).map(event).collect());
    assert_eq!(statements(&store, repeats).await, 5);
    // BEGIN, lock feeds, look up events; insert, set feeds, COMMIT.
    let batch = publishing((264..300).map(event).collect());
    assert_eq!(statements(&store, batch).await, 6);

    let step = |number: u64, change| ChangeStep {
        owner: owner(number % 7),
        targets: vec![Target {
            id: id(number),
            side: None,
        }],
        change,
        only: None,
        systems: None,
        at: moment(10_000),
    };
    let steps = |numbers: std::ops::Range<u64>, change| Group {
        steps: numbers.map(|number| step(number, change)).collect(),
        ..Group::default()
    };
    let read = Change::Status(Status::Read);
    let one = statements(&store, steps(100..101, read)).await;
    assert_eq!(statements(&store, steps(101..165, read)).await, one);
    // BEGIN, lock feeds and audiences, look up events; update, note, set feeds, COMMIT.
    let updates = |numbers: std::ops::Range<u64>| Group {
        updates: numbers
            .map(|number| update(id(number), owner(number % 7), number, number))
            .collect(),
        ..Group::default()
    };
    assert_eq!(statements(&store, updates(100..101)).await, 8);
    assert_eq!(statements(&store, updates(101..165)).await, 8);
    // An update of an owner who has no feed makes none.
    let strangers = |numbers: std::ops::Range<u64>| Group {
        updates: numbers
            .map(|number| update(id(number), owner(number), number, number))
            .collect(),
        ..Group::default()
    };
    let feeds = database.query("SELECT count(*) FROM feed");
    let one = statements(&store, strangers(900..901)).await;
    assert_eq!(statements(&store, strangers(901..965)).await, one);
    // Nor does a retraction.
    let retractions = |numbers: std::ops::Range<u64>| Group {
        steps: numbers
            .map(|number| ChangeStep {
                owner: owner(number),
                systems: Some(vec![system]),
                targets: vec![Target {
                    id: id(number),
                    side: Some(Side::Own),
                }],
                ..step(number, Change::Delete)
            })
            .collect(),
        ..Group::default()
    };
    let one = statements(&store, retractions(900..901)).await;
    assert_eq!(statements(&store, retractions(901..965)).await, one);
    assert_eq!(database.query("SELECT count(*) FROM feed"), feeds);
    let batch = publishing((500..600).map(event).collect());
    assert_eq!(statements(&store, batch).await, 1);
    // Then the feed of each owner says that there are tombstones.
    statements(&store, steps(100..107, Change::Delete)).await;
    let one = statements(&store, steps(107..108, Change::Delete)).await;
    assert_eq!(
        statements(&store, steps(108..165, Change::Delete)).await,
        one
    );
    // New events are still new.
    let batch = publishing((300..400).map(event).collect());
    assert_eq!(statements(&store, batch).await, 1);
    // Deleted ones are not, and tombstones are looked up.
    let deleted = publishing((100..107).map(event).collect());
    assert_eq!(statements(&store, deleted).await, 7);
    let batch = publishing((400..500).map(event).collect());
    assert_eq!(statements(&store, batch).await, 7);
    store.close().await;
}
