//! The promises of marking and deleting.

use std::collections::BTreeMap;

use tidings::wire;
use tidings::{
    Change, ChangeError, ChangeOutcome, Event, EventFilter, Selection, Start, Status, StreamItem,
    Subscription, Tidings,
};
use tidings_event::wire::Policy;
use tidings_event::{
    CountDelta, Cursor, Draft, EventId, Limits, NewEvent, OwnerId, ResetReason, Severity, Sort,
};

use super::{builder, built, event};
use crate::listed;
use crate::model::{sort_events, user};
use crate::reader::{Reader, next};
use crate::test_dir::TestDir;

const READ: Change = Change::Status(Status::Read);

async fn published(tidings: &Tidings, owner: Option<OwnerId>, number: u64) -> Event {
    let receipt = tidings.publish(event(owner, number)).await;
    receipt.expect("it is stored").event()
}

async fn many(tidings: &Tidings, owner: OwnerId, number: u64) -> Vec<EventId> {
    let mut ids = Vec::new();
    for batch in (0..number).collect::<Vec<_>>().chunks(1000) {
        let events = batch.iter().map(|number| event(Some(owner), *number));
        let receipts = tidings.publish_batch(events.collect()).await;
        ids.extend(receipts.expect("stored").iter().map(|receipt| receipt.id));
    }
    ids
}

async fn cursor(tidings: &Tidings, owner: OwnerId) -> Cursor {
    tidings.summary(owner).await.expect("readable").cursor
}

/// A subscription that has reached `live`.
async fn live(tidings: &Tidings, owner: OwnerId) -> Subscription {
    let opened = tidings.subscribe(owner, Start::Now).await;
    let mut reader = opened.expect("readable");
    while !matches!(next(&mut reader).await, StreamItem::Live { .. }) {}
    reader
}

pub(crate) async fn reports_each_outcome_and_hides_foreign_events(dir: TestDir) {
    let tidings = dir.open().await;
    let own = published(&tidings, Some(user(0)), 1).await;
    let foreign = published(&tidings, Some(user(1)), 2).await;
    let mark = async |id| {
        let marked = tidings.set_status(user(0), id, Status::Read).await;
        marked.expect("the store answers")
    };
    assert_eq!(mark(own.id).await, ChangeOutcome::Done);
    let marked = cursor(&tidings, user(0)).await;
    assert_eq!(mark(own.id).await, ChangeOutcome::Done);
    assert_eq!(cursor(&tidings, user(0)).await, marked);
    assert_eq!(mark(foreign.id).await, ChangeOutcome::NotFound);
    assert_eq!(mark(EventId::mint()).await, ChangeOutcome::NotFound);
    let delete = async |id| tidings.delete(user(0), id).await.expect("it answers");
    assert_eq!(delete(foreign.id).await, ChangeOutcome::NotFound);
    assert_eq!(delete(own.id).await, ChangeOutcome::Done);
    let deleted = cursor(&tidings, user(0)).await;
    assert_eq!(delete(own.id).await, ChangeOutcome::Done);
    assert_eq!(cursor(&tidings, user(0)).await, deleted);
    assert_eq!(mark(own.id).await, ChangeOutcome::NotFound);
    // The deleted event of another user is unknown, too.
    let other = tidings.delete(user(1), own.id).await.expect("it answers");
    assert_eq!(other, ChangeOutcome::NotFound);
    // A bulk change skips all of these, and an id that is named twice.
    let selection = Selection::ids([own.id, foreign.id, foreign.id]);
    let changes = tidings.change(user(1), selection, READ).await;
    assert_eq!(changes.expect("it answers").ids, [foreign.id]);
    tidings.close().await;
}

pub(crate) async fn a_change_without_effect_takes_no_rev(dir: TestDir) {
    let tidings = dir.open().await;
    let own = published(&tidings, Some(user(0)), 1).await;
    let system = published(&tidings, None, 2).await;
    let before = cursor(&tidings, user(0)).await;
    for id in [own.id, system.id] {
        let unread = tidings.set_status(user(0), id, Status::Unread).await;
        assert_eq!(unread.expect("it answers"), ChangeOutcome::Done);
    }
    let filter = Box::new(EventFilter::default().with_status(Status::Read));
    let selection = Selection::Filter {
        filter,
        up_to: before,
    };
    let changes = tidings.change(user(0), selection, Change::Delete).await;
    assert_eq!(changes.expect("it answers").count, 0);
    assert_eq!(cursor(&tidings, user(0)).await, before);
    tidings.close().await;
}

pub(crate) async fn a_change_reaches_every_stream_with_its_counts(dir: TestDir) {
    let tidings = dir.open().await;
    let own = published(&tidings, Some(user(0)), 1).await;
    let warning = built(builder(None).with_severity(Severity::Warning));
    let system = tidings.publish(warning).await.expect("stored").event();
    let mut readers = [live(&tidings, user(0)).await, live(&tidings, user(0)).await];
    let selection = Selection::ids([own.id, system.id]);
    let changes = tidings.change(user(0), selection, READ).await;
    assert_eq!(changes.expect("it answers").count, 2);
    tidings
        .delete(user(0), system.id)
        .await
        .expect("it answers");
    for reader in &mut readers {
        let StreamItem::Status { cursor, change } = next(reader).await else {
            panic!("a change of status comes");
        };
        assert_eq!((cursor.own.get(), cursor.system.get()), (3, 1));
        assert_eq!(change.ids, [own.id, system.id]);
        assert_eq!(change.status, Status::Read);
        let mut counts = CountDelta::default();
        for severity in [Severity::Warning, Severity::Informational] {
            counts.add(Status::Unread, severity, -1);
            counts.add(Status::Read, severity, 1);
        }
        assert_eq!(change.counts, Some(counts));
        let listed = tidings.get(user(0), own.id).await.expect("readable");
        assert_eq!(listed.expect("it is there").updated_at, change.updated_at);
        let StreamItem::Deleted { cursor, deletion } = next(reader).await else {
            panic!("a deletion comes");
        };
        assert_eq!(cursor.own.get(), 4);
        assert_eq!(deletion.ids, [system.id]);
        let counts = deletion.counts.expect("the counts are known");
        assert!(counts.unread.is_empty());
        assert_eq!(counts.read, BTreeMap::from([(Severity::Warning, -1)]));
    }
    tidings.close().await;
}

pub(crate) async fn a_bulk_change_comes_in_bounded_frames(dir: TestDir) {
    let tidings = dir.open().await;
    let ids = many(&tidings, user(0), 1300).await;
    let before = cursor(&tidings, user(0)).await;
    let mut reader = live(&tidings, user(0)).await;
    let selection = Selection::All { up_to: None };
    let changes = tidings.change(user(0), selection, READ).await;
    assert_eq!(changes.expect("it answers").count, 1300);
    let mut live_ids = Vec::new();
    let mut frames = 0;
    while live_ids.len() < 1300 {
        let StreamItem::Status { cursor, change } = next(&mut reader).await else {
            panic!("only changes of status come");
        };
        assert!(change.ids.len() <= StreamItem::MAX_IDS);
        live_ids.extend(change.ids);
        assert_eq!(cursor.own.get(), 1300 + live_ids.len() as u64);
        frames += 1;
    }
    assert_eq!(live_ids, ids);
    assert_eq!(frames, 3);
    // A reader who was away gets the same ids in as few frames.
    let opened = tidings.subscribe(user(0), Start::After(before)).await;
    let mut returned = opened.expect("readable");
    let mut replayed = Vec::new();
    loop {
        match next(&mut returned).await {
            StreamItem::Status { change, .. } => {
                assert!(change.ids.len() <= StreamItem::MAX_IDS);
                assert_eq!(change.counts, None);
                replayed.extend(change.ids);
            }
            StreamItem::Live { summary, .. } => {
                assert_eq!(summary.total(Status::Read), 1300);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(replayed, ids);
    tidings.close().await;
}

/// There are more deletions than fit in one piece of a replay, mixed with more marks or with fewer.
pub(crate) async fn a_replay_spans_more_changes_than_one_piece(dir: TestDir) {
    let tidings = dir.open().await;
    for (owner, marked) in [(user(0), 3), (user(1), 2)] {
        let ids = many(&tidings, owner, 3000).await;
        let mut reader = Reader::new(owner, &tidings);
        reader.reconnect(&tidings).await;
        while !reader.has_reached(cursor(&tidings, owner).await) {
            reader.step().await;
        }
        reader.cut();
        for five in ids.chunks(5) {
            for (some, change) in [(&five[..marked], READ), (&five[marked..], Change::Delete)] {
                let selection = Selection::ids(some.iter().copied());
                let changed = tidings.change(owner, selection, change).await;
                changed.expect("it answers");
            }
        }
        let head = cursor(&tidings, owner).await;
        reader.reconnect(&tidings).await;
        while !reader.has_reached(head) {
            reader.step().await;
        }
        let mut seen: Vec<_> = reader.inbox.into_values().collect();
        sort_events(&mut seen, Sort::default());
        assert!(seen == listed::all(&tidings, owner).await);
        assert_eq!(seen.len(), 600 * marked);
    }
    tidings.close().await;
}

pub(crate) async fn a_bulk_change_touches_nothing_newer_than_its_cursor(dir: TestDir) {
    let tidings = dir.open().await;
    let seen = published(&tidings, Some(user(0)), 1).await;
    let seen_system = published(&tidings, None, 2).await;
    let up_to = cursor(&tidings, user(0)).await;
    let newer = published(&tidings, Some(user(0)), 3).await;
    let newer_system = published(&tidings, None, 4).await;
    let filter = EventFilter::default().with_severity([Severity::Informational]);
    let by_filter = Selection::Filter {
        filter: Box::new(filter),
        up_to,
    };
    let marked = tidings.change(user(0), by_filter, READ).await;
    assert_eq!(marked.expect("it answers").count, 2);
    let all_seen = Selection::All { up_to: Some(up_to) };
    let deleted = tidings.change(user(0), all_seen, Change::Delete).await;
    assert_eq!(deleted.expect("it answers").count, 2);
    let mut left: Vec<_> = listed::all(&tidings, user(0)).await;
    left.sort_by_key(|event| event.id);
    assert_eq!(left, [newer, newer_system]);
    for gone in [seen.id, seen_system.id] {
        assert_eq!(tidings.get(user(0), gone).await.expect("readable"), None);
    }
    tidings.close().await;
}

pub(crate) async fn an_unusable_selection_is_rejected(dir: TestDir) {
    let tidings = dir.open().await;
    let own = published(&tidings, Some(user(0)), 1).await;
    let head = cursor(&tidings, user(0)).await;
    let foreign = cursor(&tidings, user(1)).await;
    let too_new = Cursor {
        own: head.own.next(),
        ..head
    };
    let change = async |selection| tidings.change(user(0), selection, Change::Delete).await;
    for (up_to, expected) in [
        (foreign, ResetReason::Foreign),
        (too_new, ResetReason::TooNew),
    ] {
        let rejected = change(Selection::All { up_to: Some(up_to) }).await;
        assert!(
            matches!(rejected, Err(ChangeError::UpTo(reason)) if reason == expected),
            "{rejected:?}"
        );
    }
    // A search for an empty text does not restrict anything.
    for search in [None, Some(String::new())] {
        let mut filter = Box::<EventFilter>::default();
        filter.search = search;
        let rejected = change(Selection::Filter {
            filter,
            up_to: head,
        })
        .await;
        assert!(matches!(rejected, Err(ChangeError::EmptyFilter)));
    }
    let limit = tidings.limits().change_ids;
    let rejected = change(Selection::ids(vec![own.id; limit + 1])).await;
    assert!(matches!(rejected, Err(ChangeError::TooManyIds { .. })));
    assert_eq!(listed::all(&tidings, user(0)).await.len(), 1);
    tidings.close().await;
    let closed = tidings.delete(user(0), own.id).await;
    assert!(matches!(closed, Err(ChangeError::Closed)));
}

pub(crate) async fn publishing_continues_between_the_steps_of_a_bulk_change(dir: TestDir) {
    let tidings = dir.open().await;
    many(&tidings, user(0), 30_000).await;
    let bulk = tokio::spawn({
        let tidings = tidings.clone();
        async move {
            let selection = Selection::All { up_to: None };
            tidings.change(user(0), selection, READ).await
        }
    });
    let mut meanwhile = 0;
    while !bulk.is_finished() {
        published(&tidings, Some(user(1)), meanwhile).await;
        meanwhile += 1;
    }
    assert_eq!(
        bulk.await.expect("no panic").expect("it answers").count,
        30_000
    );
    // The change has about 60 steps.
    assert!(meanwhile > 10, "only {meanwhile} were published meanwhile");
    tidings.close().await;
}

pub(crate) async fn a_bulk_change_survives_its_caller(dir: TestDir) {
    let tidings = dir.open().await;
    many(&tidings, user(0), 3000).await;
    let mut reader = live(&tidings, user(0)).await;
    let selection = Selection::All { up_to: None };
    let change = tidings.change(user(0), selection, Change::Delete);
    // The future is polled once and dropped.
    tokio::select! {
        biased;
        done = change => panic!("it takes longer: {done:?}"),
        () = std::future::ready(()) => {}
    }
    let mut gone = 0;
    while gone < 3000 {
        if let StreamItem::Deleted { deletion, .. } = next(&mut reader).await {
            gone += deletion.ids.len();
        }
    }
    assert!(listed::all(&tidings, user(0)).await.is_empty());
    tidings.close().await;
}

pub(crate) async fn a_deleted_event_stays_deleted_when_published_again(dir: TestDir) {
    let tidings = dir.open().await;
    let sent = event(Some(user(0)), 1);
    let first = tidings.publish(sent.clone()).await.expect("stored");
    tidings.delete(user(0), sent.id).await.expect("it answers");
    tidings.close().await;
    let tidings = dir.open().await;
    let again = tidings.publish(sent.clone()).await.expect("a repeat");
    assert!(again.repeated);
    assert_eq!((again.rev, again.owner), (first.rev, first.owner));
    let event = again.event();
    assert!(event.deleted_at.is_some());
    assert_eq!(event.description, sent.description);
    let mut other = sent;
    other.description.push('!');
    tidings.publish(other).await.expect_err("a conflict");
    assert!(listed::all(&tidings, user(0)).await.is_empty());
    tidings.close().await;
}

/// The server filled in the time of creation, and the list returns it.
pub(crate) async fn a_listed_event_can_be_published_back(dir: TestDir) {
    let tidings = dir.open().await;
    let mut sent = NewEvent::from(event(Some(user(0)), 1));
    sent.created_at = tidings_event::Given::Absent;
    let draft = |event: NewEvent| -> Draft {
        let draft = event.into_draft(&Limits::default(), Policy::Repair);
        draft.expect("it keeps the rules")
    };
    let wire = wire::Engine::of(&tidings);
    let publish = async |event: NewEvent| {
        let prepared = vec![wire.prepare(draft(event))];
        wire.publish(prepared).await
    };
    let stored = publish(sent.clone()).await.expect("stored")[0].event();
    for again in [sent, NewEvent::from(stored.clone())] {
        let receipts = publish(again).await.expect("a repeat");
        assert!(receipts[0].repeated);
        assert_eq!(receipts[0].event(), stored);
    }
    let mut later = NewEvent::from(stored);
    later.created_at = (tidings_event::Timestamp::now() + std::time::Duration::from_secs(1)).into();
    publish(later)
        .await
        .expect_err("another time is other content");
    tidings.close().await;
}
