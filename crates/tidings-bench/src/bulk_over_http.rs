//! Marking a whole inbox over HTTP, by two builds of the server.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::Bench;
use crate::http::Client;
use crate::publishers::fill;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::sides::Build;
use crate::statistics::{Samples, number};
use crate::waiting::soon;

const PATH: &str = "/api/system/events/status/bulk";

/// The two marks, one after the other, so that each turn finds all events to be changed.
const MARKS: [&str; 2] = ["read", "unread"];

/// A server with a filled inbox.
struct Inbox {
    build: Build,
    server: Server,
    /// Its store, which is removed at the end.
    _directory: TempDir,
    rates: Samples,
}

/// Adds the rate of two builds, if there is one to compare with.
pub(crate) async fn run(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let builds = Build::all(bench);
    if builds.len() < 2 {
        return Ok(());
    }
    let events = bench.size(100_000, 10_000);
    let mut inboxes = Vec::new();
    for build in builds {
        inboxes.push(Inbox::fill(bench, build, events).await?);
    }
    for _ in 0..bench.repetitions() {
        for mark in MARKS {
            for inbox in &mut inboxes {
                inbox.mark_all(mark, events).await?;
            }
        }
    }
    let (ours, others) = inboxes.split_first().expect("Tidings is measured");
    for other in others {
        table.ratio(
            &format!(
                "rows/s over HTTP, all {} marked in one request",
                number(events as f64)
            ),
            &ours.rates,
            (other.build.name, &other.rates),
            Target::None,
        );
    }
    for inbox in inboxes {
        inbox.server.stop().await?;
    }
    Ok(())
}

impl Inbox {
    async fn fill(bench: &Bench, build: Build, events: usize) -> anyhow::Result<Self> {
        let directory = bench.directory()?;
        let server = build.serve(bench, &directory.path().join("data")).await?;
        fill(&server, events).await?;
        Ok(Self {
            build,
            server,
            _directory: directory,
            rates: Samples::default(),
        })
    }

    async fn mark_all(&mut self, mark: &str, events: usize) -> anyhow::Result<()> {
        let mut client = Client::connect(self.server.address()).await?;
        let request = format!(r#"{{"all":true,"status":"{mark}"}}"#);
        let start = Instant::now();
        let response = soon("the marks", client.put(PATH, &request)).await??;
        let elapsed = start.elapsed();
        let response: Value = serde_json::from_slice(&response)?;
        let count = response["count"]
            .as_u64()
            .context("a response without a count")?;
        ensure!(
            count == events as u64,
            "{count} of {events} events were marked"
        );
        self.rates.push(events as f64 / elapsed.as_secs_f64());
        Ok(())
    }
}
