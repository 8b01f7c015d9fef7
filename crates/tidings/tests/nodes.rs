//! Several engines on one database.
#![cfg(feature = "postgres")]

#[path = "support/postgres.rs"]
mod postgres_database;
#[path = "conformance/seeds.rs"]
#[expect(dead_code, reason = "properties are checked elsewhere")]
mod seeds;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use postgres_database::Database;
use tidings::{
    Change, Config, Event, EventFilter, EventId, EventRef, OwnerId, PageRequest, PostgresConfig,
    PublishError, Selection, Severity, Status, Tidings, Timestamp, Update, UpdateError,
};
use uuid::Uuid;

async fn node(database: &Database) -> Tidings {
    let store = PostgresConfig::new(database.url());
    Tidings::open(Config::for_store(store))
        .await
        .expect("an engine opens beside others")
}

fn event(owner: Option<OwnerId>, id: EventId, text: &str) -> Event {
    let builder = Event::builder()
        .acted_upon(Uuid::from_u128(0xD00))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(Severity::Warning)
        .with_description(text);
    let builder = match owner {
        Some(owner) => builder.from_user(*owner.as_uuid()),
        None => builder,
    };
    let mut event = builder.build().expect("it keeps the rules").into_event();
    event.id = id;
    // Copies of an event have the same operation and time.
    event.created_at = Timestamp::UNIX_EPOCH;
    event.operation_id = Uuid::from_u128(0x0B).into();
    event
}

fn update(owner: Option<OwnerId>, id: EventId, text: &str) -> Update {
    let builder = Event::update(id)
        .with_severity(Severity::Warning)
        .with_description(text);
    let builder = match owner {
        Some(owner) => builder.for_user(owner),
        None => builder,
    };
    builder.build().expect("it keeps the rules")
}

fn id(number: u64) -> EventId {
    EventId::from_uuid(Uuid::from_u128(0xE000 + u128::from(number)))
}

/// The counters agree with the rows, and no overlay is left of an event that is gone.
fn audit(database: &Database) {
    let wrong = database.query(include_str!("conformance/audit.sql"));
    assert!(wrong.is_empty(), "{wrong:?}");
    let orphans = database.query(
        "SELECT overlay.owner, overlay.system_rev FROM overlay, installation \
         WHERE NOT EXISTS (SELECT 1 FROM ended WHERE ended.system_rev = overlay.system_rev) \
         AND NOT EXISTS (SELECT 1 FROM event WHERE event.owner = installation.system_id \
         AND event.created_rev = overlay.system_rev)",
    );
    assert!(orphans.is_empty(), "{orphans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_reaches_two_nodes_at_once_is_stored_once() {
    let database = Database::create();
    let nodes = [node(&database).await, node(&database).await];
    let owner = OwnerId::mint();
    for round in 0..50 {
        let one = event(Some(owner), id(round), "the same");
        let receipts = join_all(nodes.iter().map(|node| node.publish(one.clone()))).await;
        let receipts: Vec<_> = receipts.into_iter().map(Result::unwrap).collect();
        let revs: BTreeSet<_> = receipts.iter().map(|receipt| receipt.rev).collect();
        assert_eq!(revs.len(), 1, "{receipts:?}");
        let repeated = receipts.iter().filter(|receipt| receipt.repeated).count();
        assert_eq!(repeated, 1);
        assert_eq!(receipts[0].rev.map(|rev| rev.get()), Some(round + 1));
        // Of two events with one id, one is rejected.
        let rival = OwnerId::mint();
        let contents = ["one", "other"].map(|text| event(Some(rival), id(round), text));
        let sent = nodes.iter().zip(contents);
        let results = join_all(sent.map(|(node, event)| node.publish(event))).await;
        let rejected = results
            .iter()
            .filter(|result| matches!(result, Err(PublishError::Conflict { .. })));
        assert_eq!(rejected.count(), 1, "{results:?}");
    }
    audit(&database);
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_changes_of_two_nodes_leave_no_gap() {
    for seed in seeds::seeds("random_changes_of_two_nodes_leave_no_gap", 1) {
        change_at_random(seed).await;
    }
}

async fn change_at_random(seed: u64) {
    let database = Database::create();
    let nodes = [node(&database).await, node(&database).await];
    let owners: Vec<OwnerId> = (1..4)
        .map(|number| OwnerId::from_uuid(Uuid::from_u128(0xA00 + number)))
        .collect();
    let system = OwnerId::from(nodes[0].system_id());
    let tasks = (0..8_u64).map(|task| {
        let node = nodes[(task % 2) as usize].clone();
        let owners = owners.clone();
        let mut random = fastrand::Rng::with_seed(seed.wrapping_add(task));
        tokio::spawn(async move {
            for _ in 0..60 {
                let number = random.u64(..40);
                let owner = owners[random.usize(..owners.len())];
                let target = EventRef::from(id(number));
                match random.u8(..13) {
                    0..4 => {
                        // Batches lock several feeds, in the order of their events.
                        let mut batch: Vec<_> = (0..random.u64(1..6))
                            .map(|more| {
                                let owner = owners[random.usize(..owners.len())];
                                let owner = random.bool().then_some(owner);
                                event(owner, id(number + more), "batch")
                            })
                            .collect();
                        random.shuffle(&mut batch);
                        node.publish_batch(batch).await.expect("no conflict");
                    }
                    4..7 => {
                        let status = [Status::Read, Status::Unread][random.usize(..2)];
                        node.set_status(owner, target, status)
                            .await
                            .expect("it is stored");
                    }
                    7 => drop(node.delete(owner, target).await.expect("it is stored")),
                    8 => drop(node.delete(system, target).await.expect("it is stored")),
                    9..12 => {
                        let text = ["updated", "updated again"][random.usize(..2)];
                        let owner = random.bool().then_some(owner);
                        match node.update(update(owner, id(number), text)).await {
                            Ok(_) | Err(UpdateError::NotFound) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                    _ => {
                        let all = Selection::All { up_to: None };
                        let change = Change::Status(Status::Read);
                        node.change(owner, all, change).await.expect("it is stored");
                    }
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap_or_else(|panic| panic!("{panic}"));
    }
    audit(&database);
    // Each rev of a feed was taken once: by a creation, an update, a mark or a deletion. Updates and marks that
    // were overwritten are noted.
    let gaps = database.query(
        "SELECT feed.owner, rev FROM feed CROSS JOIN LATERAL generate_series(1, head) AS rev \
         WHERE (SELECT count(*) FROM (\
         SELECT created_rev AS taken FROM event WHERE owner = feed.owner \
         UNION ALL SELECT created_rev FROM tombstone WHERE owner = feed.owner \
         UNION ALL SELECT recent_change.rev FROM recent_change WHERE owner = feed.owner \
         UNION ALL SELECT recent_update.rev FROM recent_update WHERE owner = feed.owner\
         ) AS revs WHERE taken = rev) <> 1 LIMIT 1",
    );
    assert!(gaps.is_empty(), "{gaps:?}");
    // Both nodes show the same.
    for owner in &owners {
        let mut shown = Vec::new();
        for node in &nodes {
            let page = node.list(*owner, EventFilter::default(), PageRequest::default());
            let page = page.await.expect("a page");
            let statuses: BTreeMap<_, _> = page
                .events
                .iter()
                .map(|event| ((event.id, event.owner), event.status))
                .collect();
            let counts = node.summary(*owner).await;
            shown.push((statuses, counts.expect("the counts")));
        }
        assert_eq!(shown[0], shown[1]);
    }
    for node in nodes {
        node.close().await;
    }
}
