//! An id names one event of an owner: other owners, and the system, can have events with the same id.

use tidings::{
    Change, ChangeOutcome, Event, EventFilter, EventRef, Selection, Start, Status, StreamItem,
    Tidings,
};
use tidings_event::{EventId, OwnerId, OwnerKind, Rev, Sort, SortKey, SortOrder};

use super::event;
use crate::listed;
use crate::model::{sort_events, user};
use crate::reader::next;
use crate::test_dir::TestDir;

const READ: Change = Change::Status(Status::Read);

/// The same event for another owner, or for the system.
fn copy(event: &Event, owner: Option<OwnerId>) -> Event {
    let mut copy = event.clone();
    copy.owner = owner;
    copy
}

/// Publishes one event to user 0 and to the system, and returns both as they are stored.
async fn twins(tidings: &Tidings) -> [Event; 2] {
    let own = event(Some(user(0)), 1);
    let batch = vec![copy(&own, None), own];
    let receipts = tidings.publish_batch(batch).await.expect("both are stored");
    let [of_system, own] = receipts.try_into().expect("there are two");
    assert_eq!(own.id, of_system.id);
    [own.event(), of_system.event()]
}

async fn get(tidings: &Tidings, owner: OwnerId, id: EventId) -> Option<Event> {
    tidings.get(owner, id).await.expect("readable")
}

pub(crate) async fn one_batch_sends_one_event_to_many_owners(dir: TestDir) {
    let tidings = dir.open().await;
    let mut first = event(Some(user(0)), 1);
    // Its age counts from when it was stored, which is kept for each owner, too.
    first.created_at = "2099-01-01T00:00:00Z".parse().expect("a time");
    let owners = (0..5).map(|number| Some(user(number))).chain([None]);
    let batch: Vec<_> = owners.map(|owner| copy(&first, owner)).collect();
    let stored = tidings.publish_batch(batch.clone()).await.expect("stored");
    assert!(
        stored
            .iter()
            .all(|one| !one.repeated && one.rev == Some(Rev::new(1)))
    );
    let again = tidings.publish_batch(batch).await.expect("repeats");
    assert!(again.iter().all(|one| one.repeated));
    for number in 0..5 {
        let listed = listed::all(&tidings, user(number)).await;
        let owners: Vec<_> = listed.iter().map(|event| event.owner).collect();
        assert_eq!(owners, [stored[5].event().owner, Some(user(number))]);
    }
    // Each copy has a life of its own.
    let deleted = tidings.delete(user(0), first.id).await;
    assert_eq!(deleted.expect("it answers"), ChangeOutcome::Done);
    let marked = tidings.set_status(user(1), first.id, Status::Read).await;
    assert_eq!(marked.expect("it answers"), ChangeOutcome::Done);
    let left = get(&tidings, user(2), first.id).await;
    assert_eq!(left, Some(stored[2].event()));
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn an_id_tells_nothing_about_other_owners(dir: TestDir) {
    let tidings = dir.open().await;
    let foreign = event(Some(user(0)), 1);
    tidings.publish(foreign.clone()).await.expect("stored");
    let deleted = event(Some(user(0)), 2);
    tidings.publish(deleted.clone()).await.expect("stored");
    tidings.delete(user(0), deleted.id).await.expect("deleted");
    for known in [&foreign, &deleted] {
        // As with an id that no owner has.
        for id in [known.id, EventId::mint()] {
            assert_eq!(get(&tidings, user(1), id).await, None);
            let marked = tidings.set_status(user(1), id, Status::Read).await;
            assert_eq!(marked.expect("it answers"), ChangeOutcome::NotFound);
            let deleted = tidings.delete(user(1), id).await;
            assert_eq!(deleted.expect("it answers"), ChangeOutcome::NotFound);
        }
        let mut other = copy(known, Some(user(1)));
        other.description.push_str(", which is another");
        let receipt = tidings.publish(other.clone()).await.expect("stored");
        assert!(!receipt.repeated && receipt.event().deleted_at.is_none());
        other.description.clear();
        tidings
            .publish(other)
            .await
            .expect_err("a conflict within the feed");
    }
    assert_eq!(listed::all(&tidings, user(1)).await.len(), 2);
    assert_eq!(listed::all(&tidings, user(0)).await.len(), 1);
    let again = tidings.publish(deleted).await.expect("a repeat");
    assert!(again.repeated && again.event().deleted_at.is_some());
    tidings.close().await;
}

pub(crate) async fn an_id_means_the_own_event_before_the_system_s(dir: TestDir) {
    let tidings = dir.open().await;
    let [own, of_system] = twins(&tidings).await;
    let id = own.id;
    assert_eq!(get(&tidings, user(0), id).await.as_ref(), Some(&own));
    assert_eq!(get(&tidings, user(1), id).await.as_ref(), Some(&of_system));
    let marked = tidings.set_status(user(0), id, Status::Read).await;
    assert_eq!(marked.expect("it answers"), ChangeOutcome::Done);
    let status: Vec<_> = listed::all(&tidings, user(0)).await;
    let status: Vec<_> = status.iter().map(|event| event.status).collect();
    assert_eq!(status, [Status::Unread, Status::Read]);
    // A repeated deletion, such as a retry, leaves the event of the system alone.
    for _ in 0..2 {
        let deleted = tidings.delete(user(0), id).await;
        assert_eq!(deleted.expect("it answers"), ChangeOutcome::Done);
        let listed = listed::all(&tidings, user(0)).await;
        assert_eq!(listed, std::slice::from_ref(&of_system));
        assert_eq!(get(&tidings, user(0), id).await.as_ref(), listed.first());
    }
    assert_eq!(listed::all(&tidings, user(1)).await, [of_system]);
    tidings.close().await;
}

pub(crate) async fn an_owner_kind_tells_two_events_with_one_id_apart(dir: TestDir) {
    const KINDS: [OwnerKind; 2] = [OwnerKind::User, OwnerKind::System];
    let tidings = dir.open().await;
    let [own, of_system] = twins(&tidings).await;
    let id = own.id;
    let named = async |kind| {
        let event = tidings.get(user(0), EventRef::of(kind, id)).await;
        event.expect("readable").map(|event| event.status)
    };
    let both = async || [named(KINDS[0]).await, named(KINDS[1]).await];
    let (unread, read) = (Some(Status::Unread), Some(Status::Read));
    assert_eq!(both().await, [unread; 2]);
    let got = tidings.get(user(0), EventRef::of(KINDS[1], id)).await;
    assert_eq!(got.expect("readable"), Some(of_system.clone()));
    let mark = |event| tidings.set_status(user(0), event, Status::Read);
    let marked = mark(EventRef::of(KINDS[1], id)).await;
    assert_eq!(marked.expect("it answers"), ChangeOutcome::Done);
    assert_eq!(both().await, [unread, read]);
    let page = tidings.list(
        user(0),
        EventFilter::default(),
        tidings::PageRequest::default(),
    );
    let page = page.await.expect("readable");
    let mut kinds: Vec<_> = page
        .events
        .iter()
        .map(|event| page.owner_kind(event))
        .collect();
    kinds.sort();
    assert_eq!(kinds, KINDS);

    // A named event is never replaced by the other one.
    let delete = |event| tidings.delete(user(0), event);
    let deleted = delete(EventRef::of(KINDS[0], id)).await;
    assert_eq!(deleted.expect("it answers"), ChangeOutcome::Done);
    let selection = || Selection::ids([EventRef::of(KINDS[0], id)]);
    for change in [READ, Change::Delete] {
        let changed = tidings.change(user(0), selection(), change).await;
        assert_eq!(changed.expect("it answers").count, 0);
    }
    assert_eq!(
        mark(EventRef::of(KINDS[0], id)).await.expect("it answers"),
        ChangeOutcome::NotFound
    );
    assert_eq!(both().await, [None, read]);
    let deleted = delete(EventRef::of(KINDS[1], id)).await;
    assert_eq!(deleted.expect("it answers"), ChangeOutcome::Done);
    assert_eq!(both().await, [None, None]);
    assert_eq!(get(&tidings, user(1), id).await, Some(of_system));
    tidings.close().await;
}

pub(crate) async fn a_bulk_change_reaches_both_events_of_an_id(dir: TestDir) {
    let tidings = dir.open().await;
    let [own, _] = twins(&tidings).await;
    let opened = tidings.subscribe(user(0), Start::Now).await;
    let mut live = opened.expect("readable");
    while !matches!(next(&mut live).await, StreamItem::Live { .. }) {}
    let change = async |kind, change| {
        let mut filter =
            EventFilter::default().with_category(["deployment".parse().expect("a category")]);
        filter.owner_kind = kind;
        let selection = Selection::Filter {
            filter: Box::new(filter),
            up_to: tidings.summary(user(0)).await.expect("readable").cursor,
        };
        let changed = tidings.change(user(0), selection, change).await;
        changed.expect("it is changed").count
    };
    let start = Start::After(live.cursor());
    assert_eq!(change(Some(OwnerKind::System), READ).await, 1);
    let unread = Change::Status(Status::Unread);
    assert_eq!(change(Some(OwnerKind::System), unread).await, 1);
    assert_eq!(change(None, READ).await, 2);
    assert_eq!(change(None, Change::Delete).await, 2);
    assert!(listed::all(&tidings, user(0)).await.is_empty());
    // Its streams tell which of the two a frame is about.
    for (ids, system_ids) in [(1, 1), (1, 1), (2, 1), (2, 1)] {
        let (named, of_system) = names(next(&mut live).await);
        assert_eq!(named, vec![own.id; ids]);
        assert_eq!(of_system, Some(vec![own.id; system_ids]));
    }
    let opened = tidings.subscribe(user(0), start).await;
    let mut returned = opened.expect("readable");
    assert!(matches!(
        next(&mut returned).await,
        StreamItem::Ready { .. }
    ));
    let replayed = names(next(&mut returned).await);
    assert_eq!(replayed, (vec![own.id; 2], Some(vec![own.id])));
    tidings.close().await;
}

/// The ids of a frame, and which of them are the system's.
fn names(item: StreamItem) -> (Vec<EventId>, Option<Vec<EventId>>) {
    match item {
        StreamItem::Status { change, .. } => (change.ids, change.system_ids),
        StreamItem::Deleted { deletion, .. } => (deletion.ids, deletion.system_ids),
        other => panic!("unexpected {other:?}"),
    }
}

pub(crate) async fn pages_hold_both_events_of_an_id(dir: TestDir) {
    let tidings = dir.open().await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.extend(twins(&tidings).await);
    }
    for key in [SortKey::CreatedAt, SortKey::UpdatedAt] {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let sort = Sort { key, order };
            sort_events(&mut events, sort);
            for search in [None, Some("event".to_owned())] {
                let mut filter = EventFilter::default();
                filter.search = search;
                for size in 1..4 {
                    let listed = listed::by_token(&tidings, user(0), &filter, sort, size).await;
                    assert_eq!(listed, events, "{sort:?} {size}");
                }
            }
        }
    }
    tidings.close().await;
}
