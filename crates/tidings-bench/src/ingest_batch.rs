//! Many events per request.

use crate::Bench;
use crate::ingest::{Costs, raw, served};
use crate::publish_request::PublishRequest;
use crate::report::{Table, Target};
use crate::statistics::Samples;

/// Enough publishers that the next batch is queued when one is committed.
const PUBLISHERS: usize = 4;
const BATCH: usize = 100;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (mut ours, mut raw_rates) = (Samples::default(), Samples::default());
    let mut costs = Costs::default();
    for _ in 0..bench.repetitions() {
        let flow = served(bench, PUBLISHERS, &PublishRequest::batch(BATCH)).await?;
        ours.push(flow.events_per_second);
        costs.push(flow);
        raw_rates.push(raw(bench, 1, BATCH).await?);
    }
    let mut table = Table::new("ingest-batch: 4 publishers, 100 events per request");
    table.ratio(
        "events/s, each batch acknowledged with 201",
        &ours,
        ("raw SQLite, 100 events per commit", &raw_rates),
        Target::AtLeast(0.6),
    );
    table.note(costs.describe());
    Ok(table)
}
