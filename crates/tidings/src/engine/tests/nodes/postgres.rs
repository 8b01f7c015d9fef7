//! Engines on one PostgreSQL database, with each bus.

use futures_util::future::join_all;

use super::random::change;
use super::subscriber::Subscriber;
use super::*;
use crate::config::{BusConfig, PostgresConfig};
use crate::schedules::seeds;
use crate::store::postgres::tests::database::Database;

const NODES: usize = 3;

/// The number of new seeds for each bus.
const SEEDS: usize = 3;

async fn start(database: &Database, bus: &BusConfig, heads_interval: Duration) -> Vec<Tidings> {
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let config = Config::for_store(PostgresConfig::new(database.url()))
            .with_bus(bus.clone())
            .with_heads_interval(heads_interval);
        nodes.push(Tidings::open(config).await.unwrap());
    }
    for node in &nodes {
        let connected = async {
            while node.check_bus().is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, connected).await.unwrap();
    }
    nodes
}

/// All subscribers of all nodes get exact frames of random changes by all nodes, and count as the store does.
async fn check(test: &'static str, bus: &BusConfig, heads_interval: Duration) {
    for seed in seeds::seeds(test, SEEDS) {
        let database = Database::create();
        let nodes = start(&database, bus, heads_interval).await;
        let users = [OwnerId::mint(), OwnerId::mint()];
        let system = OwnerId::from(nodes[0].system_id());
        let mut ids = Vec::new();
        for owner in [None, Some(users[0]), Some(users[1]), None] {
            ids.push(nodes[0].publish(event(owner)).await.unwrap().id);
        }
        let mut subscribers = Vec::new();
        for tidings in &nodes {
            for owner in [users[0], users[1], system] {
                subscribers.push(Subscriber::open(tidings, owner).await);
            }
        }
        let changing = (0..NODES).map(|node| change(&nodes, node, &users, &ids, seed));
        join_all(changing).await;
        for subscriber in &mut subscribers {
            subscriber.follow_to_head().await;
            subscriber.check_counts().await;
        }
        drop(subscribers);
        join_all(nodes.iter().map(Tidings::close)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_of_postgres_brings_every_change() {
    let test = "the_bus_of_postgres_brings_every_change";
    check(test, &BusConfig::Postgres, NEVER).await;
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_of_nats_brings_every_change() {
    let server = crate::bus::nats::tests::Server::start_anywhere();
    let bus = BusConfig::Nats(crate::config::NatsConfig::new([server.url()]));
    check("the_bus_of_nats_brings_every_change", &bus, NEVER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparisons_alone_bring_every_change() {
    let test = "comparisons_alone_bring_every_change";
    check(test, &BusConfig::None, Duration::from_millis(50)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_of_another_node_get_what_postgres_tells_exactly() {
    let database = Database::create();
    let nodes = start(&database, &BusConfig::Postgres, NEVER).await;
    let [one, two, _] = &nodes[..] else {
        panic!("three nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    let own = one.publish(event(Some(user))).await.unwrap().id;
    let shared = one.publish(event(None)).await.unwrap().id;
    one.set_status(user, own, Status::Read).await.unwrap();
    one.set_status(user, shared, Status::Read).await.unwrap();
    subscriber.follow_to_head().await;
    // One at a time: an event that is created and deleted between two reads cannot be told.
    one.delete(user, own).await.unwrap();
    subscriber.follow_to_head().await;
    let system = OwnerId::from(one.system_id());
    one.delete(system, shared).await.unwrap();
    subscriber.follow_to_head().await;
    assert_eq!((subscriber.frames, subscriber.lives), (6, 1));
    subscriber.check_counts().await;
}
