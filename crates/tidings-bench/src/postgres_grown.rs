//! A store in PostgreSQL that has grown, compared with a small one, and with SQLite.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tidings::{
    Config, Draft, EventFilter, PageRequest, PostgresConfig, Start, StreamItem, Tidings,
};
use tidings_event::{Cursor, OwnerId, Rev};
use tokio::task::JoinSet;

use crate::Bench;
use crate::database::{DatabaseServer, MISSING};
use crate::engine::Engine;
use crate::inbox_pages::list;
use crate::postgres::event;
use crate::publish_request::Owners;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};
use crate::waiting::soon;

/// The events of one request while a store is filled, in runs for one owner each.
const BATCH: usize = 1_000;
const BURST: usize = 20;
const FILLERS: usize = 4;

/// The events of each reader beside those that are drawn, so that the first page is full in small stores, too.
const EVENTS_OF_READER: usize = 50;

/// The events that a client has missed when it resumes.
const MISSED: u64 = 10;

/// More than any owner gets.
const QUOTA: u64 = 1 << 40;

/// The size of a store.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: &'static str,
    events: usize,
    owners: u32,
}

/// A filled store with its figures.
struct Store {
    plan: Plan,
    location: Location,
    filled: Duration,
    first_page: Samples,
    counts: Samples,
    resume: Samples,
}

/// A figure by its name.
type Row = (&'static str, fn(&Store) -> &Samples);

/// Where a store is.
enum Location {
    Postgres(String),
    Sqlite(TempDir),
}

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "postgres-grown: a store with many events of many owners in PostgreSQL, embedded engine",
    );
    let Some(server) = DatabaseServer::start(bench).await? else {
        table.note(MISSING);
        return Ok(table);
    };
    let grown = Plan {
        name: "grown",
        events: bench.size(10_000_000, 200_000),
        owners: bench.size(100_000, 2_000),
    };
    let small = Plan {
        name: "small",
        events: grown.events / 100,
        owners: grown.owners,
    };
    let readers = readers(grown, bench.size(200, 50));
    let mut stores = Vec::new();
    for plan in [grown, small] {
        let database = server.create_database().await?;
        stores.push(Store::fill(bench, Location::Postgres(database), plan, &readers).await?);
        let directory = bench.directory()?;
        stores.push(Store::fill(bench, Location::Sqlite(directory), plan, &readers).await?);
    }
    for _ in 0..bench.repetitions() {
        for store in &mut stores {
            store.measure(bench, &readers).await?;
        }
    }
    let [ours, sqlite, small, small_sqlite] = &stores[..] else {
        unreachable!("four stores are filled");
    };
    let rows: [Row; 3] = [
        ("first page, ms", |store| &store.first_page),
        ("counts, ms", |store| &store.counts),
        ("resume until the first missed event, ms", |store| {
            &store.resume
        }),
    ];
    for (name, of) in rows {
        for (baseline, other) in [
            ("a small store in PostgreSQL", small),
            ("a store of this size in SQLite", sqlite),
        ] {
            table.ratio(name, of(ours), (baseline, of(other)), Target::None);
        }
        let small = ("a small store in SQLite", of(small_sqlite));
        let grown = format!("{name}, in SQLite");
        table.ratio(&grown, of(sqlite), small, Target::None);
    }
    table.note(format!(
        "{} events of {} owners, and {} in the small store: the first hundredth of the owners has 22 % of them, the \
         last half 21 %. They arrived in runs of {BURST} events per owner. The reads are those of {} owners, drawn \
         as the events were, one after the other and without publishers: pages have 25 events, and a client that \
         resumes has missed {MISSED}. PostgreSQL has its default settings and is on the core of the engine.",
        number(grown.events as f64),
        number(f64::from(grown.owners)),
        number(small.plan.events as f64),
        readers.len(),
    ));
    for store in &stores {
        table.note(store.describe());
    }
    Ok(table)
}

/// Draws owners whose reads are measured, as the events are drawn.
fn readers(plan: Plan, number: usize) -> Vec<OwnerId> {
    fastrand::seed(1);
    let mut drawn = Vec::new();
    while drawn.len() < number {
        let owner = plan.draw();
        if !drawn.contains(&owner) {
            drawn.push(owner);
        }
    }
    drawn
}

impl Plan {
    fn draw(self) -> OwnerId {
        let owners = Owners {
            number: self.owners,
            skewed: true,
            burst: BURST,
        };
        OwnerId::from_uuid(Owners::owner(owners.draw()))
    }
}

impl Location {
    async fn open(&self, bench: &Bench) -> anyhow::Result<Engine> {
        let config = match self {
            Self::Postgres(database) => Config::for_store(PostgresConfig::new(database)),
            Self::Sqlite(directory) => Config::new(directory.path().join("data")),
        };
        Engine::open(bench, config.with_owner_bytes(QUOTA)).await
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Sqlite(_) => "SQLite",
        }
    }
}

impl Store {
    async fn fill(
        bench: &Bench,
        location: Location,
        plan: Plan,
        readers: &[OwnerId],
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let engine = location.open(bench).await?;
        for reader in readers {
            let events = (0..EVENTS_OF_READER).map(|_| event(*reader));
            let events: Vec<Draft> = events.collect::<anyhow::Result<_>>()?;
            soon("a receipt", engine.handle().publish_batch(events)).await??;
        }
        let mut fillers = JoinSet::new();
        for _ in 0..FILLERS {
            let tidings = engine.handle().clone();
            fillers.spawn(async move {
                for _ in 0..plan.events / BATCH / FILLERS {
                    let mut events = Vec::with_capacity(BATCH);
                    while events.len() < BATCH {
                        let owner = plan.draw();
                        for _ in 0..BURST {
                            events.push(event(owner)?);
                        }
                    }
                    soon("a receipt", tidings.publish_batch(events)).await??;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = fillers.join_next().await {
            ended??;
        }
        engine.close().await?;
        Ok(Self {
            plan,
            location,
            filled: begun.elapsed(),
            first_page: Samples::default(),
            counts: Samples::default(),
            resume: Samples::default(),
        })
    }

    /// Reads as each reader once, and keeps the medians.
    async fn measure(&mut self, bench: &Bench, readers: &[OwnerId]) -> anyhow::Result<()> {
        let engine = self.location.open(bench).await?;
        let mut turn = [Samples::default(), Samples::default(), Samples::default()];
        for reader in readers {
            let (page, listed) = list(
                &engine,
                *reader,
                EventFilter::default(),
                PageRequest::default(),
            )
            .await?;
            ensure!(listed.events.len() == 25, "the page is not full");
            let reader = *reader;
            let counts = engine.run(move |tidings| async move {
                let start = Instant::now();
                tidings.summary(reader).await?;
                Ok(milliseconds(start))
            });
            let counts = counts.await?;
            let resume = engine.run(move |tidings| resume(tidings, reader)).await?;
            for (samples, time) in turn.iter_mut().zip([page, counts, resume]) {
                samples.push(time);
            }
        }
        engine.close().await?;
        let [page, counts, resume] = turn;
        self.first_page.push(page.median());
        self.counts.push(counts.median());
        self.resume.push(resume.median());
        Ok(())
    }

    fn describe(&self) -> String {
        format!(
            "Filling the {} store in {} took {:.0} s.",
            self.plan.name,
            self.location.name(),
            self.filled.as_secs_f64()
        )
    }
}

/// Reconnects. Returns the milliseconds until the first missed event.
async fn resume(tidings: Tidings, owner: OwnerId) -> anyhow::Result<f64> {
    let mut subscription = tidings.subscribe(owner, Start::Now).await?;
    let cursor = loop {
        let item = soon("an item", subscription.next()).await??;
        if let StreamItem::Live { cursor, .. } = item.context("a subscription ended")? {
            break cursor;
        }
    };
    drop(subscription);
    let behind = cursor.own.get().checked_sub(MISSED);
    let behind = behind.context("the owner has too few events")?;
    let behind = Cursor {
        own: Rev::new(behind),
        ..cursor
    };
    let start = Instant::now();
    let mut subscription = tidings.subscribe(owner, Start::After(behind)).await?;
    loop {
        let item = soon("an item", subscription.next()).await??;
        if let StreamItem::Created { .. } = item.context("a subscription ended")? {
            return Ok(milliseconds(start));
        }
    }
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
