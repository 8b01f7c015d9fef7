//! Two nodes on one store: what one commits reaches the subscribers of the other, whatever the bus does and in
//! whatever order the commits, hints and reads come.

use std::sync::Arc;
use std::time::Duration;

use shuttle::future::spawn;
use shuttle::rand::Rng as _;
use tidings_event::{Change, OwnerId, Rev, Start};

use super::play;
use super::scene::{Position, Scene};
use super::store::MemoryStore;
use crate::bus::shaky::{Faults, Network};
use crate::bus::{Bus, NodeId, Outbox, announce, listen};
use crate::heads::Heads;
use crate::hub::{FoundFrames, Reached};
use crate::metrics::Metrics;
use crate::refill::Refiller;
use crate::store::Store as _;
use crate::sync::JoinHandle;

struct Node {
    scene: Arc<Scene>,
    heads: Arc<Heads>,
    /// Those that do not end with the hub.
    tasks: Vec<JoinHandle<()>>,
}

const FAULTS: Faults = Faults {
    lost: 0,
    repeated: 20,
    delayed: 0,
    reordered: 40,
};

const LOSSES: Faults = Faults {
    lost: 50,
    repeated: 20,
    delayed: 30,
    reordered: 40,
};

/// Starts two nodes. Nothing compares heads by itself, since that would end every deadlock.
fn nodes(faults: Faults) -> [Node; 2] {
    let store = Arc::new(MemoryStore::shared());
    let network = Network::new(faults, shuttle::rand::thread_rng().r#gen());
    [(); 2].map(|()| {
        let outbox = Arc::new(Outbox::new(Arc::new(Metrics::new())));
        let scene = Scene::open_on(Arc::clone(&store), Some(Arc::clone(&outbox)));
        let (hub, metrics) = (Arc::clone(&scene.hub), Arc::clone(&scene.metrics));
        let heads = Arc::new(Heads::new(
            Arc::clone(&store) as _,
            Arc::clone(&hub),
            Arc::clone(&metrics),
            Duration::MAX,
        ));
        for _ in 0..2 {
            let refiller = Refiller {
                store: Arc::clone(&store) as _,
                hub: Arc::clone(&hub),
                metrics: Arc::clone(&metrics),
                heads: Arc::clone(&heads),
            };
            spawn(refiller.run());
        }
        let node = NodeId::mint();
        let bus: Arc<dyn Bus> = network.join() as _;
        let announcing = announce(outbox, Arc::clone(&bus), node, Arc::clone(&metrics));
        let listening = listen(bus, node, hub, Arc::clone(&heads), metrics);
        let tasks = vec![
            crate::sync::spawn(async { match announcing.await {} }),
            crate::sync::spawn(async { match listening.await {} }),
        ];
        Node {
            scene,
            heads,
            tasks,
        }
    })
}

async fn close(nodes: [Node; 2]) {
    for node in nodes {
        node.scene.committer.close().await;
        node.scene.hub.close();
        for task in &node.tasks {
            task.abort();
        }
    }
}

/// Publishes some events of each owner on each node at once.
fn publish(nodes: &[Node; 2], owners: [OwnerId; 2], events: usize) -> Vec<JoinHandle<()>> {
    let mut publishers = Vec::new();
    for node in nodes {
        for owner in owners {
            let scene = Arc::clone(&node.scene);
            publishers.push(crate::sync::spawn(async move {
                for _ in 0..events {
                    scene.publish(owner).await.unwrap();
                }
            }));
        }
    }
    publishers
}

#[test]
fn hints_bring_every_change_to_the_other_node() {
    play("hints_bring_every_change_to_the_other_node", || async {
        let nodes = nodes(FAULTS);
        let (user, system) = (OwnerId::mint(), nodes[0].scene.system());
        let publishers = publish(&nodes, [user, system], 2);
        let followers = [0, 1].map(|node: usize| {
            let scene = Arc::clone(&nodes[node].scene);
            spawn(async move {
                let mut follower = scene.subscribe(user, Start::Earliest).await;
                let seen = follower.follow_to(Position { own: 4, system: 4 }).await;
                assert_eq!(seen.len(), 8);
            })
        });
        for publisher in publishers {
            publisher.await.unwrap();
        }
        for follower in followers {
            follower.await.unwrap();
        }
        close(nodes).await;
    });
}

#[test]
fn a_comparison_of_heads_brings_what_the_bus_lost() {
    play("a_comparison_of_heads_brings_what_the_bus_lost", || async {
        let nodes = nodes(LOSSES);
        let (user, system) = (OwnerId::mint(), nodes[0].scene.system());
        let mut followers = Vec::new();
        for node in &nodes {
            let mut follower = node.scene.subscribe(user, Start::Now).await;
            follower.follow_to(Position::default()).await;
            followers.push(follower);
        }
        for publisher in publish(&nodes, [user, system], 2) {
            publisher.await.unwrap();
        }
        for node in &nodes {
            node.heads.compare_all().await.unwrap();
        }
        for (follower, node) in followers.iter_mut().zip(&nodes) {
            let seen = follower.follow_to(Position { own: 4, system: 4 }).await;
            assert_eq!(seen.len(), 8);
            // The store tells everything exactly, so that a subscriber need not read it.
            assert!(follower.lives() == 1 || !node.scene.has_large_windows());
        }
        close(nodes).await;
    });
}

/// No hint arrives at all.
#[test]
fn acknowledges_after_the_delivery_of_what_came_before() {
    play(
        "acknowledges_after_the_delivery_of_what_came_before",
        || async {
            let nodes = nodes(Faults {
                lost: 100,
                ..FAULTS
            });
            let owner = OwnerId::mint();
            let publishers = [0, 1, 0, 1].map(|node: usize| {
                let scene = Arc::clone(&nodes[node].scene);
                spawn(async move {
                    let seat = scene.hub.join(owner, owner);
                    seat.goes_live_from(scene.store.snapshot(owner).await.unwrap().own.head);
                    let (_, rev) = scene.publish(owner).await.unwrap();
                    let before = Rev::new(rev.get() - 1);
                    match seat.look(before, Reached::default(), usize::MAX) {
                        FoundFrames::Frames(frames) => assert_eq!(frames[0].0, rev),
                        FoundFrames::Gap { up_to } => assert!(up_to >= rev),
                        FoundFrames::CaughtUp => {
                            panic!("{rev} is acknowledged before it is delivered")
                        }
                    }
                })
            });
            for publisher in publishers {
                publisher.await.unwrap();
            }
            assert_eq!(nodes[0].scene.store.head(owner), Rev::new(4));
            close(nodes).await;
        },
    );
}

/// A user marks a system event on one node, and the system deletes it on the other.
#[test]
fn changes_of_a_system_event_come_in_their_places() {
    play("changes_of_a_system_event_come_in_their_places", || async {
        let nodes = nodes(FAULTS);
        let (user, system) = (OwnerId::mint(), nodes[0].scene.system());
        let changer = spawn({
            let [one, two] = [0, 1].map(|node: usize| Arc::clone(&nodes[node].scene));
            async move {
                one.publish(system).await.unwrap();
                let (id, rev) = two.publish(system).await.unwrap();
                one.mark(user, id).await.unwrap();
                two.change(system, &[id], Change::Delete).await.unwrap();
                rev.get()
            }
        });
        let mut seen = Vec::new();
        for node in &nodes {
            let mut follower = node.scene.subscribe(user, Start::Now).await;
            seen.push(follower.follow_to(Position { own: 1, system: 3 }).await);
        }
        let rev = changer.await.unwrap();
        for seen in seen {
            let status = seen.iter().find(|frame| frame.name == Some("status"));
            assert!(
                status.is_none_or(|status| status.at.system >= rev),
                "{seen:?}"
            );
        }
        close(nodes).await;
    });
}
