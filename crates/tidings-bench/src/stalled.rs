//! The effect on publishers of a subscriber that reads nothing.

use crate::Bench;
use crate::http::Subscriber;
use crate::publish_request::PublishRequest;
use crate::publishers::flat_out;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;
use crate::waiting::soon;

const PUBLISHERS: usize = 64;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (mut with, mut without) = (Side::default(), Side::default());
    for turn in 0..bench.repetitions() {
        // The sides alternate, because the second one can find the disk or the machine changed.
        if turn.is_multiple_of(2) {
            without.measure(bench, false).await?;
            with.measure(bench, true).await?;
        } else {
            with.measure(bench, true).await?;
            without.measure(bench, false).await?;
        }
    }
    let mut table = Table::new("stalled: publishing to a user whose subscriber reads nothing");
    table.ratio(
        "events/s, 64 publishers",
        &with.rates,
        ("without the subscriber", &without.rates),
        Target::None,
    );
    table.ratio(
        "peak memory of the server, MiB",
        &with.peaks,
        ("without the subscriber", &without.peaks),
        Target::None,
    );
    Ok(table)
}

#[derive(Default)]
struct Side {
    rates: Samples,
    peaks: Samples,
}

impl Side {
    async fn measure(&mut self, bench: &Bench, stalled: bool) -> anyhow::Result<()> {
        let directory = bench.directory()?;
        let server = Server::start(bench, &directory.path().join("data")).await?;
        let mut subscriber = Subscriber::connect(server.address(), None).await?;
        soon("a stream to begin", subscriber.read_to_live()).await??;
        // Connected on both sides, so that both servers have served a stream.
        let subscriber = stalled.then_some(subscriber);
        let request = PublishRequest::one();
        let side = (server.process(), server.address());
        let flow = flat_out(side, PUBLISHERS, &request, bench.stretch()).await?;
        self.rates.push(flow.events_per_second);
        let peak = server.process().peak_resident_bytes()?;
        self.peaks.push(peak as f64 / 1024.0 / 1024.0);
        drop(subscriber);
        server.stop().await
    }
}
