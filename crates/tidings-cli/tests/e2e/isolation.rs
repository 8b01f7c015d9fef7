//! Two thousand users listen while events arrive, are marked and deleted, tokens expire and connections
//! break. No user receives a byte of another user's data, and each receives all of their own.

mod checker;
mod names;
mod stream_socket;
mod traffic;
mod user;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};
use reqwest::{Method, StatusCode};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use checker::uuid;
use names::SYSTEM;
use user::Journey;
use world::World;

use crate::server::{Server, soon};
use crate::test_dir::TestDir;

const USERS: u32 = 2_000;

/// The most connections that are opened at the same time.
const DOORS: usize = 64;

const PUBLISHERS: usize = 4;
const REQUESTS: usize = 100;
const CHANGERS: usize = 4;
const CHANGES: usize = 100;

/// The most users whose lists are compared at the same time.
const ASKED: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_users_see_all_own_events_and_no_others() {
    raise_open_files();
    let place = TestDir::new().await;
    let server = Server::from_command(place.serve(&["--jwt-leeway", "1s"])).await;
    let secret = std::fs::read_to_string(&place.secret).expect("it is there");
    let world = World::new(server.address, USERS, secret.trim_end().as_bytes());
    let first = world.publish(&[SYSTEM]).await;
    let installation = uuid(&first["owner"]);
    let world = Arc::new(world);

    let doors = Arc::new(Semaphore::new(DOORS));
    let mut targets = Vec::new();
    let mut journeys = FuturesUnordered::new();
    for user in 0..USERS {
        let (target, known) = watch::channel(None);
        let journey = user::follow(
            user,
            Arc::clone(&world),
            installation,
            Arc::clone(&doors),
            known,
        );
        targets.push(target);
        journeys.push(tokio::spawn(journey));
    }
    run_traffic(&world, installation).await;

    // The traffic has ended, so the final cursor of each stream is known.
    let mut told = stream::iter((0..USERS).zip(&targets))
        .map(|(user, target)| tell(&world, user, target))
        .buffer_unordered(ASKED);
    while told.next().await.is_some() {}
    drop(told);

    let mut all = Vec::new();
    while let Some(journey) = soon("a user to have all", journeys.next()).await {
        all.push(journey.expect("no check has failed"));
    }
    check_coverage(&all);
    compare_with_lists(&world, &all).await;
}

/// Raises the soft limit of open files to the hard limit.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a limit can be raised to its maximum");
}

/// Publishes and changes events until all traffic is sent.
async fn run_traffic(world: &Arc<World>, installation: Uuid) {
    let mut traffic = JoinSet::new();
    for _ in 0..PUBLISHERS {
        let world = Arc::clone(world);
        traffic.spawn(async move { traffic::publish(&world, REQUESTS).await });
    }
    for _ in 0..CHANGERS {
        let world = Arc::clone(world);
        traffic.spawn(async move { traffic::change(&world, CHANGES, installation).await });
    }
    while let Some(done) = traffic.join_next().await {
        done.expect("no check has failed");
    }
}

/// Sends the final cursor of a user's stream to the task that follows it.
async fn tell(world: &World, user: u32, target: &watch::Sender<Option<String>>) {
    let (status, summary) = world.ask(user, (Method::GET, "/summary"), None).await;
    assert_eq!(status, StatusCode::OK, "{summary}");
    let cursor = summary["cursor"].as_str().expect("it has a cursor");
    target.send_replace(Some(cursor.to_owned()));
}

/// Checks that connections were cut and tokens expired. Otherwise the test proves nothing.
fn check_coverage(journeys: &[Journey]) {
    let sum = |count: fn(&Journey) -> usize| journeys.iter().map(count).sum::<usize>();
    let cuts = sum(|journey| journey.cuts);
    let expiries = sum(|journey| journey.expiries);
    let rejections = sum(|journey| journey.rejections);
    assert!(
        cuts > 0 && expiries > 0 && rejections > 0,
        "{cuts} cuts, {expiries} expiries, {rejections} rejections"
    );
    let tags: BTreeSet<_> = journeys
        .iter()
        .map(|journey| journey.checker.tag())
        .collect();
    assert_eq!(
        tags.len(),
        journeys.len(),
        "each user has a tag of their own"
    );
}

/// Compares each stream with the user's list, and the list with the published events.
async fn compare_with_lists(world: &World, journeys: &[Journey]) {
    let mut published: BTreeMap<u32, Vec<Uuid>> = BTreeMap::new();
    for (user, id) in world.all_published() {
        published.entry(user).or_default().push(id);
    }
    let none = Vec::new();
    let of_system = &published[&SYSTEM];
    let mut compared = stream::iter(journeys)
        .map(|journey| async {
            let user = journey.checker.user();
            let listed = list(world, user).await;
            assert_eq!(&listed, journey.checker.inbox(), "user {user}");
            if !traffic::deletes(user) {
                let own = published.get(&user).unwrap_or(&none);
                let all: BTreeSet<_> = own.iter().chain(of_system).collect();
                assert!(listed.keys().eq(all), "user {user} lacks events");
            }
        })
        .buffer_unordered(ASKED);
    while compared.next().await.is_some() {}
}

/// The status of each event in a user's list.
async fn list(world: &World, user: u32) -> BTreeMap<Uuid, String> {
    let path = "?pagesize=1000";
    let (status, page) = world.ask(user, (Method::GET, path), None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["next"], Value::Null, "a page holds all");
    let events = page["events"].as_array().expect("it has events");
    let status = |event: &Value| {
        event["status"]
            .as_str()
            .expect("it has a status")
            .to_owned()
    };
    events
        .iter()
        .map(|event| (uuid(&event["id"]), status(event)))
        .collect()
}
