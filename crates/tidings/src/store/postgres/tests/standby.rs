//! Commits that wait for a synchronous standby which is away.

mod servers;

use std::time::Duration;

use futures_util::future::join_all;
use tidings_event::{
    Event, EventFilter, EventId, OwnerId, PageRequest, Severity, Status, StreamItem,
};
use uuid::Uuid;

use crate::{Config, PostgresConfig, PublishError, Start, Subscription, Tidings};
use servers::Servers;

/// The sessions of nodes whose commits wait for the standby.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' \
     AND (query = 'COMMIT' OR starts_with(query, 'WITH feeds'))";

/// A node that soon gives up.
async fn node(servers: &Servers) -> Tidings {
    let store = PostgresConfig::new(servers.url()).with_timeout(Duration::from_secs(2));
    let config = Config::for_store(store).with_heads_interval(Duration::from_millis(100));
    Tidings::open(config).await.expect("the node starts")
}

fn id(number: u128) -> EventId {
    Uuid::from_u128(0xE000 + number).into()
}

/// The event of an owner with a number, as its publisher sends it each time.
fn event(owner: OwnerId, number: u128) -> Event {
    let mut event = Event::builder()
        .from_user(*owner.as_uuid())
        .acted_upon(Uuid::from_u128(7))
        .with_category("deployment")
        .with_action("apply")
        .with_description("The disk is nearly full")
        .with_severity(Severity::Warning)
        .build()
        .expect("it keeps the rules")
        .into_event();
    event.id = id(number);
    event.operation_id = Uuid::from_u128(8).into();
    event
}

/// Publishes until the database has a server again.
async fn publish(node: &Tidings, event: Event) -> u64 {
    loop {
        match node.publish(event.clone()).await {
            Ok(receipt) => return receipt.rev.expect("it is stored").get(),
            Err(error) => assert!(matches!(error, PublishError::Store(_)), "{error:?}"),
        }
    }
}

/// The next event of a stream, which nothing else comes before.
async fn next_event(stream: &mut Subscription) -> EventId {
    loop {
        let item = stream.next().await.expect("the stream goes on");
        match item.expect("the stream goes on") {
            StreamItem::Created { event, .. } => return event.id,
            StreamItem::Ready { .. } | StreamItem::Live { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The ids and states of the events of an owner, the oldest first.
async fn listed(node: &Tidings, owner: OwnerId) -> Vec<(EventId, Status)> {
    let page = node.list(owner, EventFilter::default(), PageRequest::default());
    let events = page.await.expect("reading goes on").events;
    let mut listed: Vec<_> = events
        .iter()
        .map(|event| (event.id, event.status))
        .collect();
    listed.sort_unstable_by_key(|(id, _)| *id);
    listed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_sees_a_commit_before_the_standby_has_it() {
    let mut servers = Servers::start();
    let [publisher, reader] = [node(&servers).await, node(&servers).await];
    let [owner, other] = [0xA, 0xB].map(|owner| OwnerId::from_uuid(Uuid::from_u128(owner)));
    publish(&publisher, event(other, 0)).await;
    let mut stream = reader.subscribe(owner, Start::Now).await.unwrap();
    // The last of them takes one statement.
    for number in 1..=3 {
        publish(&publisher, event(owner, number)).await;
        assert_eq!(next_event(&mut stream).await, id(number));
    }
    servers.stop_standby();
    let lost = event(owner, 4);
    let (published, marked) = tokio::join!(
        publisher.publish(lost.clone()),
        reader.set_status(other, id(0), Status::Read),
    );
    // After all time limits.
    published.unwrap_err();
    marked.unwrap_err();
    for node in [&publisher, &reader] {
        let seen = [1, 2, 3].map(|number| (id(number), Status::Unread));
        assert_eq!(listed(node, owner).await, seen);
        assert_eq!(listed(node, other).await, [(id(0), Status::Unread)]);
    }
    servers.promote();
    assert_eq!(publish(&reader, event(owner, 5)).await, 4);
    assert_eq!(next_event(&mut stream).await, id(5));
    assert_eq!(publish(&publisher, lost).await, 5);
    assert_eq!(next_event(&mut stream).await, id(4));
    drop(stream);
    publisher.close().await;
    reader.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_leaves_few_commits_that_wait_for_the_standby() {
    let mut servers = Servers::start();
    let node = node(&servers).await;
    servers.stop_standby();
    for _ in 0..3 {
        let owners = [(); 4].map(|()| OwnerId::mint());
        let published = join_all(owners.map(|owner| node.publish(event(owner, 1)))).await;
        assert!(published.iter().all(Result::is_err), "{published:?}");
    }
    // One of each connection for commits, and one more of each that was about to begin.
    let most = 2 * PostgresConfig::DEFAULT_COMMIT_CONNECTIONS;
    let waiting = servers.count(WAITING);
    assert!((1..=most as u64).contains(&waiting), "{waiting}");
    servers.start_standby();
    publish(&node, event(OwnerId::mint(), 1)).await;
    while servers.count(WAITING) > 0 {}
    node.close().await;
}
