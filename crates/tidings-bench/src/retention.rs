//! Deletion of expired events by retention.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tidings::{Config, Retention};

use crate::Bench;
use crate::bulk::Bulk;
use crate::bystanders::Bystanders;
use crate::engine::Engine;
use crate::filling::{FilledStore, Filling, Inbox};
use crate::inboxes::owner;
use crate::raw_steps::RawInbox;
use crate::report::Table;
use crate::statistics::number;
use crate::waiting::until_none_is_left;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let inbox = Inbox {
        owner: owner(0),
        events: bench.size(2_000_000, 200_000),
        rare_word_every: usize::MAX,
    };
    let filling = Filling {
        inboxes: vec![inbox],
        read_percent: 50,
    };
    let store = filling.fill(bench).await?;
    let mut bulk = Bulk::default();
    for turn in 0..bench.size(3, 1) {
        if usize::is_multiple_of(turn, 2) {
            by_engine(bench, &store, inbox, &mut bulk).await?;
            raw(bench, &store, inbox, &mut bulk)?;
        } else {
            raw(bench, &store, inbox, &mut bulk)?;
            by_engine(bench, &store, inbox, &mut bulk).await?;
        }
    }
    let mut table = Table::new("retention: deleting the older half of a large inbox");
    bulk.report(
        &mut table,
        &format!(
            "{} deleted in the background",
            number(expired(inbox) as f64)
        ),
        "the same DELETE with tombstones in raw SQLite, 512 rows per commit",
    );
    table.note(format!(
        "An engine that keeps {} events per owner opens an inbox of {}. While the other users \
         publish, it continues until a tenth of that is left. Each turn starts with a fresh copy of \
         the same store.",
        number((inbox.events - expired(inbox)) as f64),
        number(inbox.events as f64)
    ));
    table.note(store.describe()?);
    Ok(table)
}

/// How many events are deleted on an otherwise idle engine.
const fn expired(inbox: Inbox) -> usize {
    inbox.events / 2
}

async fn by_engine(
    bench: &Bench,
    store: &FilledStore,
    inbox: Inbox,
    bulk: &mut Bulk,
) -> anyhow::Result<()> {
    let store = store.copy(bench)?;
    let engine = Engine::open(bench, Config::new(store.data())).await?;
    bulk.measure_idle(&engine, bench.stretch()).await?;
    engine.close().await?;

    let kept = inbox.events - expired(inbox);
    let start = Instant::now();
    let engine = open(bench, &store.data(), kept).await?;
    let elapsed = wait(&engine, inbox, kept, start).await?;
    bulk.push_alone(expired(inbox) as u64, elapsed);
    engine.close().await?;

    let left = kept / 10;
    let start = Instant::now();
    let engine = open(bench, &store.data(), left).await?;
    let bystanders = Bystanders::start(engine.handle());
    let elapsed = wait(&engine, inbox, left, start).await?;
    let latencies = bystanders.stop().await?;
    bulk.push_meanwhile((kept - left) as u64, elapsed, &latencies);
    engine.close().await
}

/// Opens an engine that starts to delete at once.
async fn open(bench: &Bench, data: &Path, kept: usize) -> anyhow::Result<Engine> {
    let retention = Retention::default().with_owner_events(kept as u64);
    Engine::open(bench, Config::new(data).with_retention(retention)).await
}

/// Waits until only `kept` events are left. Returns the time since `start`.
async fn wait(
    engine: &Engine,
    inbox: Inbox,
    kept: usize,
    start: Instant,
) -> anyhow::Result<Duration> {
    until_none_is_left("retention", async || {
        let summary = engine
            .run(|engine| async move { Ok(engine.summary(inbox.owner).await?) })
            .await?;
        ensure!(
            summary.total_count >= kept as u64,
            "too many events were deleted"
        );
        Ok(summary.total_count - kept as u64)
    })
    .await?;
    Ok(start.elapsed())
}

fn raw(bench: &Bench, store: &FilledStore, inbox: Inbox, bulk: &mut Bulk) -> anyhow::Result<()> {
    let store = store.copy(bench)?;
    let steps = bench.cores.on_server(|| {
        let raw = RawInbox::open(&store.data(), inbox.owner)?;
        raw.delete_oldest(expired(inbox))
    })??;
    ensure!(steps.rows == expired(inbox), "{} rows are gone", steps.rows);
    bulk.push_raw(&steps);
    Ok(())
}
