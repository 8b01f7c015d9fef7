//! The promises of events that go to several owners.

use futures_util::future::join_all;
use tidings::wire::Engine;
use tidings::{
    ChangeOutcome, Event, PublishError, Recipients, Retraction, Severity, SharedReceipt, Start,
    Status, StreamItem, Subscription, Tidings, UpdateError,
};
use tidings_event::{EventId, OwnerId, SystemId};
use uuid::Uuid;

use super::{builder, built, event};
use crate::listed;
use crate::reader::next;
use crate::test_dir::TestDir;

/// The n-th of many users.
fn many(number: u128) -> OwnerId {
    OwnerId::from(Uuid::from_u128(0xBEEF_0000 + number))
}

fn recipients(numbers: impl IntoIterator<Item = u128>) -> Recipients {
    Recipients::new(numbers.into_iter().map(many)).expect("they are few")
}

async fn published(
    tidings: &Tidings,
    event: &Event,
    numbers: impl IntoIterator<Item = u128>,
) -> (u64, u64, bool) {
    let receipt = tidings
        .publish_to_many(event.clone(), recipients(numbers))
        .await;
    let SharedReceipt {
        reached,
        repeated,
        retracted,
        ..
    } = receipt.expect("it is stored");
    (reached, repeated, retracted)
}

fn update(id: EventId, severity: Severity, text: &str) -> tidings::UpdateBuilder {
    Event::update(id)
        .with_severity(severity)
        .with_description(text)
}

async fn updated(tidings: &Tidings, builder: tidings::UpdateBuilder) -> (u64, u64) {
    let update = builder.build().expect("the update keeps the rules");
    let receipt = tidings.update_for_all(update).await.expect("it is updated");
    assert!(!receipt.superseded && receipt.over_quota == 0);
    (receipt.updated, receipt.unchanged)
}

/// What an owner has under an id.
async fn text(tidings: &Tidings, number: u128, id: EventId) -> Option<String> {
    let event = tidings.get(many(number), id).await.expect("readable");
    event.map(|event| event.description)
}

/// A subscription that has reached `live`.
async fn live(tidings: &Tidings, owner: OwnerId) -> Subscription {
    let opened = tidings.subscribe(owner, Start::Now).await;
    let mut reader = opened.expect("readable");
    while !matches!(next(&mut reader).await, StreamItem::Live { .. }) {}
    reader
}

pub(crate) async fn a_repeat_reaches_exactly_the_rest(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(None, 1);
    // One of them has other events before it, so that the revs differ.
    let before = event(Some(many(1)), 2);
    tidings.publish(before).await.expect("it is stored");
    let mut readers = [live(&tidings, many(0)).await, live(&tidings, many(1)).await];
    assert_eq!(published(&tidings, &sent, [0, 1]).await, (2, 0, false));
    for (number, reader) in (0..).zip(&mut readers) {
        let StreamItem::Created { event, cursor } = next(reader).await else {
            panic!("the event comes");
        };
        let rev = u64::try_from(number + 1).expect("it is small");
        let expected = (sent.id, Some(many(number)), rev);
        assert_eq!((event.id, event.owner, cursor.own.get()), expected);
        let stored = tidings.get(many(number), sent.id).await.expect("readable");
        assert_eq!(stored.as_ref(), Some(&*event));
    }
    // The order does not matter, and neither does naming one twice.
    assert_eq!(published(&tidings, &sent, [1, 0, 1]).await, (0, 2, false));
    assert_eq!(published(&tidings, &sent, [2, 0, 3]).await, (2, 1, false));
    // Each owner's is the event as if it had been published to this owner alone.
    let mut alone = sent.clone();
    alone.owner = Some(many(3));
    assert!(tidings.publish(alone).await.expect("a repeat").repeated);
    // A recipient who deletes it keeps it deleted.
    let deleted = tidings.delete(many(2), sent.id).await.expect("it answers");
    assert_eq!(deleted, ChangeOutcome::Done);
    assert_eq!(published(&tidings, &sent, [2, 4]).await, (1, 1, false));
    assert_eq!(text(&tidings, 2, sent.id).await, None);
    for number in [0, 1, 3, 4] {
        assert_eq!(
            text(&tidings, number, sent.id).await.as_deref(),
            Some("event 1")
        );
    }
    for (number, mut reader) in (0..).zip(readers) {
        let marked = tidings
            .set_status(many(number), sent.id, Status::Read)
            .await;
        marked.expect("it answers");
        assert!(matches!(next(&mut reader).await, StreamItem::Status { .. }));
    }
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_conflict_of_one_owner_rejects_all(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(None, 1);
    for number in 0..5 {
        let mut other = event(Some(many(number)), 2);
        other.id = sent.id;
        tidings.publish(other).await.expect("it is stored");
    }
    let rejected = tidings
        .publish_to_many(sent.clone(), recipients(0..10))
        .await;
    let Err(PublishError::OwnersConflict { owners, number }) = rejected else {
        panic!("it is a conflict: {rejected:?}");
    };
    assert_eq!((owners, number), ((0..3).map(many).collect(), 5));
    for number in 5..10 {
        assert!(listed::all(&tidings, many(number)).await.is_empty());
    }
    assert_eq!(published(&tidings, &sent, 5..10).await, (5, 0, false));
    // The id now names this content for all owners to come.
    let mut other = sent.clone();
    other.description = "other".into();
    let rejected = tidings.publish_to_many(other, recipients([20])).await;
    assert!(matches!(
        rejected,
        Err(PublishError::OwnersConflict { number: 0, .. })
    ));
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn unusable_requests_are_rejected(dir: TestDir) {
    let tidings = dir.open().await;
    let rejected = tidings
        .publish_to_many(event(Some(many(0)), 1), recipients([0]))
        .await;
    let Err(PublishError::Invalid(violations)) = rejected else {
        panic!("an owner stands beside the owners: {rejected:?}");
    };
    assert_eq!(violations.iter().next().expect("one").field, "owner");
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let with_system = Recipients::new([many(0), system]).expect("two");
    let rejected = tidings.publish_to_many(event(None, 1), with_system).await;
    let Err(PublishError::Invalid(violations)) = rejected else {
        panic!("the system is an owner: {rejected:?}");
    };
    assert_eq!(violations.iter().next().expect("one").field, "owners");
    let mut large = event(None, 1);
    large.description = "x".repeat(4000);
    large.metadata =
        Some(std::iter::once(("text".to_owned(), "x".repeat(60_000).into())).collect());
    let reached = tidings.publish_to_many(large, recipients(0..3)).await;
    assert_eq!(reached.expect("it fits").reached, 3);
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn an_update_reaches_all_recipients_in_steps(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(None, 1);
    assert_eq!(published(&tidings, &sent, 0..200).await, (200, 0, false));
    let marked = tidings.set_status(many(7), sent.id, Status::Read).await;
    marked.expect("it answers");
    tidings.delete(many(8), sent.id).await.expect("it answers");
    let start = Start::After(tidings.summary(many(7)).await.expect("readable").cursor);
    let to_warning = || update(sent.id, Severity::Warning, "second").with_sequence(1);
    assert_eq!(updated(&tidings, to_warning()).await, (199, 0));
    assert_eq!(updated(&tidings, to_warning()).await, (0, 199));
    for number in [0, 7, 199] {
        let summary = tidings.summary(many(number)).await.expect("readable");
        // It has become more urgent.
        assert_eq!((summary.unread_count, summary.total_count), (1, 1));
        assert_eq!(
            text(&tidings, number, sent.id).await.as_deref(),
            Some("second")
        );
    }
    assert_eq!(text(&tidings, 8, sent.id).await, None);
    let mut late = tidings.subscribe(many(7), start).await.expect("readable");
    assert!(matches!(next(&mut late).await, StreamItem::Ready { .. }));
    let StreamItem::Updated { change, .. } = next(&mut late).await else {
        panic!("the update is replayed");
    };
    assert_eq!(change.event.description, "second");
    // Owners who are added get the event as it is now.
    let mut reader = live(&tidings, many(300)).await;
    assert_eq!(published(&tidings, &sent, [300, 0]).await, (1, 1, false));
    let StreamItem::Created { event, .. } = next(&mut reader).await else {
        panic!("the event comes");
    };
    assert_eq!(
        (&*event.description, event.severity),
        ("second", Severity::Warning)
    );
    // An update of one owner changes no other's, and a later one of all reaches this owner, too.
    let one = update(sent.id, Severity::Warning, "for one").for_user(many(3));
    let receipt = tidings
        .update(one.build().expect("it keeps the rules"))
        .await;
    receipt.expect("it is updated");
    assert_eq!(text(&tidings, 3, sent.id).await.as_deref(), Some("for one"));
    assert_eq!(text(&tidings, 4, sent.id).await.as_deref(), Some("second"));
    let third = update(sent.id, Severity::Warning, "third").with_sequence(2);
    assert_eq!(updated(&tidings, third).await, (200, 0));
    assert_eq!(text(&tidings, 3, sent.id).await.as_deref(), Some("third"));
    let old = update(sent.id, Severity::Warning, "old").with_sequence(1);
    let old = old.build().expect("it keeps the rules");
    let receipt = tidings.update_for_all(old).await.expect("it answers");
    assert_eq!((receipt.updated, receipt.warnings.len()), (0, 1));
    // A search finds the newest text of each.
    for (number, needle, found) in [(3, "THIRD", 1), (4, "second", 0), (300, "third", 1)] {
        let filter = tidings::EventFilter::default().with_search(needle);
        let page = tidings.list(many(number), filter, tidings::PageRequest::default());
        assert_eq!(
            page.await.expect("readable").events.len(),
            found,
            "{needle}"
        );
    }
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_retraction_reaches_all_recipients_for_good(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(None, 1);
    let foreign = Some(vec![SystemId::from_uuid(Uuid::max())]);
    let engine = Engine::of(&tidings);
    let unknown = tidings.retract_from_all(sent.id).await;
    assert_eq!(unknown.expect("it answers"), ChangeOutcome::NotFound);
    assert_eq!(published(&tidings, &sent, 0..200).await, (200, 0, false));
    let rejected = engine.retract_from_all(sent.id, foreign).await;
    assert!(rejected.is_err());
    // From one of them first.
    let one = Retraction::of(sent.id).for_user(many(5));
    assert_eq!(
        tidings.retract(one).await.expect("it answers"),
        ChangeOutcome::Done
    );
    assert_eq!(text(&tidings, 5, sent.id).await, None);
    assert!(text(&tidings, 6, sent.id).await.is_some());
    let mut reader = live(&tidings, many(6)).await;
    for _ in 0..2 {
        let retracted = tidings.retract_from_all(sent.id).await;
        assert_eq!(retracted.expect("it answers"), ChangeOutcome::Done);
    }
    assert!(matches!(
        next(&mut reader).await,
        StreamItem::Deleted { .. }
    ));
    for number in [0, 6, 199] {
        assert!(listed::all(&tidings, many(number)).await.is_empty());
    }
    // It reaches no one any more, and cannot be updated.
    assert_eq!(published(&tidings, &sent, [6, 500]).await, (0, 1, true));
    assert!(listed::all(&tidings, many(500)).await.is_empty());
    let again = update(sent.id, Severity::Warning, "again").build();
    let rejected = tidings
        .update_for_all(again.expect("it keeps the rules"))
        .await;
    assert!(matches!(rejected, Err(UpdateError::NotFound)));
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_retraction_is_not_lost_beside_publishes_to_more_owners(dir: TestDir) {
    let tidings = dir.open().await;
    for round in 0..8 {
        let sent = event(None, round);
        published(&tidings, &sent, 0..10).await;
        let (tidings, sent) = (&tidings, &sent);
        let publishes = join_all((1..20_u128).map(|number| async move {
            let numbers = number * 10..number * 10 + 10;
            published(tidings, sent, numbers).await
        }));
        let (_, retracted) = tokio::join!(publishes, tidings.retract_from_all(sent.id));
        assert_eq!(retracted.expect("it answers"), ChangeOutcome::Done);
        for number in 0..200 {
            assert_eq!(
                text(tidings, number, sent.id).await,
                None,
                "{round}, {number}"
            );
        }
    }
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn newcomers_have_the_newest_text_beside_updates(dir: TestDir) {
    let tidings = dir.open().await;
    for round in 0..8 {
        let sent = event(None, round);
        published(&tidings, &sent, 0..10).await;
        let (tidings, sent) = (&tidings, &sent);
        let publishes = join_all((1..20_u128).map(|number| async move {
            let numbers = number * 10..number * 10 + 10;
            published(tidings, sent, numbers).await
        }));
        let updates = join_all((1..6).map(|number| {
            let update = update(sent.id, Severity::Warning, &format!("update {number}"));
            let update = update.with_sequence(number).build();
            tidings.update_for_all(update.expect("it keeps the rules"))
        }));
        let (_, updates) = tokio::join!(publishes, updates);
        for updated in updates {
            updated.expect("it answers");
        }
        for number in 0..200 {
            let text = text(tidings, number, sent.id).await;
            assert_eq!(text.as_deref(), Some("update 5"), "{round}, {number}");
        }
    }
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_full_quota_of_one_owner_rejects_all(dir: TestDir) {
    let config = dir.config().with_owner_bytes(1_000);
    let tidings = Tidings::open(config).await.expect("it opens");
    let large = |owner| built(builder(owner).with_description("x".repeat(900)));
    let first = tidings.publish(large(Some(many(1)))).await;
    first.expect("it fits into twice the quota");
    let sent = large(None);
    let rejected = tidings
        .publish_to_many(sent.clone(), recipients(0..3))
        .await;
    let Err(PublishError::OwnerQuotaExceeded { owner, .. }) = rejected else {
        panic!("the quota is used up: {rejected:?}");
    };
    assert_eq!(owner, many(1));
    for number in [0, 2] {
        assert!(listed::all(&tidings, many(number)).await.is_empty());
    }
    assert_eq!(published(&tidings, &sent, [0, 2]).await, (2, 0, false));
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn publishers_with_one_id_have_audiences_of_their_own(dir: TestDir) {
    let tidings = dir.open().await;
    let ours = event(None, 1);
    let mut theirs = ours.clone();
    theirs.system_id = SystemId::mint();
    assert_eq!(published(&tidings, &ours, [0, 1]).await, (2, 0, false));
    assert_eq!(published(&tidings, &theirs, [2, 3]).await, (2, 0, false));
    for (number, expected) in [(1, (4, 0)), (1, (0, 4)), (2, (4, 0))] {
        let text = format!("update {number}");
        // Beside a request that has nothing to do with it.
        let other = tidings.publish(event(Some(many(9)), 10 + number));
        let changed = updated(&tidings, update(ours.id, Severity::Warning, &text));
        let (other, changed) = tokio::join!(other, changed);
        other.expect("it is stored");
        assert_eq!(changed, expected, "{text}");
    }
    for number in 0..4 {
        let found = text(&tidings, number, ours.id).await;
        assert_eq!(found.as_deref(), Some("update 2"), "{number}");
    }
    // The content of one goes without that of the other.
    for number in [0, 1] {
        let deleted = tidings.delete(many(number), ours.id).await;
        deleted.expect("it answers");
    }
    let found = text(&tidings, 2, ours.id).await;
    assert_eq!(found.as_deref(), Some("update 2"));
    tidings.close().await;
    dir.audit();
}
