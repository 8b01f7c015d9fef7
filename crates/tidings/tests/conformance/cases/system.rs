//! System events, which each user marks and deletes for themselves.

use prometheus_client::registry::Registry;
use tidings::wire;
use tidings::{Change, ChangeOutcome, Event, Selection, Start, Status, StreamItem, Tidings};
use tidings_event::OwnerId;

use super::{builder, built, event};
use crate::listed;
use crate::model::user;
use crate::reader::next;
use crate::test_dir::TestDir;
use crate::tidied::until_tidied;

async fn system_event(tidings: &Tidings, number: u64) -> Event {
    let receipt = tidings.publish(event(None, number)).await;
    receipt.expect("it is stored").event()
}

pub(crate) async fn each_user_marks_and_deletes_system_events_alone(dir: TestDir) {
    let tidings = dir.open().await;
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let read = system_event(&tidings, 1).await;
    let deleted = system_event(&tidings, 2).await;
    let marked = tidings.set_status(user(0), read.id, Status::Read).await;
    assert_eq!(marked.expect("it answers"), ChangeOutcome::Done);
    let gone = tidings.delete(user(0), deleted.id).await;
    assert_eq!(gone.expect("it answers"), ChangeOutcome::Done);
    // The user who made the changes.
    let own = listed::all(&tidings, user(0)).await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].status, Status::Read);
    assert!(own[0].updated_at > own[0].created_at);
    let seen = tidings.get(user(0), read.id).await.expect("readable");
    assert_eq!(seen.as_ref(), own.first());
    assert_eq!(
        tidings.get(user(0), deleted.id).await.expect("readable"),
        None
    );
    // Another user, a new user, and the system itself.
    for other in [user(1), OwnerId::mint(), system] {
        let listed = listed::all(&tidings, other).await;
        assert_eq!(listed, [deleted.clone(), read.clone()]);
        let summary = tidings.summary(other).await.expect("readable");
        assert_eq!((summary.unread_count, summary.read_count), (2, 0));
    }
    // The system has no status of its own.
    let before = tidings.summary(system).await.expect("readable");
    let marked = tidings.set_status(system, read.id, Status::Read).await;
    assert_eq!(marked.expect("it answers"), ChangeOutcome::Done);
    assert_eq!(tidings.summary(system).await.expect("readable"), before);
    tidings.close().await;
}

pub(crate) async fn deleting_a_system_event_tells_each_reader_their_counts(dir: TestDir) {
    let tidings = dir.open().await;
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let ends = system_event(&tidings, 1).await;
    system_event(&tidings, 2).await;
    let marked = tidings.set_status(user(0), ends.id, Status::Read).await;
    marked.expect("it answers");
    let mut readers = Vec::new();
    for owner in [user(0), user(1), system] {
        let opened = tidings.subscribe(owner, Start::Now).await;
        readers.push((owner, opened.expect("readable")));
    }
    let mut counted = Vec::new();
    for (_, reader) in &mut readers {
        let summary = loop {
            if let StreamItem::Live { summary, .. } = next(reader).await {
                break summary;
            }
        };
        counted.push(summary);
    }
    let deleted = tidings.delete(system, ends.id).await;
    assert_eq!(deleted.expect("it answers"), ChangeOutcome::Done);
    for ((owner, reader), before) in readers.iter_mut().zip(counted) {
        let StreamItem::Deleted { deletion, cursor } = next(reader).await else {
            panic!("the deletion comes");
        };
        assert_eq!(deletion.ids, [ends.id]);
        let counts = deletion.counts.expect("it has the counts");
        let after = before.changed_by(&counts).expect("they belong together");
        let now = tidings.summary(*owner).await.expect("readable");
        assert_eq!((after, cursor), (now.counts, now.cursor));
        assert_eq!((now.unread_count, now.read_count), (1, 0));
    }
    tidings.close().await;
}

/// There are more overlays than one step removes, so some outlive their event.
pub(crate) async fn overlays_of_many_users_go_with_their_system_event(dir: TestDir) {
    const USERS: u8 = 250;
    let tidings = dir.open().await;
    let mut registry = Registry::default();
    tidings.register_metrics(&mut registry);
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let mut events = Vec::new();
    for number in 0..8 {
        events.push(system_event(&tidings, number).await);
    }
    for number in 0..USERS {
        // One third of the users delete all events but the last, and one third read them.
        for event in &events[..7] {
            let done = match number % 3 {
                0 => tidings.delete(user(number), event.id).await,
                1 => {
                    tidings
                        .set_status(user(number), event.id, Status::Read)
                        .await
                }
                _ => continue,
            };
            done.expect("it answers");
        }
    }
    let ended = events[..6].iter().map(|event| event.id);
    let deleted = tidings.change(system, Selection::ids(ended), Change::Delete);
    assert_eq!(deleted.await.expect("it answers").count, 6);
    // The counts are right at once, and after the thousand overlays are removed.
    for steps in [0, 2] {
        until_tidied(&registry, steps).await;
        for number in 0..USERS {
            let summary = tidings.summary(user(number)).await.expect("readable");
            let expected = match number % 3 {
                0 => (1, 0),
                1 => (1, 1),
                _ => (2, 0),
            };
            assert_eq!((summary.unread_count, summary.read_count), expected);
            let listed = listed::all(&tidings, user(number)).await;
            assert_eq!(listed.len() as u64, summary.total_count);
        }
    }
    tidings.close().await;
}

pub(crate) async fn types_cover_exactly_the_events_a_user_sees(dir: TestDir) {
    let tidings = dir.open().await;
    let of_type = |owner, category: &str, action: &str| {
        built(builder(owner).with_category(category).with_action(action))
    };
    let system = of_type(None, "server", "upgrade");
    for event in [
        of_type(Some(user(0)), "connection", "ping"),
        of_type(Some(user(0)), "connection", "register"),
        of_type(Some(user(1)), "secret", "leak"),
        system.clone(),
    ] {
        tidings.publish(event).await.expect("stored");
    }
    let types = async |owner| {
        let types = tidings.types(owner).await.expect("readable");
        let categories = types.category.iter().map(|one| one.as_str().to_owned());
        let actions = types.action.iter().map(|one| one.as_str().to_owned());
        (categories.collect::<Vec<_>>(), actions.collect::<Vec<_>>())
    };
    let pairs = async |owner| {
        let pairs = wire::Engine::of(&tidings)
            .type_pairs(owner)
            .await
            .expect("readable");
        let pairs = pairs.iter();
        let texts =
            pairs.map(|pair| format!("{} {}", pair.category.as_str(), pair.action.as_str()));
        texts.collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(user(0)).await,
        ["connection ping", "connection register", "server upgrade"]
    );
    let (categories, actions) = types(user(0)).await;
    assert_eq!(categories, ["connection", "server"]);
    assert_eq!(actions, ["ping", "register", "upgrade"]);
    tidings
        .delete(user(0), system.id)
        .await
        .expect("it answers");
    assert_eq!(types(user(0)).await.0, ["connection"]);
    assert_eq!(
        pairs(user(0)).await,
        ["connection ping", "connection register"]
    );
    assert_eq!(pairs(user(1)).await, ["secret leak", "server upgrade"]);
    assert_eq!(types(user(1)).await.0, ["secret", "server"]);
    assert_eq!(types(OwnerId::mint()).await.0, ["server"]);
    tidings.close().await;
}
