//! Many users with one subscriber each, in the embedded engine: over HTTP, the local identity sees
//! the events of one user only.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tidings::wire::{self, FrameSubscription};
use tidings::{Config, Draft, Event, Start, Tidings};
use tidings_event::{OwnerId, Severity};
use tokio::task::JoinSet;

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION};
use crate::engine::Engine;
use crate::ingest::raw;
use crate::report::{Table, Target};
use crate::statistics::Samples;
use crate::waiting::soon;
use crate::{Bench, cpu};

const USERS: usize = 1000;
const PUBLISHERS: usize = 16;
/// With this many events in flight, publishers never wait for a single commit.
const MANY_PUBLISHERS: usize = 1024;
const OFFERED_PER_SECOND: u32 = 10_000;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (mut few, mut many, mut grouped) =
        (Samples::default(), Samples::default(), Samples::default());
    let (mut p50, mut p99, mut reached) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut load = Samples::default();
    for _ in 0..bench.repetitions() {
        few.push(flat_out(bench, PUBLISHERS).await?.0);
        let (rate, load_cpu_us) = flat_out(bench, MANY_PUBLISHERS).await?;
        many.push(rate);
        load.push(load_cpu_us);
        grouped.push(raw(bench, USERS, PUBLISHERS).await?);
        let (latencies, rate) = offered(bench).await?;
        p50.push(latencies.percentile(50));
        p99.push(latencies.percentile(99));
        reached.push(rate);
    }
    let mut table = Table::new("users: 1,000 users with one subscriber each, embedded engine");
    let commits = ("raw SQLite, 1,000 feeds, 16 events per commit", &grouped);
    table.ratio(
        "events/s, 16 publishers, until all are read",
        &few,
        commits,
        Target::None,
    );
    table.ratio(
        "events/s, 1,024 publishers, until all are read",
        &many,
        commits,
        Target::None,
    );
    table.figure("events/s reached of 10,000 offered", &reached, Target::None);
    table.figure(
        "publish to read at that rate, median, ms",
        &p50,
        Target::None,
    );
    table.figure(
        "publish to read at that rate, 99th percentile, ms",
        &p99,
        Target::None,
    );
    table.note(format!(
        "Without HTTP: `Tidings::publish` to `FrameSubscription::next` in one process. The engine \
         and all subscribers run on the server's core. Building, validating and encoding an event \
         runs on the load generator's core and took {load} µs."
    ));
    Ok(table)
}

/// The engine, and a subscriber for every user.
struct Embedded {
    engine: Engine,
    users: Arc<Users>,
    _directory: tempfile::TempDir,
}

struct Users {
    owners: Vec<OwnerId>,
    /// When the user's unread events were published. One publisher serves a user and waits for each
    /// event, so they are read in this order.
    unread: Vec<Mutex<VecDeque<Instant>>>,
    latencies: Mutex<Samples>,
    /// How many frames the subscribers have read together.
    read: AtomicU64,
}

impl Embedded {
    async fn start(bench: &Bench) -> anyhow::Result<Self> {
        let directory = bench.directory()?;
        let config = Config::new(directory.path().join("data"));
        let engine = Engine::open(bench, config).await?;
        let users = Arc::new(Users {
            owners: (0..USERS).map(|_| OwnerId::mint()).collect(),
            unread: (0..USERS).map(|_| Mutex::default()).collect(),
            latencies: Mutex::default(),
            read: AtomicU64::new(0),
        });
        for index in 0..USERS {
            let users = Arc::clone(&users);
            let subscribe = |engine: Tidings| async move {
                let owner = users.owners[index];
                let follower = wire::Engine::of(&engine).follow(owner, Start::Now).await?;
                tokio::spawn(read(follower.into(), index, users));
                Ok(())
            };
            engine.run(subscribe).await?;
        }
        let embedded = Self {
            engine,
            users,
            _directory: directory,
        };
        // `ready` and `live`.
        embedded.wait_until_read(2 * USERS as u64).await?;
        embedded.users.read.store(0, Ordering::Relaxed);
        Ok(embedded)
    }

    async fn wait_until_read(&self, events: u64) -> anyhow::Result<()> {
        soon("the subscribers to read", async {
            while self.users.read.load(Ordering::Relaxed) < events {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await?;
        let read = self.users.read.load(Ordering::Relaxed);
        ensure!(read == events, "{read} frames were read of {events}");
        Ok(())
    }
}

/// A subscriber that writes its frames into memory, as a server does for a connection, and discards them.
async fn read(mut subscription: FrameSubscription, user: usize, users: Arc<Users>) {
    while let Ok(Some(frames)) = subscription.next().await {
        let mut bytes =
            Vec::with_capacity(frames.iter().map(|frame| frame.data_bytes() + 96).sum());
        for frame in &frames {
            let (cursor, name) = (frame.cursor(), frame.name().unwrap_or("message"));
            // Writing into memory cannot fail.
            let _ = write!(bytes, "id: {cursor}\nevent: {name}\ndata: ");
            bytes.extend_from_slice(&frame.data());
            bytes.extend_from_slice(b"\n\n");
        }
        std::hint::black_box(bytes);
        users.count_read(user, frames.len() as u64);
    }
}

impl Users {
    fn count_read(&self, user: usize, frames: u64) {
        let now = Instant::now();
        let mut unread = self.unread[user]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for _ in 0..frames {
            if let Some(published) = unread.pop_front() {
                self.latencies
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((now - published).as_secs_f64() * 1e3);
            }
        }
        self.read.fetch_add(frames, Ordering::Relaxed);
    }

    fn event(&self, user: usize) -> anyhow::Result<Draft> {
        Event::builder()
            .from_user(self.owners[user])
            .acted_upon(ACTED_UPON)
            .with_category(CATEGORY)
            .with_action(ACTION)
            .with_severity(Severity::Informational)
            .with_description(DESCRIPTION)
            .build()
            .context("the event is valid")
    }
}

/// Runs publishers that continue as soon as they are answered. Returns the events per second and
/// the load generator's CPU time per event in µs.
async fn flat_out(bench: &Bench, publishers: usize) -> anyhow::Result<(f64, f64)> {
    let embedded = Embedded::start(bench).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let (start, cpu_before) = (Instant::now(), cpu::of_thread());
    let mut tasks = JoinSet::new();
    for publisher in 0..publishers {
        let (engine, users) = (
            embedded.engine.handle().clone(),
            Arc::clone(&embedded.users),
        );
        let stop = Arc::clone(&stop);
        tasks.spawn(async move {
            let mut published = 0_u64;
            let mut user = publisher % USERS;
            while !stop.load(Ordering::Relaxed) {
                engine.publish(users.event(user)?).await?;
                published += 1;
                user = (user + publishers) % USERS;
            }
            anyhow::Ok(published)
        });
    }
    tokio::time::sleep(bench.stretch()).await;
    stop.store(true, Ordering::Relaxed);
    let mut published = 0;
    while let Some(ended) = soon("the last receipts", tasks.join_next()).await? {
        published += ended??;
    }
    embedded.wait_until_read(published).await?;
    let rate = published as f64 / start.elapsed().as_secs_f64();
    let cpu = cpu::of_thread() - cpu_before;
    embedded.engine.close().await?;
    Ok((rate, cpu.as_secs_f64() * 1e6 / published as f64))
}

/// Runs publishers that follow a timetable. Returns the milliseconds from publishing to reading and
/// the events per second.
async fn offered(bench: &Bench) -> anyhow::Result<(Samples, f64)> {
    let embedded = Embedded::start(bench).await?;
    let events_each = {
        let events = f64::from(OFFERED_PER_SECOND) * bench.stretch().as_secs_f64();
        (0..)
            .take_while(|n| f64::from(*n) * (PUBLISHERS as f64) < events)
            .count()
    };
    let interval = Duration::from_secs(1) / OFFERED_PER_SECOND;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (engine, users) = (
            embedded.engine.handle().clone(),
            Arc::clone(&embedded.users),
        );
        tasks.spawn(async move {
            let mut due = begin + interval * u32::try_from(publisher)?;
            // The users that only this publisher serves.
            let mut served = (publisher..USERS).step_by(PUBLISHERS).cycle();
            for _ in 0..events_each {
                let late = Instant::now() > due;
                if !late {
                    tokio::time::sleep_until(due.into()).await;
                }
                // An event that waited for the previous one counts from when it was due. A timer
                // that is up to 1 ms late does not count.
                let published = if late { due } else { Instant::now() };
                let user = served.next().context("a publisher serves users")?;
                users.unread[user]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_back(published);
                engine.publish(users.event(user)?).await?;
                due += interval * u32::try_from(PUBLISHERS)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = soon("the last receipts", tasks.join_next()).await? {
        ended??;
    }
    let published = events_each * PUBLISHERS;
    let rate = published as f64 / begin.elapsed().as_secs_f64();
    embedded.wait_until_read(published as u64).await?;
    let latencies = std::mem::take(
        &mut *embedded
            .users
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    embedded.engine.close().await?;
    Ok((latencies, rate))
}
