//! The promises of retracting.

use tidings::wire::Engine;
use tidings::{
    ChangeOutcome, Event, EventRef, OwnerKind, RetractError, Retraction, Start, Status, StreamItem,
    Subscription, Tidings, UpdateError,
};
use tidings_event::{EventId, OwnerId, SystemId};
use uuid::Uuid;

use super::event;
use crate::listed;
use crate::model::user;
use crate::reader::next;
use crate::test_dir::TestDir;

fn system_of(tidings: &Tidings) -> OwnerId {
    OwnerId::from(*tidings.system_id().as_uuid())
}

async fn published(tidings: &Tidings, event: Event) -> Event {
    let receipt = tidings.publish(event).await;
    receipt.expect("it is stored").event()
}

async fn retracted(tidings: &Tidings, retraction: Retraction) -> ChangeOutcome {
    tidings.retract(retraction).await.expect("it answers")
}

/// A subscription that has reached `live`.
async fn live(tidings: &Tidings, owner: OwnerId) -> Subscription {
    let opened = tidings.subscribe(owner, Start::Now).await;
    let mut reader = opened.expect("readable");
    while !matches!(next(&mut reader).await, StreamItem::Live { .. }) {}
    reader
}

async fn head(tidings: &Tidings, owner: OwnerId) -> tidings::Cursor {
    tidings.summary(owner).await.expect("readable").cursor
}

pub(crate) async fn a_retraction_looks_like_the_owners_deletion(dir: TestDir) {
    let tidings = dir.open().await;
    let first = event(Some(user(0)), 1);
    let stored = published(&tidings, first.clone()).await;
    let kept = published(&tidings, event(Some(user(0)), 2)).await;
    let start = Start::After(head(&tidings, user(0)).await);
    let mut readers = [live(&tidings, user(0)).await, live(&tidings, user(0)).await];
    let retraction = Retraction::of(stored.id).for_user(user(0));
    let done = ChangeOutcome::Done;
    assert_eq!(retracted(&tidings, retraction).await, done);
    let after = tidings.summary(user(0)).await.expect("readable");
    assert_eq!((after.unread_count, after.total_count), (1, 1));
    let mut late = tidings.subscribe(user(0), start).await.expect("readable");
    assert!(matches!(next(&mut late).await, StreamItem::Ready { .. }));
    for reader in readers.iter_mut().chain([&mut late]) {
        let StreamItem::Deleted { deletion, cursor } = next(reader).await else {
            panic!("the deletion comes");
        };
        assert_eq!((deletion.ids, cursor), (vec![stored.id], after.cursor));
    }
    assert_eq!(listed::all(&tidings, user(0)).await, [kept]);
    // A repeat takes no rev, and neither a late publish nor an update brings the event back.
    assert_eq!(retracted(&tidings, retraction).await, done);
    let receipt = tidings.publish(first).await.expect("a repeat");
    assert!(receipt.repeated && receipt.deleted);
    let update = Event::update(stored.id)
        .for_user(user(0))
        .with_severity(stored.severity);
    let update = update.build().expect("the test's update keeps the rules");
    let rejected = tidings.update(update).await;
    assert!(
        matches!(rejected, Err(UpdateError::NotFound)),
        "{rejected:?}"
    );
    assert_eq!(head(&tidings, user(0)).await, after.cursor);
    // The owner has deleted it first.
    let second = published(&tidings, event(Some(user(0)), 3)).await;
    let deleted = tidings.delete(user(0), second.id).await;
    assert_eq!(deleted.expect("it answers"), done);
    let retraction = Retraction::of(second.id).for_user(user(0));
    assert_eq!(retracted(&tidings, retraction).await, done);
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_retracted_system_event_disappears_for_every_user(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let wrong = published(&tidings, event(None, 1)).await;
    let right = published(&tidings, event(None, 2)).await;
    for (owner, is_deleted) in [(user(0), false), (user(1), true)] {
        let done = match is_deleted {
            true => tidings.delete(owner, wrong.id).await,
            false => tidings.set_status(owner, wrong.id, Status::Read).await,
        };
        assert_eq!(done.expect("it answers"), ChangeOutcome::Done);
    }
    let mut readers = Vec::new();
    for owner in [user(0), user(1), user(2), system] {
        readers.push((owner, live(&tidings, owner).await));
    }
    let retraction = Retraction::of(wrong.id);
    assert_eq!(retracted(&tidings, retraction).await, ChangeOutcome::Done);
    for (owner, mut reader) in readers {
        let StreamItem::Deleted { deletion, .. } = next(&mut reader).await else {
            panic!("the deletion comes");
        };
        assert_eq!(deletion.ids, [wrong.id]);
        assert!(deletion.counts.is_some());
        assert_eq!(
            listed::all(&tidings, owner).await,
            std::slice::from_ref(&right)
        );
        let summary = tidings.summary(owner).await.expect("readable");
        assert_eq!((summary.unread_count, summary.read_count), (1, 0));
    }
    assert_eq!(retracted(&tidings, retraction).await, ChangeOutcome::Done);
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_publisher_retracts_only_what_its_systems_published(dir: TestDir) {
    let tidings = dir.open().await;
    let engine = Engine::of(&tidings);
    let [one, other] = [1, 2].map(|number| SystemId::from_uuid(Uuid::from_u128(number)));
    for owner in [Some(user(0)), None] {
        let mut event = event(owner, 1);
        event.system_id = one;
        let event = published(&tidings, event).await;
        let retraction = match owner {
            Some(owner) => Retraction::of(event.id).for_user(owner),
            None => Retraction::of(event.id),
        };
        let before = head(&tidings, user(0)).await;
        for systems in [vec![other], Vec::new()] {
            let rejected = engine.retract(retraction, Some(systems)).await;
            assert!(
                matches!(rejected, Err(RetractError::ForeignSystem { system }) if system == one),
                "{rejected:?}"
            );
        }
        assert_eq!(head(&tidings, user(0)).await, before);
        let done = engine.retract(retraction, Some(vec![other, one])).await;
        assert_eq!(done.expect("it answers"), ChangeOutcome::Done);
    }
    assert_eq!(listed::all(&tidings, user(0)).await, []);
    tidings.close().await;
}

pub(crate) async fn a_retraction_means_one_inbox_only(dir: TestDir) {
    let tidings = dir.open().await;
    let mut same = Vec::new();
    let first = event(Some(user(0)), 1);
    for owner in [Some(user(0)), Some(user(1)), None] {
        let mut event = first.clone();
        event.owner = owner;
        same.push(published(&tidings, event).await);
    }
    let id = first.id;
    let outcome = async |owner| {
        let retraction = Retraction::of(id);
        let retraction = match owner {
            Some(owner) => retraction.for_user(owner),
            None => retraction,
        };
        retracted(&tidings, retraction).await
    };
    let (done, unknown) = (ChangeOutcome::Done, ChangeOutcome::NotFound);
    // A user who sees the system's event with this id only, and one that does not exist.
    assert_eq!(outcome(Some(user(2))).await, unknown);
    assert_eq!(outcome(Some(OwnerId::mint())).await, unknown);
    assert_eq!(outcome(Some(user(1))).await, done);
    let [own, _, of_system] = same.try_into().expect("three events");
    let seen = |owner| listed::all(&tidings, owner);
    assert_eq!(seen(user(1)).await, std::slice::from_ref(&of_system));
    assert_eq!(seen(user(0)).await.len(), 2);
    assert_eq!(outcome(None).await, done);
    assert_eq!(seen(user(1)).await, []);
    assert_eq!(seen(user(0)).await, [own]);
    // The system's event is remembered as deleted, and no event of the user.
    assert_eq!(outcome(Some(user(2))).await, unknown);
    let own = EventRef::of(OwnerKind::User, id);
    let deleted = tidings.delete(user(2), own).await;
    assert_eq!(deleted.expect("it answers"), unknown);
    let retraction = Retraction::of(EventId::mint());
    assert_eq!(retracted(&tidings, retraction).await, unknown);
    tidings.close().await;
    dir.audit();
}
