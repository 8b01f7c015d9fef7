//! Several engines on one store, with a bus between them that does what it should, or not.

#[cfg(feature = "postgres")]
mod postgres;
mod random;
mod subscriber;

use bytes::Bytes;

use super::*;
use crate::bus::Bus;
use crate::bus::shaky::{Faults, Network};
use subscriber::Subscriber;

/// Far longer than any test takes, so that only the bus brings changes.
const NEVER: Duration = Duration::from_secs(3_600);

/// A bus that loses everything.
const SILENT: Faults = Faults {
    lost: 100,
    repeated: 0,
    delayed: 0,
    reordered: 0,
};

/// Engines on one store, and the network between them.
struct Cluster {
    nodes: Vec<Tidings>,
    store: Arc<WatchedStore>,
    network: Arc<Network>,
    _directory: TempDir,
}

impl Cluster {
    async fn start(nodes: usize, faults: Faults, seed: u64, heads_interval: Duration) -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let store = Arc::new(WatchedStore::shared(store));
        let network = Network::new(faults, seed);
        let mut started = Vec::new();
        for _ in 0..nodes {
            let config = Config::new(directory.path()).with_heads_interval(heads_interval);
            let shared: Arc<dyn Store> = Arc::clone(&store) as _;
            let bus: Arc<dyn Bus> = network.join() as _;
            let tidings = Tidings::start(shared, Some(bus), config).await;
            started.push(tidings.unwrap());
        }
        Self {
            nodes: started,
            store,
            network,
            _directory: directory,
        }
    }

    async fn of_two() -> Self {
        Self::start(2, Faults::default(), 0, NEVER).await
    }

    fn metrics(&self, node: usize) -> &Metrics {
        &self.nodes[node].shared.metrics
    }

    fn refills(&self) -> usize {
        self.store.refills.load(Ordering::Relaxed)
    }
}

/// Waits until something holds that no signal tells of.
async fn wait_until(holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap();
}

#[tokio::test]
async fn subscribers_of_another_node_get_exact_frames() {
    let cluster = Cluster::of_two().await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    let own = one.publish(event(Some(user))).await.unwrap().id;
    let shared = one.publish(event(None)).await.unwrap().id;
    one.set_status(user, own, Status::Read).await.unwrap();
    one.set_status(user, shared, Status::Read).await.unwrap();
    one.delete(user, own).await.unwrap();
    let system = OwnerId::from(one.system_id());
    one.delete(system, shared).await.unwrap();
    subscriber.follow_to_head().await;
    // No second `ready` or `live`: the frames say all.
    assert_eq!(subscriber.lives, 1);
    assert_eq!(subscriber.frames, 6);
    assert_eq!(subscriber.summary, one.summary(user).await.unwrap().counts);
}

#[tokio::test]
async fn a_hint_costs_one_read_however_many_subscribers_a_feed_has() {
    const SUBSCRIBERS: usize = 1_000;
    let cluster = Cluster::of_two().await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let system = OwnerId::from(one.system_id());
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        subscribers.push(Subscriber::open(two, system).await);
    }
    let before = cluster.store.reads.load(Ordering::Relaxed);
    one.publish(event(None)).await.unwrap();
    for subscriber in &mut subscribers {
        subscriber.follow_to_head().await;
        assert_eq!((subscriber.frames, subscriber.lives), (1, 1));
    }
    // The reads with which the subscribers themselves look up the head.
    let looked = SUBSCRIBERS;
    let reads = cluster.store.reads.load(Ordering::Relaxed) - before;
    assert_eq!((cluster.refills(), reads - looked), (1, 0));
}

/// As when it expires. Each user's counts change in another way, by what they did to the event.
#[tokio::test]
async fn the_end_of_a_system_event_costs_one_read_however_many_users_are_connected() {
    const USERS: usize = 200;
    let cluster = Cluster::of_two().await;
    let one = &cluster.nodes[0];
    let system = OwnerId::from(one.system_id());
    let shared = one.publish(event(None)).await.unwrap().id;
    let mut subscribers = Vec::new();
    for node in &cluster.nodes {
        for number in 0..USERS {
            let user = OwnerId::mint();
            match number % 3 {
                0 => drop(node.set_status(user, shared, Status::Read).await.unwrap()),
                1 => drop(node.delete(user, shared).await.unwrap()),
                _ => {}
            }
            subscribers.push((user, Subscriber::open(node, user).await));
        }
    }
    let (reads, refills) = (
        cluster.store.reads.load(Ordering::Relaxed),
        cluster.refills(),
    );
    one.delete(system, shared).await.unwrap();
    for (_, subscriber) in &mut subscribers {
        subscriber.follow_to_head().await;
        assert_eq!((subscriber.frames, subscriber.lives), (1, 1));
    }
    let reads = cluster.store.reads.load(Ordering::Relaxed) - reads;
    // Each subscriber itself looks up the head. The other node refills its window.
    assert_eq!(
        (cluster.refills() - refills, reads - subscribers.len()),
        (1, 0)
    );
    for (user, subscriber) in &subscribers {
        assert_eq!(subscriber.summary, one.summary(*user).await.unwrap().counts);
    }
}

#[tokio::test]
async fn a_node_ignores_its_own_hints() {
    let cluster = Cluster::of_two().await;
    let [one, _] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(one, user).await;
    one.publish(event(Some(user))).await.unwrap();
    subscriber.follow_to_head().await;
    wait_until(|| cluster.metrics(1).hints_received.get() > 0).await;
    assert_eq!(cluster.metrics(0).hints_sent.get(), 1);
    // Nobody follows the feed there.
    assert_eq!(cluster.metrics(1).hints_useless.get(), 1);
    // A message of its own that comes after the first is ignored, too.
    one.publish(event(Some(user))).await.unwrap();
    wait_until(|| cluster.metrics(1).hints_received.get() > 1).await;
    assert_eq!(cluster.metrics(0).hints_received.get(), 0);
    assert_eq!(cluster.refills(), 0);
}

#[tokio::test]
async fn a_comparison_of_heads_finds_what_the_bus_lost() {
    let interval = Duration::from_millis(20);
    let cluster = Cluster::start(2, SILENT, 0, interval).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    one.publish(event(Some(user))).await.unwrap();
    subscriber.follow_to_head().await;
    assert_eq!((subscriber.frames, subscriber.lives), (1, 1));
    let metrics = cluster.metrics(1);
    assert_eq!(metrics.hints_received.get(), 0);
    wait_until(|| metrics.hints_lost.get() == 1).await;
}

#[tokio::test]
async fn a_reconnect_of_the_bus_compares_all_heads() {
    let cluster = Cluster::start(2, SILENT, 0, NEVER).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let users = [OwnerId::mint(), OwnerId::mint()];
    let mut subscribers = Vec::new();
    for user in users {
        subscribers.push(Subscriber::open(two, user).await);
        one.publish(event(Some(user))).await.unwrap();
    }
    cluster.network.reconnect();
    for subscriber in &mut subscribers {
        subscriber.follow_to_head().await;
        assert_eq!((subscriber.frames, subscriber.lives), (1, 1));
    }
}

#[tokio::test]
async fn an_acknowledged_event_is_delivered_after_those_of_other_nodes() {
    let cluster = Cluster::start(2, SILENT, 0, NEVER).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    for _ in 0..4 {
        one.publish(event(Some(user))).await.unwrap();
    }
    let receipt = two.publish(event(Some(user))).await.unwrap();
    assert_eq!(receipt.rev, Some(tidings_event::Rev::new(5)));
    subscriber.take_what_is_there();
    assert_eq!((subscriber.frames, subscriber.lives), (5, 1));
    // A repeat of what another node has stored, too.
    let repeated = event(Some(user));
    one.publish(repeated.clone()).await.unwrap();
    assert!(two.publish(repeated).await.unwrap().repeated);
    subscriber.take_what_is_there();
    assert_eq!((subscriber.frames, subscriber.lives), (6, 1));
}

/// The frame of the change names the event, so it comes after the event, and the reply after both.
#[tokio::test]
async fn an_acknowledged_change_of_a_system_event_of_another_node_is_delivered() {
    let cluster = Cluster::start(2, SILENT, 0, NEVER).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    let shared = one.publish(event(None)).await.unwrap().id;
    two.set_status(user, shared, Status::Read).await.unwrap();
    subscriber.take_what_is_there();
    assert_eq!((subscriber.frames, subscriber.lives), (2, 1));
    // Nobody waits for it where no stream of the user is.
    let other = OwnerId::mint();
    let shared = one.publish(event(None)).await.unwrap().id;
    two.delete(other, shared).await.unwrap();
}

#[tokio::test]
async fn subscribers_read_the_store_if_a_refill_is_incomplete() {
    let cluster = Cluster::start(2, SILENT, 0, NEVER).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    one.publish(event(Some(user))).await.unwrap();
    cluster.store.forget_changes();
    cluster.network.reconnect();
    subscriber.follow_to_head().await;
    subscriber.follow_to_live(2).await;
    assert_eq!(subscriber.summary, one.summary(user).await.unwrap().counts);
    assert_eq!(cluster.metrics(1).refills_incomplete.get(), 1);
    // The next frames are exact again.
    one.publish(event(Some(user))).await.unwrap();
    cluster.network.reconnect();
    subscriber.follow_to_head().await;
    assert_eq!(subscriber.lives, 2);
}

#[tokio::test]
async fn a_failed_refill_delays_no_acknowledgement_and_is_repeated() {
    let cluster = Cluster::start(2, SILENT, 0, NEVER).await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    one.publish(event(Some(user))).await.unwrap();
    cluster.store.refills_fail.store(true, Ordering::Relaxed);
    two.publish(event(Some(user))).await.unwrap();
    // The subscriber reads the store itself.
    subscriber.follow_to_head().await;
    subscriber.follow_to_live(2).await;
    assert_eq!(subscriber.summary, one.summary(user).await.unwrap().counts);
    // Later the refill is tried again without any hint.
    one.publish(event(Some(user))).await.unwrap();
    cluster.network.reconnect();
    wait_until(|| cluster.metrics(1).refills_failed.get() >= 2).await;
    cluster.store.refills_fail.store(false, Ordering::Relaxed);
    subscriber.follow_to_head().await;
    assert_eq!(subscriber.lives, 2);
}

#[tokio::test]
async fn hints_during_a_read_cost_one_more() {
    let cluster = Cluster::start(3, Faults::default(), 0, NEVER).await;
    let [one, two, three] = &cluster.nodes[..] else {
        panic!("three nodes");
    };
    let gate = &cluster.store.refill_gate;
    gate.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(three, user).await;
    let hints = || cluster.metrics(2).hints_received.get();
    one.publish(event(Some(user))).await.unwrap();
    wait_until(|| cluster.refills() == 1).await;
    for number in 2..20 {
        let node = if number % 2 == 0 { one } else { two };
        node.publish(event(Some(user))).await.unwrap();
        wait_until(|| hints() >= number).await;
    }
    assert_eq!(cluster.refills(), 1);
    gate.add_permits(100);
    subscriber.follow_to_head().await;
    assert_eq!((subscriber.frames, subscriber.lives), (19, 1));
    // The pieces of the store have three items.
    assert_eq!(cluster.refills(), 7);
}

#[tokio::test]
async fn a_hint_is_not_trusted() {
    let cluster = Cluster::of_two().await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    one.publish(event(Some(user))).await.unwrap();
    subscriber.follow_to_head().await;
    let mut lie = vec![1, 1];
    lie.extend([7; 16]);
    lie.extend(user.as_uuid().as_bytes());
    lie.extend([0xFF; 8]);
    let truncated = Bytes::copy_from_slice(&lie[..30]);
    let huge = Bytes::from(vec![1; 1 << 20]);
    for message in [Bytes::new(), truncated, huge, lie.into()] {
        cluster.network.inject(&message);
    }
    let metrics = cluster.metrics(1);
    wait_until(|| metrics.messages_refused.get() == 3).await;
    wait_until(|| metrics.refills_useless.get() == 1).await;
    // The window is where it was.
    one.publish(event(Some(user))).await.unwrap();
    subscriber.follow_to_head().await;
    assert_eq!((subscriber.frames, subscriber.lives), (2, 1));
}

#[tokio::test]
async fn a_closed_node_ends_with_the_others_still_open() {
    let cluster = Cluster::of_two().await;
    let [one, two] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    let user = OwnerId::mint();
    let mut subscriber = Subscriber::open(two, user).await;
    one.end_subscriptions();
    one.publish(event(Some(user))).await.unwrap();
    subscriber.follow_to_head().await;
    assert_eq!((subscriber.frames, subscriber.lives), (1, 1));
    two.check_bus().unwrap();
    two.check().await.unwrap();
}
