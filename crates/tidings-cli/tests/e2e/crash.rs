//! SIGKILL at random moments under load. No acknowledged event is lost or stored twice, no request is
//! stored in part, and a reconnecting reader misses nothing.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use reqwest::StatusCode;
use serde_json::Value;
use tidings::{Config, EventFilter, PageRequest, Start, StreamItem, Tidings};
use tidings_event::OwnerId;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::server::{LOCAL_USER, Server, event, publish, soon};
use crate::stream::{Order, Stream};

/// The number of rounds unless `TIDINGS_CRASH_ROUNDS` sets it.
const ROUNDS: u32 = 10;

/// The number of publishers, each with its own connection.
const PUBLISHERS: u32 = 24;

/// A user whose events the local user cannot see. The test checks them by opening the store.
const OTHER_USER: &str = "0a0a0a0a-0000-4000-8000-000000000002";

/// The requests and responses of the publishers.
#[derive(Default)]
struct Sent {
    /// The event ids of each request.
    requests: Vec<Vec<String>>,
    /// Each sent event by its id.
    events: HashMap<String, Value>,
    /// The ids in responses.
    acknowledged: HashSet<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_loses_no_acknowledged_event() {
    let rounds = rounds();
    let dice = Dice::of("sigkill_loses_no_acknowledged_event");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let sent = Arc::new(Mutex::new(Sent::default()));
    let mut server = Server::start_again(directory.path(), 0).await;
    // The follower keeps its cursor through all rounds.
    let mut follower = Follower::default();
    for number in 1..=rounds {
        let next = (directory.path(), number as usize);
        server = round(server, next, &sent, &mut follower, &dice).await;
    }
    follower.read_to_end(server.address, &sent).await;
    server.kill().await;
    let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
    check_store(directory.path(), &sent).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting of the tests, passed on by xtask"
)]
fn rounds() -> u32 {
    match std::env::var("TIDINGS_CRASH_ROUNDS") {
        Ok(text) => text.parse().expect("TIDINGS_CRASH_ROUNDS is a number"),
        Err(_) => ROUNDS,
    }
}

/// Publishes, kills the server after a random number of responses, restarts it and compares.
async fn round(
    server: Server,
    (directory, next): (&Path, usize),
    sent: &Arc<Mutex<Sent>>,
    follower: &mut Follower,
    dice: &Dice,
) -> Server {
    let (responses, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let fatal = dice.roll().u64(1..1500);
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS {
        let (responses, answered) = (Arc::clone(&responses), Arc::clone(&answered));
        publishers.spawn(publish_until_it_breaks(
            server.address,
            Arc::clone(sent),
            dice.roll(),
            move || {
                if responses.fetch_add(1, Ordering::Relaxed) + 1 == fatal {
                    answered.notify_one();
                }
            },
        ));
    }
    // The follower reads during publishing, until the stream breaks.
    let address = server.address;
    let follow = follower.read_until_it_breaks(address);
    let crash = async {
        soon("the responses", answered.notified()).await;
        server.kill().await;
    };
    tokio::join!(follow, crash);
    while let Some(ended) = soon("the publishers to end", publishers.join_next()).await {
        ended.expect("no publisher panics");
    }

    let server = Server::start_again(directory, next).await;
    let mut fresh = Follower::default();
    fresh.read_to_end(server.address, sent).await;
    follower.must_agree_with(&fresh);
    server
}

async fn publish_until_it_breaks(
    server: SocketAddr,
    sent: Arc<Mutex<Sent>>,
    mut random: Rng,
    answered: impl Fn(),
) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client is made");
    loop {
        let many = if random.bool() { 1 } else { random.usize(2..6) };
        let events: Vec<Value> = (0..many)
            .map(|_| {
                let owner = random.choice([LOCAL_USER, OTHER_USER, "system"]);
                event(
                    owner.expect("there is a choice"),
                    &"x".repeat(random.usize(..300)),
                )
            })
            .collect();
        let ids: Vec<String> = events.iter().map(|event| text(event, "id")).collect();
        {
            let mut sent = sent.lock().expect("no panic");
            sent.events
                .extend(ids.iter().cloned().zip(events.iter().cloned()));
            sent.requests.push(ids.clone());
        }
        let body = if many == 1 {
            events[0].clone()
        } else {
            Value::Array(events)
        };
        match publish(&http, server, &body).await {
            Ok((status, response)) => {
                assert_eq!(status, StatusCode::CREATED, "{response}");
                sent.lock().expect("no panic").acknowledged.extend(ids);
                answered();
            }
            Err(_) => return,
        }
    }
}

/// A reader of the local user's stream that records all events.
#[derive(Default)]
struct Follower {
    cursor: String,
    order: Order,
    /// The event ids by rev, of the user's own feed and the system's.
    own: Vec<String>,
    system: Vec<String>,
}

impl Follower {
    async fn connect(&self, server: SocketAddr) -> Option<Stream> {
        let cursor = if self.cursor.is_empty() {
            "earliest"
        } else {
            &self.cursor
        };
        Stream::connect(server, cursor).await.ok()
    }

    fn take(&mut self, frame: &crate::stream::Frame) {
        assert_ne!(frame.name, "reset", "{}", frame.data);
        let system_before = self.order.system;
        self.order.check(frame);
        self.cursor.clone_from(&frame.id);
        if frame.name.is_empty() {
            let feed = if self.order.system > system_before {
                &mut self.system
            } else {
                &mut self.own
            };
            feed.push(text(&frame.data, "id"));
        }
    }

    async fn read_until_it_breaks(&mut self, server: SocketAddr) {
        let Some(mut stream) = self.connect(server).await else {
            return;
        };
        while let Ok(Some(frame)) = stream.next().await {
            self.take(&frame);
        }
    }

    /// Reads up to `live`, and compares all recorded events with the sent ones.
    async fn read_to_end(&mut self, server: SocketAddr, sent: &Mutex<Sent>) {
        let mut stream = self.connect(server).await.expect("the server accepts");
        loop {
            let frame = stream.must_next().await;
            self.take(&frame);
            if frame.name.is_empty() {
                let id = text(&frame.data, "id");
                let sent = sent.lock().expect("no panic");
                let original = sent.events.get(&id).expect("every stored event was sent");
                assert_eq!(frame.data["description"], original["description"]);
            }
            if frame.name == "live" {
                break;
            }
        }
        let seen: HashSet<&String> = self.own.iter().chain(&self.system).collect();
        assert_eq!(
            seen.len(),
            self.own.len() + self.system.len(),
            "no event is stored twice"
        );
        let sent = sent.lock().expect("no panic");
        for id in &sent.acknowledged {
            let hidden = sent.events[id]["owner"] == OTHER_USER;
            assert!(
                hidden || seen.contains(id),
                "{id} was acknowledged and is lost"
            );
        }
    }

    /// Checks that every event seen live has the same rev after the crash.
    fn must_agree_with(&self, after: &Self) {
        assert_eq!(self.own, after.own[..self.own.len()]);
        assert_eq!(self.system, after.system[..self.system.len()]);
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

/// Opens the store without the server. Checks that every request is stored as a whole or not at all,
/// and that no feed has a gap in its revs.
async fn check_store(directory: &Path, sent: &Sent) {
    let engine = Tidings::open(Config::new(directory))
        .await
        .expect("the store opens");
    let mut found = HashSet::new();
    for (owner, also_system) in [(LOCAL_USER, true), (OTHER_USER, false)] {
        let owner: OwnerId = owner.parse().expect("a UUID");
        let mut stream = engine
            .subscribe(owner, Start::Earliest)
            .await
            .expect("readable");
        let mut expected = (0, 0);
        loop {
            match stream
                .next()
                .await
                .expect("readable")
                .expect("the engine is open")
            {
                StreamItem::Created { cursor, event } => {
                    let system = event.owner != Some(owner);
                    if system {
                        expected.1 += 1
                    } else {
                        expected.0 += 1
                    }
                    assert_eq!((cursor.own.get(), cursor.system.get()), expected);
                    if also_system || !system {
                        assert!(
                            found.insert(event.id.to_string()),
                            "{} is there twice",
                            event.id
                        );
                    }
                }
                StreamItem::Live { summary, .. } => {
                    let counted: u64 = summary.unread.values().sum();
                    assert_eq!(counted, expected.0 + expected.1, "the counts are exact");
                    break;
                }
                _ => {}
            }
        }
        let page = engine
            .list(owner, EventFilter::default(), PageRequest::default())
            .await;
        let total = page.expect("readable").total_count;
        assert_eq!(total, Some(expected.0 + expected.1));
    }
    for id in &sent.acknowledged {
        assert!(found.contains(id), "{id} was acknowledged and is lost");
    }
    for request in &sent.requests {
        let there = request.iter().filter(|id| found.contains(*id)).count();
        assert!(
            there == 0 || there == request.len(),
            "{there} of {} are there",
            request.len()
        );
    }
    assert!(sent.acknowledged.len() > 10, "the rounds published events");
    engine.close().await;
    let audit = tidings::sqlite::audit(directory, Duration::from_secs(60)).expect("a closed store");
    assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
}
