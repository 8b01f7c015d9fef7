//! The promises of updating.

use std::collections::BTreeMap;

use prometheus_client::registry::Registry;
use tidings::wire;
use tidings::{
    ContentChange, Event, EventFilter, PageRequest, Start, Status, StreamItem, Subscription,
    Tidings, Update, UpdateError, WarningCode,
};
use tidings_event::{CountDelta, Cursor, EventId, OwnerId, Severity, SystemId, UpdateBuilder};
use uuid::Uuid;

use super::{builder, built, event};
use crate::listed;
use crate::model::{sort_events, user};
use crate::reader::{Reader, next};
use crate::test_dir::TestDir;
use crate::tidied::until_tidied;

async fn published(tidings: &Tidings, owner: Option<OwnerId>, number: u64) -> Event {
    let receipt = tidings.publish(event(owner, number)).await;
    receipt.expect("it is stored").event()
}

/// The builder of an update that changes nothing but the description.
fn update_of(event: &Event, system: OwnerId, text: &str) -> UpdateBuilder {
    let builder = Event::update(event.id)
        .with_severity(event.severity)
        .with_description(text);
    match event.owner {
        Some(owner) if owner != system => builder.for_user(owner),
        _ => builder,
    }
}

fn system_of(tidings: &Tidings) -> OwnerId {
    OwnerId::from(*tidings.system_id().as_uuid())
}

fn kept(update: UpdateBuilder) -> Update {
    update.build().expect("the test's update keeps the rules")
}

async fn updated(tidings: &Tidings, update: UpdateBuilder) -> Event {
    let receipt = tidings.update(kept(update)).await.expect("it is updated");
    assert!(!receipt.repeated);
    receipt.event()
}

/// A subscription that has reached `live`.
async fn live(tidings: &Tidings, owner: OwnerId) -> Subscription {
    let opened = tidings.subscribe(owner, Start::Now).await;
    let mut reader = opened.expect("readable");
    while !matches!(next(&mut reader).await, StreamItem::Live { .. }) {}
    reader
}

async fn next_update(reader: &mut Subscription) -> ContentChange {
    match next(reader).await {
        StreamItem::Updated { change, .. } => change,
        other => panic!("expected an update, got {other:?}"),
    }
}

fn delta(unread: &[(Severity, i64)], read: &[(Severity, i64)]) -> CountDelta {
    let mut delta = CountDelta::default();
    delta.unread = BTreeMap::from_iter(unread.iter().copied());
    delta.read = BTreeMap::from_iter(read.iter().copied());
    delta
}

pub(crate) async fn an_update_reaches_every_stream_with_its_counts(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let event = published(&tidings, Some(user(0)), 1).await;
    let mut readers = [live(&tidings, user(0)).await, live(&tidings, user(0)).await];
    let running = update_of(&event, system, "half done").with_metadata([("progress", 50)]);
    let stored = updated(&tidings, running).await;
    assert_eq!(stored.status, Status::Unread);
    assert_eq!((stored.id, &stored.category), (event.id, &event.category));
    assert!(stored.updated_at > event.updated_at);
    for reader in &mut readers {
        let change = next_update(reader).await;
        assert_eq!(*change.event, stored);
        assert_eq!(change.counts, Some(delta(&[], &[])));
    }
    // It stays read, unless it becomes more urgent or the publisher wants it so.
    tidings
        .set_status(user(0), event.id, Status::Read)
        .await
        .expect("it is marked");
    let still_read = updated(&tidings, update_of(&event, system, "nearly done")).await;
    assert_eq!(still_read.status, Status::Read);
    let done = update_of(&event, system, "done").with_severity(Severity::Success);
    assert_eq!(updated(&tidings, done).await.status, Status::Unread);
    tidings
        .set_status(user(0), event.id, Status::Read)
        .await
        .expect("it is marked");
    let quiet = update_of(&event, system, "done").with_severity(Severity::Debug);
    assert_eq!(updated(&tidings, quiet).await.status, Status::Read);
    let again = update_of(&event, system, "look").with_severity(Severity::Debug);
    assert_eq!(
        updated(&tidings, again.renotify()).await.status,
        Status::Unread
    );
    // The same once more, for which only the reader's mark makes a difference.
    let same = || update_of(&event, system, "look").with_severity(Severity::Debug);
    let repeated = tidings.update(kept(same().renotify())).await;
    assert!(repeated.expect("it is stored").repeated);
    tidings
        .set_status(user(0), event.id, Status::Read)
        .await
        .expect("it is marked");
    let repeated = tidings.update(kept(same())).await;
    assert!(repeated.expect("it is stored").repeated);
    let again = updated(&tidings, same().renotify()).await;
    assert_eq!(again.status, Status::Unread);
    let expected = [
        delta(&[], &[]),
        delta(&[(Severity::Success, 1)], &[(Severity::Informational, -1)]),
        delta(&[], &[(Severity::Success, -1), (Severity::Debug, 1)]),
        delta(&[(Severity::Debug, 1)], &[(Severity::Debug, -1)]),
        delta(&[(Severity::Debug, 1)], &[(Severity::Debug, -1)]),
    ];
    for reader in &mut readers {
        let mut deltas = Vec::new();
        while deltas.len() < expected.len() {
            if let StreamItem::Updated { change, .. } = next(reader).await {
                deltas.push(change.counts.expect("the stream is live"));
            }
        }
        assert_eq!(deltas, expected);
    }
    tidings.close().await;
}

pub(crate) async fn an_event_is_replayed_in_two_frames_beyond_its_creation(dir: TestDir) {
    const EVENTS: u64 = 70;
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let mut events = Vec::new();
    for number in 0..EVENTS {
        events.push(published(&tidings, Some(user(0)), number).await);
    }
    let before = tidings.summary(user(0)).await.expect("readable").cursor;
    for round in 0..5 {
        for (number, event) in events.iter().enumerate() {
            let text = format!("round {round} of {number}: {}", "x".repeat(2_000));
            updated(&tidings, update_of(event, system, &text)).await;
            let status = if round % 2 == 0 {
                Status::Read
            } else {
                Status::Unread
            };
            let marked = tidings.set_status(user(0), event.id, status).await;
            marked.expect("it is marked");
        }
    }
    for (start, most) in [(Start::After(before), 2), (Start::Earliest, 3)] {
        let opened = tidings.subscribe(user(0), start).await;
        let mut reader = opened.expect("readable");
        let mut frames: BTreeMap<EventId, u64> = BTreeMap::new();
        let mut texts: BTreeMap<EventId, String> = BTreeMap::new();
        loop {
            match next(&mut reader).await {
                StreamItem::Created { event, .. } => {
                    *frames.entry(event.id).or_default() += 1;
                    texts.insert(event.id, event.description);
                }
                StreamItem::Updated { change, .. } => {
                    assert_eq!(change.counts, None, "the counts come with `live`");
                    *frames.entry(change.event.id).or_default() += 1;
                    texts.insert(change.event.id, change.event.description);
                }
                StreamItem::Status { change, .. } => {
                    for id in change.ids {
                        *frames.entry(id).or_default() += 1;
                    }
                }
                StreamItem::Live { .. } => break,
                StreamItem::Ready { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(frames.len() as u64, EVENTS);
        assert!(frames.values().all(|number| *number <= most), "{frames:?}");
        assert_eq!(texts.len() as u64, EVENTS);
        assert!(texts.values().all(|text| text.starts_with("round 4")));
    }
    tidings.close().await;
}

pub(crate) async fn a_late_retry_of_the_publish_is_a_repeat(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let first = event(Some(user(0)), 1);
    let stored = tidings.publish(first.clone()).await.expect("it is stored");
    let now = updated(&tidings, update_of(&stored.event(), system, "other")).await;
    let receipt = tidings.publish(first.clone()).await.expect("a repeat");
    assert!(receipt.repeated);
    assert_eq!((receipt.rev, receipt.event()), (stored.rev, now));
    // An event like the update is another one.
    let mut like_update = first;
    like_update.description = "other".into();
    let rejected = tidings.publish(like_update).await;
    assert!(rejected.is_err(), "{rejected:?}");
    tidings.close().await;
}

pub(crate) async fn an_older_update_never_replaces_a_newer_one(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let event = published(&tidings, Some(user(0)), 1).await;
    let send = async |text: &str, sequence: Option<u64>| {
        let mut update = update_of(&event, system, text);
        if let Some(sequence) = sequence {
            update = update.with_sequence(sequence);
        }
        let receipt = tidings.update(kept(update)).await.expect("it is answered");
        let codes: Vec<_> = receipt.warnings.iter().map(|one| one.code).collect();
        (receipt.repeated, codes, receipt.event().description)
    };
    let done = |text: &str| (false, Vec::new(), text.to_owned());
    let dropped = |text: &str| (true, vec![WarningCode::Outdated], text.to_owned());
    assert_eq!(send("10 %", Some(10)).await, done("10 %"));
    assert_eq!(send("30 %", Some(30)).await, done("30 %"));
    let head = tidings.summary(user(0)).await.expect("readable").cursor;
    assert_eq!(send("20 %", Some(20)).await, dropped("30 %"));
    assert_eq!(send("another 30 %", Some(30)).await, dropped("30 %"));
    let repeat = (true, Vec::new(), "30 %".to_owned());
    assert_eq!(send("30 %", Some(30)).await, repeat);
    assert_eq!(send("30 %", None).await, repeat);
    assert_eq!(
        tidings.summary(user(0)).await.expect("readable").cursor,
        head,
        "what changes nothing takes no rev"
    );
    // Without a number the update applies, and the number before it stays.
    assert_eq!(send("corrected", None).await, done("corrected"));
    assert_eq!(send("29 %", Some(29)).await, dropped("corrected"));
    let last = Update::MAX_SEQUENCE;
    assert_eq!(send("done", Some(last)).await, done("done"));
    assert_eq!(send("99 %", Some(last - 1)).await, dropped("done"));
    tidings.close().await;
    let tidings = dir.open().await;
    let update = update_of(&event, system, "99 %").with_sequence(99);
    let receipt = tidings.update(kept(update)).await.expect("it is answered");
    assert!(receipt.repeated, "the number outlives the engine");
    tidings.close().await;
}

pub(crate) async fn an_update_does_not_bring_a_deleted_event_back(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let own = published(&tidings, Some(user(0)), 1).await;
    let of_system = published(&tidings, None, 2).await;
    for id in [own.id, of_system.id] {
        tidings.delete(user(0), id).await.expect("it is deleted");
    }
    let rejected = tidings.update(kept(update_of(&own, system, "back"))).await;
    assert!(
        matches!(rejected, Err(UpdateError::NotFound)),
        "{rejected:?}"
    );
    let foreign = update_of(&own, system, "back").for_user(user(1));
    let rejected = tidings.update(kept(foreign)).await;
    assert!(
        matches!(rejected, Err(UpdateError::NotFound)),
        "{rejected:?}"
    );
    // The others still have the event of the system.
    updated(&tidings, update_of(&of_system, system, "back")).await;
    assert_eq!(listed::all(&tidings, user(0)).await, []);
    assert_eq!(listed::all(&tidings, user(1)).await.len(), 1);
    let mut reader = Reader::new(user(0), &tidings);
    reader.reconnect(&tidings).await;
    while reader.counts.is_none() {
        reader.step().await;
    }
    assert!(reader.inbox.is_empty());
    tidings.close().await;
}

pub(crate) async fn only_the_texts_of_a_system_event_change(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let event = published(&tidings, None, 1).await;
    let before = Cursor {
        ..tidings.summary(user(0)).await.expect("readable").cursor
    };
    tidings
        .set_status(user(0), event.id, Status::Read)
        .await
        .expect("it is marked");
    for update in [
        update_of(&event, system, "other").with_severity(Severity::Alert),
        update_of(&event, system, "other").renotify(),
        update_of(&event, system, &event.description).renotify(),
    ] {
        let rejected = tidings.update(kept(update)).await;
        let severity = event.severity;
        assert!(
            matches!(rejected, Err(UpdateError::OnlyTexts { severity: kept }) if kept == severity),
            "{rejected:?}"
        );
    }
    let stored = updated(&tidings, update_of(&event, system, "corrected")).await;
    for (reader, status) in [(user(0), Status::Read), (user(1), Status::Unread)] {
        let all = listed::all(&tidings, reader).await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            (
                all[0].description.as_str(),
                all[0].status,
                all[0].updated_at
            ),
            ("corrected", status, stored.updated_at)
        );
        let mut follower = Reader::new(reader, &tidings);
        if reader == user(0) {
            follower.cursor = Some(before);
            follower.inbox.insert((system, event.id), event.clone());
        }
        follower.reconnect(&tidings).await;
        while follower.counts.is_none() {
            follower.step().await;
        }
        let seen: Vec<_> = follower.inbox.into_values().collect();
        assert_eq!(seen, all);
    }
    tidings.close().await;
}

pub(crate) async fn a_publisher_updates_only_what_its_systems_published(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let [one, other] = [1, 2].map(|number| SystemId::from_uuid(Uuid::from_u128(number)));
    let mut event = event(Some(user(0)), 1);
    event.system_id = one;
    let event = tidings.publish(event).await.expect("it is stored").event();
    let engine = wire::Engine::of(&tidings);
    let update = kept(update_of(&event, system, "mine"));
    let rejected = engine.update(update.clone(), Some(vec![other])).await;
    assert!(
        matches!(rejected, Err(UpdateError::ForeignSystem { system }) if system == one),
        "{rejected:?}"
    );
    let rejected = engine.update(update.clone(), Some(Vec::new())).await;
    assert!(rejected.is_err());
    let receipt = engine.update(update, Some(vec![other, one])).await;
    assert_eq!(receipt.expect("it is updated").event().description, "mine");
    tidings.close().await;
}

pub(crate) async fn an_update_counts_against_the_quota(dir: TestDir) {
    let config = dir.config().with_owner_bytes(2_000);
    let tidings = Tidings::open(config).await.expect("an engine opens");
    let system = system_of(&tidings);
    let [first, second] = [
        published(&tidings, Some(user(0)), 1).await,
        published(&tidings, Some(user(0)), 2).await,
    ];
    // A backend has twice the quota.
    updated(&tidings, update_of(&first, system, &"x".repeat(2_500))).await;
    let too_long = update_of(&second, system, &"x".repeat(2_500));
    let rejected = tidings.update(kept(too_long)).await;
    assert!(
        matches!(
            rejected,
            Err(UpdateError::QuotaExceeded { limit: 4_000, .. })
        ),
        "{rejected:?}"
    );
    // What becomes smaller always fits, and makes room.
    updated(&tidings, update_of(&first, system, "short")).await;
    updated(&tidings, update_of(&second, system, &"x".repeat(2_500))).await;
    tidings.close().await;
    dir.audit();
}

pub(crate) async fn an_event_does_not_outgrow_its_limit(dir: TestDir) {
    let mut config = dir.config();
    config.limits = config.limits.with_event_bytes(2_000);
    let tidings = Tidings::open(config).await.expect("an engine opens");
    let system = system_of(&tidings);
    let event = published(&tidings, Some(user(0)), 1).await;
    let rejected = tidings
        .update(kept(update_of(&event, system, &"x".repeat(2_000))))
        .await;
    assert!(
        matches!(rejected, Err(UpdateError::TooLarge { limit: 2_000, bytes }) if bytes > 2_000),
        "{rejected:?}"
    );
    tidings.close().await;
}

pub(crate) async fn a_search_follows_the_updates_of_a_long_feed(dir: TestDir) {
    let tidings = dir.open().await;
    let system = system_of(&tidings);
    let mut registry = Registry::default();
    tidings.register_metrics(&mut registry);
    let mut events = Vec::new();
    for batch in 0..3 {
        let texts = (0..500).map(|number| format!("deployed {}", batch * 500 + number));
        let batch = texts.map(|text| built(builder(Some(user(0))).with_description(text)));
        let receipts = tidings
            .publish_batch(batch.collect())
            .await
            .expect("stored");
        events.extend(receipts.into_iter().map(|receipt| receipt.event()));
    }
    until_tidied(&registry, 1).await;
    // In a block, in another one, and in none.
    let chosen = [&events[10], &events[11], &events[400], &events[1_499]];
    for event in chosen {
        updated(&tidings, update_of(event, system, "Zurückgerollt")).await;
    }
    let found = async |text: &str| {
        let mut filter = EventFilter::default();
        filter.search = Some(text.to_owned());
        let page = PageRequest::default().with_size(100);
        let page = tidings.list(user(0), filter, page).await.expect("readable");
        let ids = page.events.into_iter().map(|event| event.id);
        ids.collect::<Vec<_>>()
    };
    let mut expected: Vec<_> = chosen.into_iter().cloned().collect();
    sort_events(&mut expected, tidings_event::Sort::default());
    let expected: Vec<_> = expected.into_iter().map(|event| event.id).collect();
    assert_eq!(found("zurückgerollt").await, expected);
    assert_eq!(found("GEROLLT").await, expected);
    assert_eq!(found("deployed 1499").await, []);
    assert_eq!(found("deployed 1498").await.len(), 1);
    tidings.close().await;
    dir.audit();
}
