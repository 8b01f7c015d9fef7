//! The comparison of heads: many live feeds on one of several nodes, without a bus and without traffic.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tidings::{Config, Event, PostgresConfig, Severity, Start, StreamItem, Subscription, Tidings};
use tidings_event::OwnerId;
use uuid::Uuid;

use crate::Bench;
use crate::cpu;
use crate::database::{DatabaseServer, MISSING};
use crate::engine::Engine;
use crate::inboxes::owner;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};
use crate::waiting::soon;

/// The events of one request.
const BATCH: usize = 100;

/// The most of one core that the comparison can take, in percent.
const MOST_PERCENT: f64 = 2.0;

/// Longer than any run: heads are not compared.
const NEVER: Duration = Duration::from_secs(86_400);

/// The CPU time of the node and of PostgreSQL, in percent of a core.
#[derive(Debug, Default)]
struct Shares {
    node: Samples,
    database: Samples,
}

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let feeds = bench.size(10_000_u32, 1_000);
    let mut table = Table::new("heads: live feeds without a bus and without traffic");
    let Some(server) = DatabaseServer::start(bench).await? else {
        table.note(MISSING);
        return Ok(table);
    };
    fill(bench, &server, feeds).await?;
    let (mut compared, mut idle) = (Shares::default(), Shares::default());
    for _ in 0..bench.size(2, 1) {
        let interval = Config::DEFAULT_HEADS_INTERVAL;
        measure(bench, &server, (feeds, interval), &mut compared).await?;
        measure(bench, &server, (feeds, NEVER), &mut idle).await?;
    }
    let without = "the same without the comparison";
    let target = Target::AtMost(MOST_PERCENT);
    table.difference(
        "the node's share of a core, %",
        &compared.node,
        (without, &idle.node),
        target,
    );
    table.difference(
        "PostgreSQL's share of a core, %",
        &compared.database,
        (without, &idle.database),
        Target::None,
    );
    table.note(format!(
        "{} feeds of as many users, each with a subscriber, and heads compared every {} s, for {} s each.",
        number(f64::from(feeds)),
        Config::DEFAULT_HEADS_INTERVAL.as_secs(),
        time(bench).as_secs(),
    ));
    Ok(table)
}

/// Some intervals.
fn time(bench: &Bench) -> Duration {
    bench.size(Duration::from_secs(30), Duration::from_secs(6))
}

async fn measure(
    bench: &Bench,
    server: &DatabaseServer,
    (feeds, interval): (u32, Duration),
    shares: &mut Shares,
) -> anyhow::Result<()> {
    let store = PostgresConfig::new(server.url());
    let config = Config::for_store(store).with_heads_interval(interval);
    let engine = Engine::open(bench, config).await?;
    let subscriptions = engine.run(move |tidings| follow(tidings, feeds)).await?;
    let node = std::process::id();
    let (before, begun) = ((cpu::of_process(node)?, server.cpu()?), Instant::now());
    tokio::time::sleep(time(bench)).await;
    let elapsed = begun.elapsed().as_secs_f64();
    let percent = |time: Duration| time.as_secs_f64() / elapsed * 100.0;
    shares.node.push(percent(cpu::of_process(node)? - before.0));
    shares
        .database
        .push(percent(server.cpu()?.saturating_sub(before.1)));
    drop(subscriptions);
    engine.close().await
}

/// Publishes an event to each of this many users.
async fn fill(bench: &Bench, server: &DatabaseServer, feeds: u32) -> anyhow::Result<()> {
    let config = Config::for_store(PostgresConfig::new(server.url()));
    let engine = Engine::open(bench, config).await?;
    let publish = async move |tidings: Tidings| {
        let owners: Vec<OwnerId> = (0..feeds).map(owner).collect();
        for owners in owners.chunks(BATCH) {
            let events: Result<Vec<_>, _> = owners.iter().map(event).collect();
            soon("a receipt", tidings.publish_batch(events?)).await??;
        }
        Ok(())
    };
    engine.run(publish).await?;
    engine.close().await
}

/// Follows the feeds of this many users.
async fn follow(tidings: Tidings, feeds: u32) -> anyhow::Result<Vec<Subscription>> {
    let owners: Vec<OwnerId> = (0..feeds).map(owner).collect();
    let mut subscriptions = Vec::with_capacity(owners.len());
    for owner in owners {
        let mut subscription = tidings.subscribe(owner, Start::Now).await?;
        loop {
            let item = soon("an item", subscription.next()).await??;
            ensure!(item.is_some(), "a subscription ended");
            if let Some(StreamItem::Live { .. }) = item {
                break;
            }
        }
        subscriptions.push(subscription);
    }
    Ok(subscriptions)
}

fn event(owner: &OwnerId) -> anyhow::Result<Event> {
    let event = Event::builder()
        .for_user(*owner)
        .acted_upon(Uuid::new_v4())
        .with_category("deployment")
        .with_action("apply")
        .with_severity(Severity::Success)
        .build();
    Ok(event.context("the event keeps the rules")?.into_event())
}
