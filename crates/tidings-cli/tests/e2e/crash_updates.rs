//! SIGKILL while publishers update their events. No acknowledged update is lost, and none is undone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::crash_changes::must_be_sound;
use crate::dice::Dice;
use crate::inbox::Inbox;
use crate::server::{LOCAL_USER, Server, event, soon};
use crate::stream::Stream;

/// The number of events, each with a publisher of its own.
const EVENTS: usize = 12;

const ROUNDS: usize = 6;

/// What the publisher of one event knows about it.
struct Progress {
    id: String,
    /// The number of the last update that was sent.
    sent: u64,
    /// The number of the last update that was acknowledged.
    acknowledged: u64,
}

impl Progress {
    fn update(&self, random: &mut Rng) -> Value {
        let severity = random.choice(["error", "informational", "success"]);
        json!({
            "owner": LOCAL_USER,
            "severity": severity,
            "description": format!("{} {}", self.sent, "x".repeat(random.usize(..2_000))),
            "metadata": {"progress": self.sent % 101},
            "sequence": self.sent,
            "renotify": random.bool(),
        })
    }

    /// Updates the event until the server is gone.
    async fn until_it_breaks(
        mut self,
        server: SocketAddr,
        mut random: Rng,
        answered: impl Fn(),
    ) -> Self {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client is made");
        let url = format!("http://{server}/api/system/events/{}", self.id);
        loop {
            self.sent += 1;
            let update = self.update(&mut random);
            let Ok(response) = http.put(&url).json(&update).send().await else {
                return self;
            };
            assert_eq!(response.status(), StatusCode::OK);
            let Ok(stored) = response.json::<Value>().await else {
                return self;
            };
            assert_eq!(number_in(&stored), self.sent, "{stored}");
            self.acknowledged = self.sent;
            answered();
        }
    }
}

/// The number of the update whose content an event has.
fn number_in(event: &Value) -> u64 {
    let text = event["description"].as_str().expect("a text");
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    number.expect("the text begins with its number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_loses_no_acknowledged_update() {
    let dice = Dice::of("sigkill_loses_no_acknowledged_update");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Server::start_again(directory.path(), 0).await;
    let mut all = Vec::new();
    for _ in 0..EVENTS {
        let stored = server.must_publish(&event(LOCAL_USER, "0")).await;
        all.push(Progress {
            id: stored["id"].as_str().expect("an id").to_owned(),
            sent: 0,
            acknowledged: 0,
        });
    }
    let mut screen = Inbox::default();
    screen.catch_up(&server).await;
    for number in 1..=ROUNDS {
        all = round(server, all, &mut screen, &dice).await;
        server = Server::start_again(directory.path(), number).await;
        for progress in &all {
            let path = format!("/api/system/events/{}", progress.id);
            let (_, stored) = server.get(&path).await;
            let kept = number_in(&stored);
            let possible = progress.acknowledged..=progress.sent;
            assert!(possible.contains(&kept), "{kept} is not of {possible:?}");
        }
        let mut fresh = Inbox::default();
        fresh.catch_up(&server).await;
        fresh.must_agree_with(&server).await;
        screen.catch_up(&server).await;
        screen.must_agree_with(&server).await;
    }
    server.kill().await;
    must_be_sound(directory.path());
}

/// Updates all events and follows them, and kills the server after a random number of responses.
async fn round(
    server: Server,
    all: Vec<Progress>,
    screen: &mut Inbox,
    dice: &Dice,
) -> Vec<Progress> {
    let (responses, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let fatal = dice.roll().u64(1..800);
    let address = server.address;
    let from = screen.cursor.expect("it has read").to_string();
    let stream = Stream::connect(address, &from).await;
    let mut stream = stream.expect("the server accepts");
    let mut publishers = JoinSet::new();
    for progress in all {
        let (responses, enough) = (Arc::clone(&responses), Arc::clone(&enough));
        publishers.spawn(progress.until_it_breaks(address, dice.roll(), move || {
            if responses.fetch_add(1, Ordering::Relaxed) + 1 == fatal {
                enough.notify_one();
            }
        }));
    }
    let follow = async {
        while let Ok(Some(frame)) = stream.next().await {
            screen.take_frame(&frame);
        }
    };
    let crash = async {
        soon("the responses", enough.notified()).await;
        server.kill().await;
    };
    tokio::join!(follow, crash);
    let mut all = Vec::new();
    while let Some(ended) = soon("the publishers to end", publishers.join_next()).await {
        all.push(ended.expect("no publisher panics"));
    }
    all
}
