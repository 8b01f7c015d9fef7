//! Reconnecting to a feed: near its end, and at its start.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::Bench;
use crate::http::Subscriber;
use crate::publishers::fill;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::sides::Build;
use crate::statistics::{Samples, number};
use crate::waiting::soon;

const SMALL: usize = 1_000;
const MISSED: u64 = 10;

/// The measured figures of a build.
struct Measured {
    build: Build,
    large: Feed,
    small: Feed,
    in_large: Samples,
    in_small: Samples,
    rates: Samples,
    growths: Samples,
}

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let large = bench.size(1_000_000, 100_000);
    let mut builds = Vec::new();
    let start = Instant::now();
    for build in Build::all(bench) {
        builds.push(Measured::fill(bench, build, large).await?);
    }
    let filled = start.elapsed() / u32::try_from(builds.len())?;
    for _ in 0..bench.repetitions() {
        for measured in &mut builds {
            measured.resume(bench.size(100, 30)).await?;
        }
    }
    for _ in 0..bench.size(3, 1) {
        let mut replayed = Vec::with_capacity(builds.len());
        for measured in builds {
            replayed.push(measured.replay(bench).await?);
        }
        builds = replayed;
    }
    let size = number(large as f64);
    let mut table = Table::new("resume: reconnecting to a long feed");
    let (ours, others) = builds.split_first().expect("Tidings is measured");
    let first = format!("ms from connecting to the first missed event, 10 behind in {size}");
    let target = Target::AtMost(1.5);
    table.ratio(
        &first,
        &ours.in_large,
        ("10 behind in 1,000", &ours.in_small),
        target,
    );
    for other in others {
        let theirs = (other.build.name, &other.in_large);
        table.ratio(&first, &ours.in_large, theirs, Target::None);
    }
    let rate = format!("events/s replaying {size} from `earliest`");
    match others {
        [] => table.figure(&rate, &ours.rates, Target::None),
        others => {
            for other in others {
                let theirs = (other.build.name, &other.rates);
                table.ratio(&rate, &ours.rates, theirs, Target::None);
            }
        }
    }
    table.figure(
        "peak growth of the server's memory during that replay, MiB",
        &ours.growths,
        Target::AtMost(32.0),
    );
    table.note(format!(
        "Each replay is served by a server that has just started and served one idle subscriber. Filling \
         the feeds in batches of 1,000 took {:.0} s.",
        filled.as_secs_f64()
    ));
    Ok(table)
}

impl Measured {
    async fn fill(bench: &Bench, build: Build, large: usize) -> anyhow::Result<Self> {
        Ok(Self {
            large: Feed::fill(bench, &build, large).await?,
            small: Feed::fill(bench, &build, SMALL).await?,
            build,
            in_large: Samples::default(),
            in_small: Samples::default(),
            rates: Samples::default(),
            growths: Samples::default(),
        })
    }

    async fn resume(&mut self, tries: usize) -> anyhow::Result<()> {
        let (mut to_large, mut to_small) = (Samples::default(), Samples::default());
        for _ in 0..tries {
            to_large.push(self.large.resume().await?);
            to_small.push(self.small.resume().await?);
        }
        self.in_large.push(to_large.median());
        self.in_small.push(to_small.median());
        Ok(())
    }

    async fn replay(mut self, bench: &Bench) -> anyhow::Result<Self> {
        self.large = self.large.restart(bench, &self.build).await?;
        let (rate, growth) = self.large.replay().await?;
        self.rates.push(rate);
        self.growths.push(growth);
        Ok(self)
    }
}

/// A server with a filled feed.
struct Feed {
    server: Server,
    directory: TempDir,
    events: usize,
    /// The cursor of a client that has missed a few events.
    behind: String,
}

impl Feed {
    async fn fill(bench: &Bench, build: &Build, events: usize) -> anyhow::Result<Self> {
        let directory = bench.directory()?;
        let data = directory.path().join("data");
        let server = build.serve(bench, &data).await?;
        fill(&server, events).await?;
        // The memory used for filling the feed ends with the process.
        server.stop().await?;
        let server = build.serve(bench, &data).await?;
        let mut subscriber = Subscriber::connect(server.address(), None).await?;
        let head = soon("a stream to begin", subscriber.read_to_live()).await??;
        let (own, rest) = head.split_once('-').context("the cursor has no hyphen")?;
        let own: u64 = own.parse()?;
        ensure!(
            own == events as u64,
            "the feed has {own} of {events} events"
        );
        let behind = format!("{}-{rest}", own - MISSED);
        Ok(Self {
            server,
            directory,
            events,
            behind,
        })
    }

    /// Reconnects with the cursor. Returns the milliseconds until the first missed event.
    async fn resume(&self) -> anyhow::Result<f64> {
        let start = Instant::now();
        let mut subscriber = Subscriber::connect(self.server.address(), Some(&self.behind)).await?;
        let mut buffer = vec![0; 16 * 1024];
        let mut frames = 0;
        // `ready` comes first.
        while frames < 2 {
            frames += soon("a missed event", subscriber.read(&mut buffer)).await??;
        }
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }

    /// Restarts the server, so that its memory is that of a server that has just started.
    async fn restart(self, bench: &Bench, build: &Build) -> anyhow::Result<Self> {
        self.server.stop().await?;
        let server = build
            .serve(bench, &self.directory.path().join("data"))
            .await?;
        Ok(Self { server, ..self })
    }

    /// Reads everything. Returns the events per second and the growth of the server's memory in MiB.
    async fn replay(&self) -> anyhow::Result<(f64, f64)> {
        let server = &self.server;
        let mut subscriber = Subscriber::connect(server.address(), None).await?;
        soon("a stream to begin", subscriber.read_to_live()).await??;
        let before = server.process().resident_bytes()?;
        server.process().forget_peak()?;

        let start = Instant::now();
        let mut subscriber = Subscriber::connect(server.address(), Some("earliest")).await?;
        let mut buffer = vec![0; 64 * 1024];
        let mut frames = 0;
        // And `ready` and `live`.
        while frames < self.events as u64 + 2 {
            frames += soon("the replay to continue", subscriber.read(&mut buffer)).await??;
        }
        let rate = self.events as f64 / start.elapsed().as_secs_f64();
        let growth = server
            .process()
            .peak_resident_bytes()?
            .saturating_sub(before);
        Ok((rate, growth as f64 / 1024.0 / 1024.0))
    }
}
