//! Marking many events as read by a filter.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tidings::{Change, Config, EventFilter, Selection, Status, Tidings};
use tidings_event::Severity;

use crate::Bench;
use crate::bulk::Bulk;
use crate::bulk_over_http;
use crate::bystanders::Bystanders;
use crate::engine::Engine;
use crate::filling::{FilledStore, Filling, Inbox};
use crate::inboxes::owner;
use crate::raw_steps::RawInbox;
use crate::report::Table;
use crate::statistics::number;

/// Each has one event in ten.
const ALONE: Severity = Severity::Warning;
const WHILE_OTHERS_PUBLISH: Severity = Severity::Success;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let inbox = Inbox {
        owner: owner(0),
        events: bench.size(1_000_000, 100_000),
        rare_word_every: usize::MAX,
    };
    let filling = Filling {
        inboxes: vec![inbox],
        read_percent: 0,
    };
    let store = filling.fill(bench).await?;
    let mut bulk = Bulk::default();
    for turn in 0..bench.repetitions() {
        // The sides alternate, because the second one can find the disk or the machine changed.
        if turn.is_multiple_of(2) {
            by_engine(bench, &store, inbox, &mut bulk).await?;
            raw(bench, &store, inbox, &mut bulk)?;
        } else {
            raw(bench, &store, inbox, &mut bulk)?;
            by_engine(bench, &store, inbox, &mut bulk).await?;
        }
    }
    let mut table = Table::new("bulk-mark: marking one event in ten of a large inbox");
    let matching = number((inbox.events / 10) as f64);
    bulk.report(
        &mut table,
        &format!("{matching} marked by severity with `upTo`"),
        "the same UPDATE in raw SQLite, 512 rows per commit",
    );
    table.note(format!(
        "`Tidings::change` in an inbox of {}. Each turn starts with a fresh copy of the same store.",
        number(inbox.events as f64)
    ));
    table.note(store.describe()?);
    bulk_over_http::run(bench, &mut table).await?;
    Ok(table)
}

async fn by_engine(
    bench: &Bench,
    store: &FilledStore,
    inbox: Inbox,
    bulk: &mut Bulk,
) -> anyhow::Result<()> {
    let store = store.copy(bench)?;
    let engine = Engine::open(bench, Config::new(store.data())).await?;
    let (marked, elapsed) = engine.run(|engine| mark(engine, inbox, ALONE)).await?;
    bulk.push_alone(marked, elapsed);
    bulk.measure_idle(&engine, bench.stretch()).await?;
    let bystanders = Bystanders::start(engine.handle());
    let (marked, elapsed) = engine
        .run(|engine| mark(engine, inbox, WHILE_OTHERS_PUBLISH))
        .await?;
    bulk.push_meanwhile(marked, elapsed, &bystanders.stop().await?);
    engine.close().await
}

async fn mark(
    engine: Tidings,
    inbox: Inbox,
    severity: Severity,
) -> anyhow::Result<(u64, Duration)> {
    let summary = engine.summary(inbox.owner).await?;
    let selection = Selection::Filter {
        filter: Box::new(EventFilter::default().with_severity([severity])),
        up_to: summary.cursor,
    };
    let start = Instant::now();
    let change = Change::Status(Status::Read);
    let changes = engine.change(inbox.owner, selection, change).await?;
    let elapsed = start.elapsed();
    check(inbox, changes.count)?;
    Ok((changes.count, elapsed))
}

fn raw(bench: &Bench, store: &FilledStore, inbox: Inbox, bulk: &mut Bulk) -> anyhow::Result<()> {
    let store = store.copy(bench)?;
    let steps = bench.cores.on_server(|| {
        let inbox = RawInbox::open(&store.data(), inbox.owner)?;
        inbox.mark_read(ALONE)
    })??;
    check(inbox, steps.rows as u64)?;
    bulk.push_raw(&steps);
    Ok(())
}

/// Checks that all matching events were marked.
fn check(inbox: Inbox, marked: u64) -> anyhow::Result<()> {
    let matching = (inbox.events / 10) as u64;
    ensure!(marked == matching, "{marked} of {matching} were marked");
    Ok(())
}
