//! Times that are printed and not compared with anything: they depend on the machine.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::caller::{Caller, PATIENCE, Response, User, owner};
use crate::findings::say;
use crate::site::NODES;

/// The users whose events are measured. The checker does not follow them.
pub(crate) const USERS: usize = 16;

/// Events whose way is timed.
const TIMED: usize = 60;

/// How long each number of nodes is published to.
const TIME: Duration = Duration::from_secs(2);

/// Publishers at the same time.
const PUBLISHERS: usize = 24;

/// Measures the way from a publisher to streams, and the publishers of one, two and three nodes. The events are of
/// users that nobody else uses, from `first` on.
pub(crate) async fn measure(caller: &Caller, first: User) {
    let local = latency(caller, first, 0).await;
    let remote = latency(caller, first, 1).await;
    say(format_args!(
        "median from a publish request to the frame: {local:.2?} on the same node, {remote:.2?} on another"
    ));
    for nodes in 1..=NODES {
        let events = throughput(caller, first, nodes).await;
        let rate = events as f64 / TIME.as_secs_f64();
        say(format_args!(
            "{rate:.0} publishes/s of single events on {nodes} nodes"
        ));
    }
}

/// The median time until an event that is published to node 0 arrives in a stream of a node.
async fn latency(caller: &Caller, user: User, node: usize) -> Duration {
    let response = caller.subscribe(user, node, "").await;
    let mut response = response.expect("the node is there");
    let mut text = String::new();
    let mut times = Vec::new();
    for number in 0..=TIMED {
        let event = event(user);
        let id = event["id"].to_string();
        let begun = Instant::now();
        let published = caller.publish(0, &event, PATIENCE);
        let arrives = async {
            // The first one also waits for the stream to begin.
            while !text.contains(&id) {
                let chunk = response.chunk().await.expect("the stream holds");
                let chunk = chunk.expect("the stream goes on");
                text += std::str::from_utf8(&chunk).expect("it is ASCII");
            }
            begun.elapsed()
        };
        let (_, time) = tokio::join!(published, arrives);
        if number > 0 {
            times.push(time);
        }
        text.clear();
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// How many events are stored through some nodes.
async fn throughput(caller: &Caller, first: User, nodes: usize) -> usize {
    let end = Instant::now() + TIME;
    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let caller = caller.clone();
        publishers.spawn(async move {
            let mut stored = 0;
            while Instant::now() < end {
                let event = event(first + publisher % USERS);
                match caller.publish(publisher % nodes, &event, PATIENCE).await {
                    Response::Known(status, _) if status.is_success() => stored += 1,
                    Response::Known(..) | Response::Unknown(_) => {}
                }
            }
            stored
        });
    }
    publishers.join_all().await.into_iter().sum()
}

fn event(user: User) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "owner": owner(user),
        "actedUpon": Uuid::now_v7(),
        "category": "cluster",
        "action": "measure",
        "severity": "success",
    })
}
