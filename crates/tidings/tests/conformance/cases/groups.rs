//! Requests that arrive at once share a commit, which must not change their results.

use futures_util::future::join_all;
use proptest::prelude::*;
use tidings::{Change, Event, EventId, PublishError, Selection, Tidings};
use tidings_event::{EventTypes, OwnerId, Rev, Severity, Summary};
use uuid::Uuid;

use super::{builder, built};
use crate::listed;
use crate::model::user;
use crate::seeds;
use crate::test_dir::TestDir;

/// How many random groups run. Each is stored in two stores on disk.
const GROUPS: usize = 48;

/// Tokio would poll more futures in another order.
const REQUESTS: usize = 30;

/// One of a few possible events, so that many are repeats or conflicts.
#[derive(Clone, Copy, Debug)]
struct Sent {
    id: u16,
    owner: u8,
    text: u8,
}

impl Sent {
    fn event(self) -> Event {
        let owner = (self.owner < 2).then(|| user(self.owner));
        let kinds = [
            Severity::Informational,
            Severity::Success,
            Severity::Warning,
        ];
        let builder = builder(owner)
            .with_severity(kinds[usize::from(self.id) % kinds.len()])
            .with_action(["apply", "remove"][usize::from(self.id) / 3 % 2]);
        let mut event = built(builder.with_description(format!("text {}", self.text)));
        event.id = EventId::from_uuid(Uuid::from_u128(0xE000 + u128::from(self.id)));
        event.operation_id = Uuid::from_u128(1).into();
        event.created_at = "2026-01-01T00:00:00Z".parse().expect("it is a time");
        event.updated_at = event.created_at;
        event
    }
}

/// An event with one of `ids` ids; the fewer there are, the more of the requests are not new. An id can go
/// to two users and to the system.
fn sent(ids: u16) -> impl Strategy<Value = Sent> {
    let text = prop_oneof![4 => Just(0), 1 => Just(1)];
    (0..ids, 0..3_u8, text).prop_map(|(id, owner, text)| Sent { id, owner, text })
}

/// Mostly single events, and some requests that need several statements.
fn requests(ids: u16) -> impl Strategy<Value = Vec<Vec<Sent>>> {
    let request = prop_oneof![
        6 => prop::collection::vec(sent(ids), 1),
        2 => prop::collection::vec(sent(ids), 1..6),
        1 => prop::collection::vec(sent(ids), 60..140),
    ];
    prop::collection::vec(request, 1..REQUESTS)
}

/// The result of a request: the rev of each event and whether it is a repeat, or the index of the conflict.
type Told = Result<Vec<(u64, bool)>, usize>;

async fn publish(tidings: &Tidings, request: Vec<Sent>) -> Told {
    let events = request.into_iter().map(Sent::event).collect();
    match tidings.publish_batch(events).await {
        Ok(receipts) => Ok(receipts
            .iter()
            .map(|receipt| (receipt.rev.map_or(0, Rev::get), receipt.repeated))
            .collect()),
        Err(PublishError::Conflict { index, .. }) => Err(index),
        Err(other) => panic!("{other:?}"),
    }
}

/// Opens a store with some events, of which one is deleted.
async fn begun(dir: &TestDir, taken: &[Sent]) -> Tidings {
    let tidings = dir.open().await;
    for one in taken {
        // An event can occur twice.
        let _ = publish(&tidings, vec![*one]).await;
    }
    if let Some(one) = taken.first().filter(|one| one.owner < 2) {
        let selection = Selection::ids([one.event().id]);
        let deleted = tidings.change(user(one.owner), selection, Change::Delete);
        assert_eq!(deleted.await.expect("it can be deleted").count, 1);
    }
    tidings
}

/// The inbox of an owner and its counts, as far as they do not depend on the store.
type Held = (Vec<(EventId, String)>, Summary, EventTypes);

async fn inboxes(tidings: &Tidings) -> Vec<Held> {
    let mut inboxes = Vec::new();
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    for owner in [user(0), user(1), system] {
        let events = listed::all(tidings, owner).await;
        let summary = tidings.summary(owner).await.expect("it can be counted");
        assert_eq!(summary.total_count, events.len() as u64);
        let mut inbox: Vec<_> = events
            .into_iter()
            .map(|event| (event.id, event.description))
            .collect();
        inbox.sort_unstable();
        let types = tidings.types(owner).await.expect("they can be read");
        inboxes.push((inbox, summary.counts, types));
    }
    inboxes
}

pub(crate) fn requests_that_share_a_commit_behave_as_if_alone(test_dir: fn() -> TestDir) {
    // On one thread, all requests are queued before the first is committed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let group = prop_oneof![Just(8_u16), Just(60_000)].prop_flat_map(|ids| {
        let taken = prop::collection::vec(sent(ids), 0..4);
        (taken, requests(ids), any::<bool>())
    });
    seeds::check("groups", GROUPS, &group, |(taken, mut requests, again)| {
        if let Some(deleted) = taken.first().filter(|_| again) {
            requests.insert(requests.len() / 2, vec![*deleted]);
        }
        runtime.block_on(async {
            // With several lanes, requests of several owners can overtake each other.
            let (together, alone) = (test_dir().in_one_lane(), test_dir());
            let tidings = begun(&together, &taken).await;
            let all = requests.iter().cloned();
            let told_together = join_all(all.map(|request| publish(&tidings, request))).await;
            let held_together = inboxes(&tidings).await;
            tidings.close().await;

            let tidings = begun(&alone, &taken).await;
            let mut told_alone = Vec::new();
            for request in requests {
                told_alone.push(publish(&tidings, request).await);
            }
            let held_alone = inboxes(&tidings).await;
            tidings.close().await;
            prop_assert_eq!(told_together, told_alone);
            prop_assert_eq!(held_together, held_alone);
            Ok(())
        })
    });
}
