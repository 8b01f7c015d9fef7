//! The latency of one event on an idle server.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::http::Client;
use crate::publish_request::PublishRequest;
use crate::raw::{RawStore, Statements};
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;
use crate::waiting::soon;

/// The pause between two events, in which the server goes to sleep.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let events = bench.size(200, 50);
    let directory = bench.directory()?;
    let server = Server::start(bench, &directory.path().join("served")).await?;
    let mut store = RawStore::create(&directory.path().join("raw"), 1).await?;
    let (mut ours, mut raw) = (Samples::default(), Samples::default());
    let (mut our_tail, mut raw_tail) = (Samples::default(), Samples::default());
    for _ in 0..bench.repetitions() {
        let mut publisher = Client::connect(server.address()).await?;
        let mut request = PublishRequest::one();
        let mut latencies = Samples::default();
        for _ in 0..events {
            tokio::time::sleep(PAUSE).await;
            let start = Instant::now();
            soon("a response", publisher.publish(request.renew())).await??;
            latencies.push(start.elapsed().as_secs_f64() * 1e3);
        }
        ours.push(latencies.median());
        our_tail.push(latencies.percentile(99));
        let latencies = bench.cores.on_server(|| commits(&mut store, events))??;
        raw.push(latencies.median());
        raw_tail.push(latencies.percentile(99));
    }
    server.stop().await?;
    let mut table = Table::new("idle: one event every 5 ms, time from request to response");
    let commit = "one raw SQLite commit";
    let target = Target::AtMost(1.0);
    table.difference("median, ms", &ours, (commit, &raw), target);
    let target = Target::None;
    table.difference(
        "99th percentile, ms",
        &our_tail,
        (commit, &raw_tail),
        target,
    );
    Ok(table)
}

fn commits(store: &mut RawStore, events: usize) -> anyhow::Result<Samples> {
    let mut latencies = Samples::default();
    for _ in 0..events {
        std::thread::park_timeout(PAUSE);
        let start = Instant::now();
        store.commit(1, Statements::OneARow)?;
        latencies.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(latencies)
}
