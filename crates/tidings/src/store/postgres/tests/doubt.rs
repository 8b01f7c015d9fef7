//! Commits whose response is lost.

mod proxy;

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{Change, EventId, EventRef, OwnerId, Status};
use uuid::Uuid;

use proxy::{Fate, Proxy};

use super::{Database, moment, publishing, submission, unless_ended, update};
use crate::config::PostgresConfig;
use crate::store::postgres::PostgresStore;
use crate::store::postgres::commit::LOCK_FEEDS;
use crate::store::{
    ChangeStep, Committed, Group, PublishOutcome, Store as _, StoreError, UpdateOutcome,
};

/// A store behind a proxy.
struct Scene {
    database: Database,
    proxy: Proxy,
    store: Arc<PostgresStore>,
}

impl Scene {
    /// A store whose transactions can stand still for as long as a busy machine takes.
    async fn begin() -> Self {
        Self::with_timeout(Duration::from_secs(60)).await
    }

    /// A store that gives up soon.
    async fn brief() -> Self {
        Self::with_timeout(Duration::from_secs(5)).await
    }

    async fn with_timeout(timeout: Duration) -> Self {
        let database = Database::create();
        let url = database.url();
        let (_, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let proxy = Proxy::start(server.to_owned()).await;
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", proxy.port);
        let config = PostgresConfig::new(url).with_timeout(timeout);
        let store = Arc::new(PostgresStore::open(&config).await.unwrap());
        Self {
            database,
            proxy,
            store,
        }
    }

    /// Publishes the event with a number in a task of its own.
    fn publish(&self, number: u64) -> Committing {
        commit(&self.store, self.event(number))
    }

    /// A group that publishes the event with a number.
    fn event(&self, number: u64) -> Group {
        let system = self.store.identity().system;
        publishing(vec![submission(id(number), owner(), number, system)])
    }

    /// A rival of the store, which reaches the server directly.
    async fn other_node(&self) -> Arc<PostgresStore> {
        Arc::new(super::open(&self.database).await)
    }

    /// Commits a group of the store, whose commit is lost, and right after it one of another node, which takes its
    /// positions.
    async fn overtake(&self, lost: Group, other: Group) -> [Committed; 2] {
        let rival = self.other_node().await;
        let watch = Blocked::watch(&self.database).await;
        self.proxy.next_commit(Fate::LoseCommitLater);
        let mut lost = commit(&self.store, lost);
        unless_ended(&mut lost, self.proxy.done()).await;
        let mut other = commit(&rival, other);
        // It is the next to get the lock of the feed.
        watch.waiting("", &mut other).await;
        self.proxy.go_on();
        let committed = [lost.await, other.await].map(|done| done.unwrap().unwrap());
        rival.close().await;
        watch.release().await;
        committed
    }

    /// Makes every commit wait for a lock of the test, which [`Blocked::release`] releases.
    async fn block_commits(&self) -> Blocked {
        self.database.query(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END'; \
             CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON event \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()",
        );
        let blocked = Blocked::watch(&self.database).await;
        let lock = blocked.client.batch_execute("SELECT pg_advisory_lock(42)");
        lock.await.unwrap();
        blocked
    }

    /// Publishes an event of another owner. The store tries its first group in one statement, and the next one with a
    /// `COMMIT`, since it expects another owner without a feed.
    async fn expect_newcomers(&self) {
        let system = self.store.identity().system;
        let newcomer = OwnerId::from_uuid(Uuid::from_u128(0xB));
        let first = publishing(vec![submission(id(0), newcomer, 0, system)]);
        commit(&self.store, first).await.unwrap().unwrap();
    }

    /// Publishes events until the store expects only new ones, which it commits in one statement.
    async fn expect_new(&self) {
        for number in [1, 2] {
            self.publish(number).await.unwrap().unwrap();
        }
        let before = self.store.commits.sent();
        self.publish(3).await.unwrap().unwrap();
        assert_eq!(self.store.commits.sent() - before, 1);
    }

    fn events(&self) -> String {
        let found = self.database.query(
            "SELECT string_agg(created_rev::text, ' ' ORDER BY created_rev), \
             (SELECT max(head) FROM feed WHERE owner = '00000000-0000-0000-0000-00000000000a') \
             FROM event WHERE owner = '00000000-0000-0000-0000-00000000000a'",
        );
        let text = |index: usize| found[index].clone().unwrap_or_default();
        format!("{} head {}", text(0), text(1))
    }
}

/// Sees what waits for locks. Commits wait while it has the lock of [`Scene::block_commits`].
struct Blocked {
    client: tokio_postgres::Client,
    driver: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Blocked {
    async fn watch(database: &Database) -> Self {
        let connected = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await;
        let (client, driver) = connected.unwrap();
        let driver = tokio::spawn(driver);
        Self { client, driver }
    }

    /// Waits until a statement that begins like this waits for a lock, and returns its process. It belongs to
    /// `committing`.
    async fn waiting(&self, statement: &str, committing: &mut Committing) -> i32 {
        unless_ended(committing, self.found(statement)).await
    }

    async fn found(&self, statement: &str) -> i32 {
        loop {
            let row = self
                .client
                .query_opt(
                    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                     AND datname = current_database() AND starts_with(query, $1)",
                    &[&statement],
                )
                .await
                .unwrap();
            if let Some(row) = row {
                return row.get(0);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn terminate(&self, process: i32) {
        self.client
            .execute("SELECT pg_terminate_backend($1)", &[&process])
            .await
            .unwrap();
    }

    async fn release(self) {
        drop(self.client);
        self.driver.await.unwrap().unwrap();
    }
}

type Committing = tokio::task::JoinHandle<Result<Committed, StoreError>>;

fn commit(store: &Arc<PostgresStore>, group: Group) -> Committing {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.commit(Box::new(|| group)).await })
}

fn owner() -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA))
}

fn id(number: u64) -> EventId {
    Uuid::from_u128(0xE000 + u128::from(number)).into()
}

/// A group that changes the event with a number.
fn changing(number: u64, change: Change, at: u64) -> Group {
    Group {
        steps: vec![ChangeStep {
            owner: owner(),
            targets: vec![EventRef::from(id(number)).into()],
            change,
            only: None,
            systems: None,
            at: moment(at),
        }],
        ..Group::default()
    }
}

fn revs(committed: Result<Committed, StoreError>) -> Vec<(u64, bool)> {
    let committed = committed.unwrap();
    let PublishOutcome::Stored(stored) = &committed.published[0] else {
        panic!("{committed:?}");
    };
    let revs = stored.iter().map(|one| (one.rev.get(), one.repeated));
    revs.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found() {
    let scene = Scene::begin().await;
    assert_eq!(revs(scene.publish(1).await.unwrap()), [(1, false)]);
    scene.proxy.next_commit(Fate::LoseAnswer);
    assert_eq!(revs(scene.publish(2).await.unwrap()), [(2, false)]);
    assert!(scene.proxy.is_done());
    assert_eq!(scene.events(), "1 2 head 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_lost_is_done_again() {
    let scene = Scene::begin().await;
    scene.expect_newcomers().await;
    scene.proxy.next_commit(Fate::LoseCommit);
    assert_eq!(revs(scene.publish(1).await.unwrap()), [(1, false)]);
    assert!(scene.proxy.is_done());
    assert_eq!(scene.events(), "1 head 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_in_progress_is_waited_for() {
    let scene = Scene::begin().await;
    scene.expect_newcomers().await;
    let blocked = scene.block_commits().await;
    // The first event of an owner: even the row of its feed is not visible to others yet.
    scene.proxy.next_commit(Fate::LoseAnswer);
    let mut published = scene.publish(1);
    blocked.waiting("COMMIT", &mut published).await;
    blocked.waiting("INSERT INTO feed", &mut published).await;
    blocked.release().await;
    assert_eq!(revs(published.await.unwrap()), [(1, false)]);
    assert_eq!(scene.events(), "1 head 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_server_ends_is_done_again() {
    let scene = Scene::begin().await;
    scene.expect_newcomers().await;
    let blocked = scene.block_commits().await;
    let mut published = scene.publish(1);
    let process = blocked.waiting("COMMIT", &mut published).await;
    blocked.terminate(process).await;
    // Until the next attempt waits.
    while blocked.waiting("COMMIT", &mut published).await == process {
        tokio::task::yield_now().await;
    }
    blocked.release().await;
    assert_eq!(revs(published.await.unwrap()), [(1, false)]);
    assert_eq!(scene.events(), "1 head 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_are_all_lost_are_an_error() {
    let scene = Scene::begin().await;
    scene.expect_new().await;
    scene.proxy.next_commit(Fate::LoseAll);
    for group in [scene.event(4), changing(3, Change::Delete, 9)] {
        let failed = commit(&scene.store, group).await.unwrap().unwrap_err();
        let StoreError::Unavailable(cause) = &failed else {
            panic!("{failed:?}");
        };
        let told = "lost in each of 12 commits, and nothing was stored";
        assert!(cause.to_string().contains(told), "{cause}");
    }
    scene.proxy.next_commit(Fate::Pass);
    assert_eq!(scene.events(), "1 2 3 head 3");
    assert_eq!(revs(scene.publish(4).await.unwrap()), [(4, false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_cannot_be_found_out_is_an_error() {
    let scene = Scene::brief().await;
    scene.expect_newcomers().await;
    scene.proxy.next_commit(Fate::CutOff);
    let failed = scene.publish(1).await.unwrap().unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    assert!(scene.proxy.is_done());
    // It succeeded, so the error must not say that nothing was stored.
    assert_eq!(scene.events(), "1 head 1");
    assert!(
        !failed.to_string().contains("nothing was stored"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_equal_event_of_another_node_is_not_taken_for_the_lost_one() {
    let scene = Scene::begin().await;
    scene.publish(1).await.unwrap().unwrap();
    // Each node fills in the time, so it is not part of the digest.
    let mut other = scene.event(2);
    other.publications[0].submissions[0].event.created_at = moment(5_000);
    let [lost, other] = scene.overtake(scene.event(2), other).await;
    assert_eq!(revs(Ok(other)), [(2, false)]);
    assert_eq!(revs(Ok(lost)), [(2, true)]);
    assert_eq!(scene.events(), "1 2 head 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_by_another_node_is_not_taken_for_the_lost_one() {
    let (read, unread) = (Change::Status(Status::Read), Change::Status(Status::Unread));
    let scene = Scene::begin().await;
    scene.publish(1).await.unwrap().unwrap();
    // At the same time to the nanosecond, so that only what they do differs.
    for (change, rival, revs) in [
        (read, Change::Delete, 0),
        (read, read, 0),
        (unread, read, 1),
    ] {
        let scene = Scene::begin().await;
        scene.publish(1).await.unwrap().unwrap();
        let [lost, other] = scene
            .overtake(changing(1, change, 1), changing(1, rival, 2))
            .await;
        assert_eq!(other.changed[0].ids.len(), 1, "{rival:?}");
        assert_eq!(
            lost.changed[0].ids.len(),
            revs,
            "{change:?} after {rival:?}"
        );
    }
}

/// A group that updates the event with a number.
fn updating(number: u64, text: u64, at: u64) -> Group {
    Group {
        updates: vec![update(id(number), owner(), text, at)],
        ..Group::default()
    }
}

fn updated(committed: Result<Committed, StoreError>) -> Option<u64> {
    match &committed.unwrap().updated[0] {
        UpdateOutcome::Updated(updated) => Some(updated.rev.get()),
        UpdateOutcome::Kept { .. } => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_answer_is_lost_is_found() {
    let scene = Scene::begin().await;
    scene.publish(1).await.unwrap().unwrap();
    for (fate, text, rev) in [(Fate::LoseAnswer, 2, 2), (Fate::LoseCommit, 3, 3)] {
        scene.proxy.next_commit(fate);
        let done = commit(&scene.store, updating(1, text, text)).await.unwrap();
        assert_eq!(updated(done), Some(rev));
        assert!(scene.proxy.is_done());
    }
    assert_eq!(scene.events(), "1 head 3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_by_another_node_is_not_taken_for_the_lost_one() {
    for (text, rival, rev) in [(2, 3, Some(3)), (2, 2, None)] {
        let scene = Scene::begin().await;
        scene.publish(1).await.unwrap().unwrap();
        let [lost, other] = scene
            .overtake(updating(1, text, 1), updating(1, rival, 2))
            .await;
        assert_eq!(updated(Ok(other)), Some(2));
        assert_eq!(updated(Ok(lost)), rev, "{text} after {rival}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_whose_answer_is_lost_is_found() {
    let scene = Scene::begin().await;
    scene.expect_new().await;
    scene.proxy.next_commit(Fate::LoseAnswer);
    assert_eq!(revs(scene.publish(4).await.unwrap()), [(4, false)]);
    assert!(scene.proxy.is_done());
    assert_eq!(scene.events(), "1 2 3 4 head 4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_lost_is_done_again() {
    let scene = Scene::begin().await;
    scene.expect_new().await;
    scene.proxy.next_commit(Fate::LoseCommit);
    assert_eq!(revs(scene.publish(4).await.unwrap()), [(4, false)]);
    assert!(scene.proxy.is_done());
    assert_eq!(scene.events(), "1 2 3 4 head 4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_in_progress_is_waited_for() {
    let scene = Scene::begin().await;
    scene.expect_new().await;
    let blocked = scene.block_commits().await;
    scene.proxy.next_commit(Fate::LoseAnswer);
    let mut published = scene.publish(4);
    blocked.waiting("WITH feeds", &mut published).await;
    blocked.waiting(LOCK_FEEDS, &mut published).await;
    blocked.release().await;
    assert_eq!(revs(published.await.unwrap()), [(4, false)]);
    assert_eq!(scene.events(), "1 2 3 4 head 4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_arrives_late_is_ended() {
    let scene = Scene::begin().await;
    scene.expect_new().await;
    let watch = Blocked::watch(&scene.database).await;
    let rival = Blocked::watch(&scene.database).await;
    let lock = rival
        .client
        .batch_execute("BEGIN; SELECT FROM feed FOR UPDATE");
    lock.await.unwrap();
    scene.proxy.next_commit(Fate::ArriveLate);
    let mut published = scene.publish(4);
    watch.waiting(LOCK_FEEDS, &mut published).await;
    scene.proxy.go_on();
    // It gets the lock after the session that looks for its events.
    watch.waiting("WITH feeds", &mut published).await;
    rival.release().await;
    watch.release().await;
    assert_eq!(revs(published.await.unwrap()), [(4, false)]);
    assert_eq!(scene.events(), "1 2 3 4 head 4");
}

/// A group that publishes the event with a number at a time that its publisher has chosen.
fn dated(scene: &Scene, number: u64) -> Group {
    let mut group = scene.event(number);
    let digests = &mut group.publications[0].submissions[0].digests;
    digests.without_time = Some(digests.of_content);
    group
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_do_not_both_call_an_event_new_whose_publisher_has_chosen_its_time() {
    let scene = Scene::begin().await;
    scene.publish(1).await.unwrap().unwrap();
    // At the position and the time of the lost one.
    let [lost, other] = scene.overtake(dated(&scene, 2), dated(&scene, 2)).await;
    assert_eq!(revs(Ok(other)), [(2, false)]);
    assert_eq!(revs(Ok(lost)), [(2, true)]);
    // In one statement, too.
    let scene = Scene::begin().await;
    scene.expect_new().await;
    let rival = scene.other_node().await;
    scene.proxy.next_commit(Fate::LoseCommitLater);
    let mut lost = commit(&scene.store, dated(&scene, 4));
    unless_ended(&mut lost, scene.proxy.done()).await;
    assert_eq!(
        revs(commit(&rival, dated(&scene, 4)).await.unwrap()),
        [(4, false)]
    );
    scene.proxy.go_on();
    assert_eq!(revs(lost.await.unwrap()), [(4, true)]);
    assert_eq!(scene.events(), "1 2 3 4 head 4");
    rival.close().await;
}
