//! Makes a store with an old engine, and writes down what that engine says is in it.
//!
//! This file is part of no build. README.md tells how it was run.

use std::time::Duration;

use serde_json::{Value, json};
use tidings::{
    Change, Config, Event, EventFilter, OwnerId, PageRequest, Selection, Start, Status, StreamItem,
    Tidings,
};
use tidings_event::{Cursor, EventId, Severity, Sort, SortKey, SortOrder};
use uuid::Uuid;

const ALICE: u128 = 0xA11C_E000;
const BOB: u128 = 0xA11C_E001;

const SEVERITIES: [Severity; 5] = [
    Severity::Informational,
    Severity::Success,
    Severity::Warning,
    Severity::Error,
    Severity::Critical,
];

fn owner(number: u128) -> OwnerId {
    OwnerId::from(Uuid::from_u128(number))
}

fn event(to: Option<u128>, number: usize) -> Event {
    let mut builder = Event::builder()
        .acted_upon(Uuid::from_u128(0xD00 + number as u128 % 3))
        .with_category(["deployment", "backup", "report"][number % 3])
        .with_action(["apply", "restore"][number % 2])
        .with_severity(SEVERITIES[number % 5])
        .with_description(match number % 4 {
            0 => format!("Größe {number} geändert"),
            1 => format!("Deployed version {number}"),
            _ => format!("Number {number}"),
        });
    let mut metadata = Vec::new();
    if number % 10 == 3 {
        metadata.push(("n", json!([number, "2.50"])));
    }
    if number % 5 > 2 {
        let cause = json!({
            "Code": "1234", "Severity": "error", "ShortDescription": ["it broke"],
            "LongDescription": [], "ProbableCause": ["a fault"],
            "SuggestedRemediation": ["retry"],
        });
        metadata.push(("error", cause));
    }
    if !metadata.is_empty() {
        builder = builder.with_metadata(metadata);
    }
    if let Some(to) = to {
        builder = builder.from_user(Uuid::from_u128(to));
    }
    builder.build().expect("the event keeps the rules").into()
}

/// The lists that are compared, by their names.
fn lists() -> Vec<(&'static str, EventFilter, Sort)> {
    let newest = Sort::default();
    let mut unread = EventFilter::default();
    unread.status = Some(Status::Unread);
    let mut grave = EventFilter::default();
    grave.severity = vec![Severity::Error, Severity::Critical];
    let mut backups = EventFilter::default();
    backups.category = vec!["backup".parse().expect("a category")];
    let mut search = EventFilter::default();
    search.search = Some("GRÖSSE".to_lowercase().replace("ss", "ß"));
    let changed = Sort {
        key: SortKey::UpdatedAt,
        order: SortOrder::Ascending,
    };
    vec![
        ("all", EventFilter::default(), newest),
        ("unread", unread.clone(), newest),
        ("grave", grave, newest),
        ("backups", backups, newest),
        ("search", search, newest),
        ("changed", EventFilter::default(), changed),
        ("unread, changed", unread, changed),
    ]
}

async fn cursor(tidings: &Tidings) -> Cursor {
    let summary = tidings.summary(owner(ALICE)).await;
    summary.expect("readable").cursor
}

async fn replayed(tidings: &Tidings, start: Start) -> Value {
    let mut stream = tidings.subscribe(owner(ALICE), start).await.expect("readable");
    let (mut created, mut marked, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match stream.next().await.expect("readable").expect("open") {
            StreamItem::Reset { reason, .. } => panic!("{reason:?}"),
            StreamItem::Created { event, .. } => created.push(event.id),
            StreamItem::Status { change, .. } => {
                marked.extend(change.ids.iter().map(|id| json!([id, change.status])));
            }
            StreamItem::Deleted { deletion, .. } => deleted.extend(deletion.ids),
            StreamItem::Live { .. } => break,
            _ => {}
        }
    }
    json!({ "created": created, "marked": marked, "deleted": deleted })
}

async fn seen(tidings: &Tidings, number: u128) -> Value {
    let mut seen = json!({});
    for (name, filter, sort) in lists() {
        let mut page = PageRequest::default();
        (page.size, page.sort) = (PageRequest::MAX_SIZE, sort);
        let page = tidings.list(owner(number), filter, page).await;
        let page = page.expect("readable");
        let ids: Vec<_> = page.events.iter().map(|event| event.id).collect();
        seen[name] = json!(ids);
        if name == "all" {
            seen["events"] = json!(page.events);
        }
    }
    let summary = tidings.summary(owner(number)).await.expect("readable");
    seen["summary"] = json!(summary);
    seen["types"] = json!(tidings.types(owner(number)).await.expect("readable"));
    seen
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let mut config = Config::new(format!("{folder}/data"));
    // The search index is built meanwhile.
    config.retention.interval = Duration::from_millis(50);
    let tidings = Tidings::open(config).await.expect("a new store");
    let (alice, bob) = (owner(ALICE), owner(BOB));
    let mut hers: Vec<EventId> = Vec::new();
    let mut shared: Vec<EventId> = Vec::new();
    let mut cursors = Vec::new();
    for number in 0..70 {
        hers.push(tidings.publish(event(Some(ALICE), number)).await.expect("stored").id);
        if number % 7 == 0 {
            shared.push(tidings.publish(event(None, number)).await.expect("stored").id);
        }
        if number % 10 == 0 {
            tidings.publish(event(Some(BOB), number)).await.expect("stored");
        }
        if number == 20 {
            cursors.push(cursor(&tidings).await);
            for id in &hers[..5] {
                let read = tidings.set_status(alice, *id, Status::Read).await;
                read.expect("marked");
            }
            tidings.set_status(alice, hers[2], Status::Unread).await.expect("marked");
            for id in &hers[8..11] {
                tidings.delete(alice, *id).await.expect("deleted");
            }
        }
        if number == 40 {
            let mut backups = EventFilter::default();
            backups.category = vec!["backup".parse().expect("a category")];
            let selection = Selection::Filter {
                filter: Box::new(backups),
                up_to: cursor(&tidings).await,
            };
            let change = Change::Status(Status::Read);
            tidings.change(alice, selection, change).await.expect("marked");
            cursors.push(cursor(&tidings).await);
        }
    }
    for id in &shared[..4] {
        let read = tidings.set_status(alice, *id, Status::Read).await;
        read.expect("marked");
    }
    tidings.delete(alice, shared[4]).await.expect("deleted");
    tidings.delete(alice, hers[50]).await.expect("deleted");
    let system = OwnerId::from(tidings.system_id());
    for number in [1, 6] {
        tidings.delete(system, shared[number]).await.expect("deleted");
    }
    let all = Selection::All { up_to: None };
    let change = Change::Status(Status::Read);
    tidings.change(bob, all, change).await.expect("marked");
    tokio::time::sleep(Duration::from_secs(5)).await;
    for number in 70..75 {
        hers.push(tidings.publish(event(Some(ALICE), number)).await.expect("stored").id);
    }

    let mut replays = Vec::new();
    for cursor in cursors {
        let replay = replayed(&tidings, Start::After(cursor)).await;
        replays.push(json!({ "after": cursor, "replay": replay }));
    }
    let replay = replayed(&tidings, Start::Earliest).await;
    replays.push(json!({ "after": null, "replay": replay }));
    let expected = json!({
        "alice": seen(&tidings, ALICE).await,
        "bob": seen(&tidings, BOB).await,
        "replays": replays,
    });
    tidings.close().await;
    let text = serde_json::to_string_pretty(&expected).expect("it is JSON");
    std::fs::write(format!("{folder}/expected.json"), text + "\n").expect("written");
}
