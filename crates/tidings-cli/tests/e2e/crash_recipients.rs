//! SIGKILL while an event goes to many owners, and while it is updated and retracted for them. A repeat reaches exactly
//! the rest.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidings::{Config, EventFilter, PageRequest, Start, StreamItem, Tidings};
use tidings_event::OwnerId;
use uuid::Uuid;

use crate::crash_changes::must_be_sound;
use crate::dice::Dice;
use crate::server::{Server, soon};

const OWNERS: u128 = 1_000;

const ROUNDS: usize = 4;

fn owner(number: u128) -> Uuid {
    Uuid::from_u128(0x0a0a_0000 + number)
}

/// What is done to the event, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Publish,
    Update,
    Retract,
}

impl Action {
    fn request(self, server: &Server, id: Uuid) -> reqwest::RequestBuilder {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client is made");
        let events = format!("http://{}/api/system/events", server.address);
        let url = format!("{events}/{id}");
        match self {
            Self::Publish => {
                let owners: Vec<_> = (0..OWNERS).map(owner).collect();
                http.post(events).json(&json!({
                    "id": id, "owners": owners, "actedUpon": owner(0), "operationId": id,
                    "category": "maintenance", "action": "announce", "severity": "informational",
                    "description": "x".repeat(2_000),
                }))
            }
            Self::Update => http.put(url).json(&json!({
                "owners": "all", "severity": "warning", "description": "updated", "sequence": 1,
            })),
            Self::Retract => http.delete(format!("{url}?owners=all")),
        }
    }

    /// Sends the request until a response arrives. Returns its body.
    async fn send(self, server: &Server, id: Uuid) -> Option<Value> {
        let response = self.request(server, id).send().await.ok()?;
        let status = response.status();
        let body = response.text().await.ok()?;
        assert!(status.is_success(), "{self:?}: {status} {body}");
        match status {
            StatusCode::NO_CONTENT => Some(Value::Null),
            _ => serde_json::from_str(&body).ok(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_loses_no_recipient() {
    let dice = Dice::of("sigkill_loses_no_recipient");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Server::start_again(directory.path(), 0).await;
    let mut started = 0;
    let mut ids = Vec::new();
    for _ in 0..ROUNDS {
        let id = Uuid::now_v7();
        ids.push(id);
        for action in [Action::Publish, Action::Update, Action::Retract] {
            // The server ends after it has read the request, at a random turn of the runtime.
            let turns = dice.roll().u32(..4_000);
            let sent = {
                let request = action.send(&server, id);
                let crash = async {
                    for _ in 0..turns {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::pin!(request);
                tokio::select! {
                    sent = &mut request => sent,
                    () = crash => None,
                }
            };
            server.kill().await;
            started += 1;
            server = Server::start_again(directory.path(), started).await;
            let again = soon("a response", action.send(&server, id)).await;
            let again = again.expect("the server answers");
            let number = |field: &str| again[field].as_u64().unwrap_or_default();
            match action {
                Action::Publish => {
                    assert_eq!(number("reached") + number("repeated"), 1_000, "{again}");
                    // All or none had it.
                    assert_eq!(number("repeated") % 1_000, 0, "{again}");
                    if sent.is_some() {
                        assert_eq!(number("reached"), 0, "{again}");
                    }
                }
                Action::Update => {
                    assert_eq!(number("updated") + number("unchanged"), 1_000, "{again}");
                    if sent.is_some() {
                        assert_eq!(number("updated"), 0, "{again}");
                    }
                }
                Action::Retract => {}
            }
        }
    }
    server.kill().await;
    must_be_sound(directory.path());
    check(directory.path(), ids.len()).await;
}

/// Each owner has got each event once, its update once, and its retraction.
async fn check(directory: &std::path::Path, events: usize) {
    let tidings = Tidings::open(Config::new(directory)).await;
    let tidings = tidings.expect("the store opens");
    for number in [0, 1, 499, 998, 999] {
        let owner = OwnerId::from_uuid(owner(number));
        let page = tidings.list(owner, EventFilter::default(), PageRequest::default());
        assert!(page.await.expect("readable").events.is_empty());
        let summary = tidings.summary(owner).await.expect("readable");
        // Each event takes three revs: it is created, updated and deleted.
        assert_eq!(summary.cursor.own.get(), 3 * events as u64);
        let mut stream = tidings
            .subscribe(owner, Start::Earliest)
            .await
            .expect("readable");
        let mut deleted = 0;
        loop {
            match stream.next().await.expect("readable").expect("it is open") {
                StreamItem::Deleted { deletion, .. } => deleted += deletion.ids.len(),
                StreamItem::Live { .. } => break,
                _ => {}
            }
        }
        assert_eq!(deleted, events);
    }
    tidings.close().await;
}
