//! Random changes from several nodes under a bus with faults.

use futures_util::future::join_all;
use tidings_event::{EventId, OwnerId, Status};

use super::subscriber::Subscriber;
use super::{Cluster, Faults, NEVER, Tidings, event};
use crate::schedules::seeds;

/// The number of new seeds.
const SEEDS: usize = 12;

const NODES: usize = 3;

/// The changes that each node makes.
const CHANGES: usize = 40;

/// Publishes, marks and deletes at random, also the same events as the other nodes at the same time.
pub(super) async fn change(
    nodes: &[Tidings],
    node: usize,
    users: &[OwnerId],
    ids: &[EventId],
    seed: u64,
) {
    let mut dice = fastrand::Rng::with_seed(seed.wrapping_add(node as u64));
    let tidings = &nodes[node];
    let system = OwnerId::from(tidings.system_id());
    let mut ids = ids.to_vec();
    for _ in 0..CHANGES {
        let user = users[dice.usize(..users.len())];
        let id = ids[dice.usize(..ids.len())];
        // A change finds nothing if another node has deleted the event.
        match dice.u32(..8) {
            0 | 1 => {
                let owner = Some(user);
                ids.push(tidings.publish(event(owner)).await.unwrap().id);
            }
            2 => ids.push(tidings.publish(event(None)).await.unwrap().id),
            3 | 4 => drop(tidings.set_status(user, id, Status::Read).await),
            5 => drop(tidings.set_status(user, id, Status::Unread).await),
            6 => drop(tidings.delete(user, id).await),
            _ => drop(tidings.delete(system, id).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_of_every_node_counts_exactly() {
    let faults = Faults {
        lost: 30,
        repeated: 20,
        delayed: 30,
        reordered: 30,
    };
    for seed in seeds::seeds("every_subscriber_of_every_node_counts_exactly", SEEDS) {
        let cluster = Cluster::start(NODES, faults, seed, NEVER).await;
        let users = [OwnerId::mint(), OwnerId::mint()];
        let system = OwnerId::from(cluster.nodes[0].system_id());
        let mut ids = Vec::new();
        for owner in [None, Some(users[0]), Some(users[1]), None] {
            ids.push(cluster.nodes[0].publish(event(owner)).await.unwrap().id);
        }
        let mut subscribers = Vec::new();
        for tidings in &cluster.nodes {
            for owner in [users[0], users[1], system] {
                subscribers.push(Subscriber::open(tidings, owner).await);
            }
        }
        let changing = (0..NODES).map(|node| change(&cluster.nodes, node, &users, &ids, seed));
        join_all(changing).await;
        // Now the bus heals.
        cluster.network.reconnect();
        for subscriber in &mut subscribers {
            subscriber.follow_to_head().await;
            subscriber.check_counts().await;
            assert_eq!(subscriber.lives, 1, "the frames are exact");
        }
        // The store agrees on all nodes.
        for user in users {
            let summaries = join_all(cluster.nodes.iter().map(|node| node.summary(user))).await;
            let mut summaries = summaries.into_iter().map(Result::unwrap);
            let first = summaries.next().unwrap();
            assert!(summaries.all(|other| other == first));
        }
    }
}
