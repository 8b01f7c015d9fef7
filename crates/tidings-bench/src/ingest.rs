//! One event per request, from many publishers at once.

use crate::Bench;
use crate::publish_request::PublishRequest;
use crate::publishers::{Flow, flat_out};
use crate::raw::{RawStore, Statements};
use crate::report::{Table, Target};
use crate::sides::Build;
use crate::statistics::{Samples, number};

const PUBLISHERS: usize = 64;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (mut ours, mut singly, mut grouped, mut together) = (
        Samples::default(),
        Samples::default(),
        Samples::default(),
        Samples::default(),
    );
    let mut costs = Costs::default();
    let builds = Build::all(bench);
    let (build, others) = builds.split_first().expect("Tidings is measured");
    let mut before = Samples::default();
    // This figure varies most with the load of the virtual machine's host.
    for _ in 0..2 * bench.repetitions() {
        let request = PublishRequest::one();
        let flow = served(bench, build, PUBLISHERS, &request).await?;
        ours.push(flow.events_per_second);
        costs.push(flow);
        for other in others {
            let flow = served(bench, other, PUBLISHERS, &request).await?;
            before.push(flow.events_per_second);
        }
        singly.push(raw(bench, 1, 1).await?);
        grouped.push(raw(bench, 1, PUBLISHERS).await?);
        together.push(raw_by(bench, 1, PUBLISHERS, Statements::OneForAll).await?);
    }
    let mut table = Table::new("ingest: 64 publishers, one event per request");
    let row = "events/s, each acknowledged with 201";
    let target = Target::AtLeast(5.0);
    table.ratio(
        row,
        &ours,
        ("raw SQLite, one commit per event", &singly),
        target,
    );
    let target = Target::AtLeast(0.4);
    table.ratio(
        row,
        &ours,
        ("raw SQLite, 64 events per commit", &grouped),
        target,
    );
    let all = ("the same, all 64 rows in one statement", &together);
    table.ratio(row, &ours, all, Target::None);
    for other in others {
        table.ratio(row, &ours, (other.name, &before), Target::None);
    }
    table.note(costs.describe());
    Ok(table)
}

/// The rate of publishers at a new server.
pub(crate) async fn served(
    bench: &Bench,
    build: &Build,
    publishers: usize,
    request: &PublishRequest,
) -> anyhow::Result<Flow> {
    let directory = bench.directory()?;
    let server = build.serve(bench, &directory.path().join("data")).await?;
    let side = (server.process(), server.address());
    let flow = flat_out(side, publishers, request, bench.stretch()).await?;
    server.stop().await?;
    Ok(flow)
}

/// The rate of raw SQLite with `rows` events per commit.
pub(crate) async fn raw(bench: &Bench, owners: usize, rows: usize) -> anyhow::Result<f64> {
    raw_by(bench, owners, rows, Statements::OneARow).await
}

async fn raw_by(
    bench: &Bench,
    owners: usize,
    rows: usize,
    statements: Statements,
) -> anyhow::Result<f64> {
    let directory = bench.directory()?;
    let mut store = RawStore::create(&directory.path().join("data"), owners).await?;
    bench.cores.on_server(move || {
        let rate = store.flat_out(rows, statements, bench.stretch())?;
        store.check()?;
        anyhow::Ok(rate)
    })?
}

/// The CPU time of a run.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    server: Samples,
    load: Samples,
    busy: Samples,
}

impl Costs {
    pub(crate) fn push(&mut self, flow: Flow) {
        self.server.push(flow.server_cpu_us);
        self.load.push(flow.load_cpu_us);
        self.busy
            .push(flow.server_cpu_us * flow.events_per_second / 1e4);
    }

    pub(crate) fn describe(&self) -> String {
        format!(
            "The server used {} µs of CPU per event and {} % of its core, the load generator {} µs \
             per event.",
            self.server,
            number(self.busy.median()),
            self.load
        )
    }
}
