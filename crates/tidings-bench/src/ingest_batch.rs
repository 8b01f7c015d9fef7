//! Many events per request.

use crate::Bench;
use crate::ingest::{Costs, raw, served};
use crate::publish_request::PublishRequest;
use crate::report::{Table, Target};
use crate::sides::Build;
use crate::statistics::Samples;

/// Enough publishers that the next batch is queued when one is committed.
const PUBLISHERS: usize = 4;
const BATCH: usize = 100;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (mut ours, mut raw_rates) = (Samples::default(), Samples::default());
    let mut costs = Costs::default();
    let builds = Build::all(bench);
    let (build, others) = builds.split_first().expect("Tidings is measured");
    let mut before = Samples::default();
    for _ in 0..bench.repetitions() {
        let request = PublishRequest::batch(BATCH);
        let flow = served(bench, build, PUBLISHERS, &request).await?;
        ours.push(flow.events_per_second);
        costs.push(flow);
        for other in others {
            let flow = served(bench, other, PUBLISHERS, &request).await?;
            before.push(flow.events_per_second);
        }
        raw_rates.push(raw(bench, 1, BATCH).await?);
    }
    let mut table = Table::new("ingest-batch: 4 publishers, 100 events per request");
    table.ratio(
        "events/s, each batch acknowledged with 201",
        &ours,
        ("raw SQLite, 100 events per commit", &raw_rates),
        Target::AtLeast(0.6),
    );
    for other in others {
        let row = "events/s, each batch acknowledged with 201";
        table.ratio(row, &ours, (other.name, &before), Target::None);
    }
    table.note(costs.describe());
    Ok(table)
}
