//! The quota of an owner.

use std::time::Duration;

use tidings::wire::{self, Prepared};
use tidings::{Change, Event, PublishError, Receipt, Selection, Start, StreamItem, Tidings};
use tidings_event::{Draft, OwnerId, ResetReason};

use super::{builder, built, event};
use crate::model::user;
use crate::reader::{STUCK, next};
use crate::test_dir::TestDir;

/// The bytes of a few events.
const QUOTA: u64 = 4_000;

/// The bytes that an event of a test counts beside its description: category, action, and everything that is
/// not text.
const BESIDE: u64 = 512 + ("deployment".len() + "apply".len()) as u64;

async fn open(dir: &TestDir) -> Tidings {
    let config = dir.config().with_owner_bytes(QUOTA);
    Tidings::open(config).await.expect("an engine opens")
}

/// An event that counts this many bytes.
fn of_size(owner: Option<OwnerId>, bytes: u64) -> Event {
    let letters = usize::try_from(bytes - BESIDE).expect("it is small");
    built(builder(owner).with_description("x".repeat(letters)))
}

fn prepared(tidings: &Tidings, events: &[Event]) -> Vec<Prepared> {
    let wire = wire::Engine::of(tidings);
    let drafts = events.iter().map(|event| {
        let draft = Draft::from_event(event.clone(), tidings.limits());
        wire.prepare(draft.expect("the test's event keeps the rules"))
    });
    drafts.collect()
}

async fn by_owner(tidings: &Tidings, events: &[Event]) -> Result<Vec<Receipt>, PublishError> {
    let prepared = prepared(tidings, events);
    wire::Engine::of(tidings).publish_by_owner(prepared).await
}

fn assert_over(rejected: Result<Vec<Receipt>, PublishError>, expected: (usize, u64, u64, u64)) {
    match rejected {
        Err(PublishError::QuotaExceeded {
            index,
            bytes,
            used,
            limit,
        }) => assert_eq!((index, bytes, used, limit), expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

pub(crate) async fn an_owner_can_fill_the_quota_to_the_last_byte(dir: TestDir) {
    let tidings = open(&dir).await;
    let first = [of_size(Some(user(0)), 1_200), of_size(Some(user(0)), 1_200)];
    by_owner(&tidings, &first).await.expect("stored");
    // A request is rejected as a whole, even if some of its events fit.
    let batch = [
        of_size(Some(user(1)), 600),
        of_size(Some(user(0)), 800),
        of_size(Some(user(0)), 801),
    ];
    let over = (2, 801, 2_400, QUOTA);
    assert_over(by_owner(&tidings, &batch).await, over);
    let all = of_size(Some(user(1)), QUOTA);
    by_owner(&tidings, &[all]).await.expect("stored");
    let last = [of_size(Some(user(0)), 1_600)];
    by_owner(&tidings, &last).await.expect("stored");
    let one_more = [event(Some(user(0)), 0)];
    let bytes = BESIDE + "event 0".len() as u64;
    assert_over(
        by_owner(&tidings, &one_more).await,
        (0, bytes, QUOTA, QUOTA),
    );
    // A repeat counts nothing, alone or with other events.
    let repeated = by_owner(&tidings, &[first[0].clone(), last[0].clone()]).await;
    assert!(repeated.expect("there").iter().all(|one| one.repeated));
    // The system has no quota.
    for _ in 0..3 {
        tidings.publish(of_size(None, QUOTA)).await.expect("stored");
    }

    // The count survives a restart, and a deletion subtracts the bytes of its event.
    tidings.close().await;
    let tidings = open(&dir).await;
    assert_over(
        by_owner(&tidings, &one_more).await,
        (0, bytes, QUOTA, QUOTA),
    );
    let deleted = tidings.delete(user(0), first[0].id).await;
    deleted.expect("it is deleted");
    assert_over(
        by_owner(&tidings, &[of_size(Some(user(0)), 1_201)]).await,
        (0, 1_201, 2_800, QUOTA),
    );
    by_owner(&tidings, &[of_size(Some(user(0)), 1_200)])
        .await
        .expect("stored");
    tidings.close().await;
    dir.audit();
}

/// Users who fill their inbox themselves still get the events of a backend.
pub(crate) async fn a_backend_can_fill_the_quota_a_second_time(dir: TestDir) {
    let tidings = open(&dir).await;
    by_owner(&tidings, &[of_size(Some(user(0)), QUOTA)])
        .await
        .expect("stored");
    tidings
        .publish(of_size(Some(user(0)), QUOTA))
        .await
        .expect("stored");
    let more = vec![of_size(Some(user(1)), 600), of_size(Some(user(0)), 600)];
    let rejected = tidings.publish_batch(more).await;
    assert_over(rejected, (1, 600, 2 * QUOTA, 2 * QUOTA));
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn a_full_quota_of_one_owner_does_not_affect_others(dir: TestDir) {
    let tidings = open(&dir).await;
    by_owner(&tidings, &[of_size(Some(user(0)), QUOTA)])
        .await
        .expect("stored");
    // The requests run concurrently, so that they share commits.
    let requests = (0..300_u64).map(|number| {
        let owner = user(u8::try_from(number % 3).expect("it is small"));
        let events = prepared(&tidings, &[event(Some(owner), number)]);
        let wire = wire::Engine::of(&tidings);
        async move {
            let published = wire.publish_by_owner(events).await;
            (number, published)
        }
    });
    let mut stored = [0, 0, 0];
    for (number, published) in futures_util::future::join_all(requests).await {
        let owner = usize::try_from(number % 3).expect("it is small");
        match published {
            Ok(_) => stored[owner] += 1,
            Err(PublishError::QuotaExceeded { index: 0, .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let fit = QUOTA / (BESIDE + "event 100".len() as u64);
    assert_eq!(stored[0], 0);
    // The last events are a few bytes shorter or longer.
    for stored in &stored[1..] {
        assert!((fit..=fit + 1).contains(stored), "{stored} of {fit}");
    }
    tidings.close().await;
    dir.audit();
}

/// Endless publishing and deleting takes bounded space.
pub(crate) async fn the_remembered_deletions_of_an_owner_are_limited(dir: TestDir) {
    let mut config = dir.config();
    config.retention.owner_deletions = 1_000;
    let tidings = Tidings::open(config).await.expect("an engine opens");
    let early = tidings.publish(event(Some(user(0)), 0)).await;
    let early = early.expect("stored").id;
    let before = tidings.summary(user(0)).await.expect("readable").cursor;
    tidings.delete(user(0), early).await.expect("deleted");
    for round in 0..4 {
        let events = (0..600).map(|number| event(Some(user(0)), number));
        tidings
            .publish_batch(events.collect())
            .await
            .expect("stored");
        let all = Selection::All { up_to: None };
        let deleted = tidings.change(user(0), all, Change::Delete).await;
        assert_eq!(deleted.expect("deleted").count, 600, "{round}");
    }
    let recent = tidings.summary(user(0)).await.expect("readable").cursor;
    let forgotten = async {
        loop {
            let opened = tidings.subscribe(user(0), Start::After(before)).await;
            match next(&mut opened.expect("readable")).await {
                StreamItem::Reset { reason, .. } => return reason,
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    let reason = tokio::time::timeout(STUCK, forgotten).await;
    assert_eq!(reason.expect("they are forgotten"), ResetReason::TooOld);
    let opened = tidings.subscribe(user(0), Start::After(recent)).await;
    let first = next(&mut opened.expect("readable")).await;
    assert!(matches!(first, StreamItem::Ready { .. }), "{first:?}");
    tidings.close().await;
    dir.audit();
}
