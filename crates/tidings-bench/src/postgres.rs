//! Publishing to a store in PostgreSQL, by the engine and by PostgreSQL alone.

mod raw;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use tidings::{Config, Draft, Event, PostgresConfig, Tidings};
use tidings_event::{OwnerId, Severity};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use raw::{CONNECTIONS, OWNERS};

use crate::Bench;
use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION};
use crate::database::{DatabaseServer, MISSING};
use crate::engine::Engine;
use crate::report::{Table, Target};
use crate::statistics::Samples;
use crate::waiting::soon;

/// A kind of load.
#[derive(Clone, Copy, Debug)]
struct Load {
    publishers: usize,
    /// The events of a request, all for one owner.
    batch: usize,
}

/// The group that PostgreSQL alone commits at a time, on each connection.
#[derive(Clone, Copy, Debug)]
struct RawGroup {
    owners: usize,
    events_each: usize,
}

const LOADS: [Load; 2] = [
    Load {
        publishers: 64,
        batch: 1,
    },
    Load {
        publishers: CONNECTIONS,
        batch: 100,
    },
];

/// The figures of a turn of the engine.
#[derive(Clone, Copy, Debug)]
struct Published {
    events_per_second: f64,
    events_per_group: f64,
}

impl Load {
    fn name(self) -> String {
        match self.batch {
            1 => format!("events/s, {} publishers", self.publishers),
            batch => format!(
                "events/s, {} publishers of {batch} events a request",
                self.publishers
            ),
        }
    }

    /// Groups as large as those of the engine.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "groups are small, and not negative"
    )]
    fn raw_group(self, events: f64) -> RawGroup {
        let owners = (events / self.batch as f64).round().max(1.0);
        RawGroup {
            owners: owners as usize,
            events_each: self.batch,
        }
    }
}

/// The figures of a load.
#[derive(Debug, Default)]
struct Rates {
    engine: Samples,
    raw: Samples,
    events_per_group: Samples,
}

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let mut table = Table::new("postgres: publishing to a store in PostgreSQL, embedded engine");
    let Some(server) = DatabaseServer::start(bench).await? else {
        table.note(MISSING);
        return Ok(table);
    };
    let mut rates: [Rates; LOADS.len()] = Default::default();
    for _ in 0..bench.repetitions() {
        for (load, rates) in LOADS.into_iter().zip(&mut rates) {
            let database = server.create_database().await?;
            let published = publish(bench, &database, load).await?;
            rates.engine.push(published.events_per_second);
            rates.events_per_group.push(published.events_per_group);
            let database = server.create_database().await?;
            // The engine makes the tables.
            open(bench, &database).await?.close().await?;
            let group = load.raw_group(published.events_per_group);
            let rate = raw::flat_out(bench, &database, group)?;
            rates.raw.push(rate);
        }
    }
    for (load, rates) in LOADS.into_iter().zip(&rates) {
        let name = format!(
            "PostgreSQL alone, {CONNECTIONS} connections, {} events per commit",
            rates.events_per_group
        );
        table.ratio(
            &load.name(),
            &rates.engine,
            (&name, &rates.raw),
            Target::AtLeast(0.5),
        );
    }
    table.note(format!(
        "To {OWNERS} owners in turn, who have no subscribers. The server of PostgreSQL is on the core of the \
         engine, with its default settings. Alone it writes the same rows into the same tables with the same \
         indexes and counters: one statement inserts the events of a commit, another updates the feeds, and \
         they are sent together, in groups as large as those of the engine in the same turn."
    ));
    Ok(table)
}

async fn open(bench: &Bench, database: &str) -> anyhow::Result<Engine> {
    Engine::open(bench, Config::for_store(PostgresConfig::new(database))).await
}

/// Runs publishers that continue when they are acknowledged.
async fn publish(bench: &Bench, database: &str, load: Load) -> anyhow::Result<Published> {
    let engine = open(bench, database).await?;
    let (stop, published) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let owners: Arc<Vec<OwnerId>> = Arc::new((0..OWNERS).map(|_| OwnerId::mint()).collect());
    let mut tasks = JoinSet::new();
    for publisher in 0..load.publishers {
        let (engine, stop) = (engine.handle().clone(), Arc::clone(&stop));
        let (owners, published) = (Arc::clone(&owners), Arc::clone(&published));
        tasks.spawn(async move {
            let mut served = owners
                .iter()
                .skip(publisher)
                .step_by(load.publishers)
                .cycle();
            while !stop.load(Ordering::Relaxed) {
                let owner = served.next().context("a publisher serves owners")?;
                send(&engine, *owner, load.batch).await?;
                published.fetch_add(load.batch as u64, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    // Not counted: connections prepare their statements.
    tokio::time::sleep(bench.stretch() / 4).await;
    let (start, before) = (Instant::now(), published.load(Ordering::Relaxed));
    tokio::time::sleep(bench.stretch()).await;
    let events = published.load(Ordering::Relaxed) - before;
    let rate = events as f64 / start.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = soon("the last receipts", tasks.join_next()).await? {
        ended??;
    }
    engine.close().await?;
    Ok(Published {
        events_per_second: rate,
        events_per_group: events_per_group(database).await?,
    })
}

/// The events of a transaction on average.
async fn events_per_group(database: &str) -> anyhow::Result<f64> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    let driving = tokio::spawn(connection);
    let sql = "SELECT count(*)::float8 / count(DISTINCT xmin::text) FROM event";
    let events = client.query_one(sql, &[]).await?.try_get(0)?;
    drop(client);
    driving.await?.context("the connection ended badly")?;
    Ok(events)
}

async fn send(engine: &Tidings, owner: OwnerId, batch: usize) -> anyhow::Result<()> {
    match batch {
        1 => {
            engine.publish(event(owner)?).await?;
        }
        _ => {
            let events: Result<Vec<Draft>, _> = (0..batch).map(|_| event(owner)).collect();
            engine.publish_batch(events?).await?;
        }
    }
    Ok(())
}

/// An event for an owner.
pub(crate) fn event(owner: OwnerId) -> anyhow::Result<Draft> {
    Event::builder()
        .from_user(owner)
        .acted_upon(ACTED_UPON)
        .with_category(CATEGORY)
        .with_action(ACTION)
        .with_severity(Severity::Informational)
        .with_description(DESCRIPTION)
        .build()
        .context("the event is valid")
}
