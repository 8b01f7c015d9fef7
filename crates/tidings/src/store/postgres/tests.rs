//! Tests of the store itself, on a real server.

#[path = "../../../tests/support/postgres.rs"]
pub(crate) mod database;
mod doubt;
mod gate;
mod moved;
mod newcomers;
mod opening;
mod outcomes;
mod plans;
mod refill;
mod schema;
mod stale;
mod standby;
mod statements;
mod upkeep;

use std::fmt::Debug;

use tidings_event::{Event, EventId, IntoDraft as _, Limits, OwnerId, SystemId, Timestamp};
use tokio::task::JoinHandle;

use super::PostgresStore;
use crate::config::PostgresConfig;
use crate::store::{ContentUpdate, Group, Publication, Submission};
use database::Database;

/// The output of `awaited`, which must come before a task has ended: afterwards it may never come.
async fn unless_ended<T: Debug, O>(
    task: &mut JoinHandle<T>,
    awaited: impl Future<Output = O>,
) -> O {
    tokio::select! {
        output = awaited => output,
        ended = task => panic!("the task has ended already: {ended:?}"),
    }
}

/// A store in a new database.
async fn open(database: &Database) -> PostgresStore {
    PostgresStore::open(&PostgresConfig::new(database.url()))
        .await
        .expect("the store opens")
}

/// A store in a new database for the installation `system`.
async fn open_as(database: &Database, system: SystemId) -> PostgresStore {
    open(database).await;
    let id = system.as_uuid();
    database.query(&format!("UPDATE installation SET system_id = '{id}'"));
    open(database).await
}

/// An event that is ready to be stored.
fn submission(id: EventId, owner: OwnerId, number: u64, system: SystemId) -> Submission {
    let event = Event::builder()
        .from_user(*owner.as_uuid())
        .acted_upon(uuid::Uuid::from_u128(7))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(tidings_event::Severity::ALL[(number % 8) as usize])
        .with_error(tidings_event::Cause::new("No space"))
        .with_description(format!("Éclair {number}"));
    let mut event = event.build().unwrap().into_event();
    event.id = id;
    // The builder would mint another for each copy.
    event.operation_id = uuid::Uuid::from_u128(8).into();
    event.created_at = moment(1_000 + number);
    event.updated_at = event.created_at;
    let mut draft = event.into_draft(&Limits::default()).unwrap();
    let metadata = draft.take_metadata_json();
    let (mut event, mut digests) = draft.resolve(system);
    event.metadata = None;
    // As if the node had filled in the time.
    digests.of_content = digests.without_time.take().expect("the event has a time");
    let json = event.to_json_with(metadata.as_deref()).into();
    Submission {
        event,
        metadata,
        digests,
        json,
        aged_from: None,
    }
}

fn moment(second: u64) -> Timestamp {
    let second = i64::try_from(second).unwrap();
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A group of one request.
fn publishing(submissions: Vec<Submission>) -> Group {
    Group {
        publications: vec![Publication {
            submissions,
            quota: None,
        }],
        ..Group::default()
    }
}

/// An update with a number in its text.
fn update(id: EventId, owner: OwnerId, number: u64, second: u64) -> ContentUpdate {
    ContentUpdate {
        owner,
        id,
        severity: tidings_event::Severity::ALL[(number % 8) as usize],
        description: format!("Éclair {number}").into(),
        metadata: number
            .is_multiple_of(3)
            .then(|| format!("{{\"progress\":{number}}}").into()),
        sequence: None,
        renotify: false,
        systems: None,
        shared: None,
        at: moment(20_000 + second),
        quota: None,
        event_bytes: 100_000,
    }
}
