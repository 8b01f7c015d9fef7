//! The store that has grown, filled by the server itself, so that any build can be measured.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::Plan;
use crate::Bench;
use crate::http::Client;
use crate::process::Process;
use crate::publish_request::{Owners, PublishRequest};
use crate::sides::Build;
use crate::statistics::number;
use crate::system::{Accounts, System};
use crate::waiting::soon;

/// How many events in a row an owner gets while the store is filled. One at a time, it would take hours.
pub(super) const BURST: usize = 20;

const BATCH: usize = 1000;
const FILLERS: usize = 4;

/// The events of each reader before an empty store is measured, so that the first page is full there, too.
const EVENTS_OF_READER: usize = 50;

/// A server that uses less CPU than one tick in this time is idle.
const QUIET: Duration = Duration::from_millis(500);

pub(super) struct GrownStore {
    /// `None` while the server runs.
    directory: Option<TempDir>,
    filled: Duration,
    bytes: u64,
}

impl GrownStore {
    pub(super) async fn fill(
        bench: &Bench,
        build: &Build,
        accounts: &Accounts,
        plan: Plan,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let system = build.start(bench, accounts).await?;
        publish_to_readers(&system, accounts).await?;
        let request = PublishRequest::batch(BATCH).authorized(&system.publishers[0]);
        let request = request.for_drawn(plan.skewed());
        let mut fillers = JoinSet::new();
        for _ in 0..FILLERS {
            let mut client = Client::connect(system.address).await?;
            let mut request = request.clone();
            fillers.spawn(async move {
                for _ in 0..plan.events / BATCH / FILLERS {
                    soon("a response", client.publish(request.renew())).await??;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = fillers.join_next().await {
            ended??;
        }
        settle(&system.process).await?;
        let directory = system.stop().await?;
        Ok(Self {
            bytes: bytes_in(&directory.path().join("data"))?,
            directory: Some(directory),
            filled: begun.elapsed(),
        })
    }

    pub(super) async fn start(
        &mut self,
        bench: &Bench,
        build: &Build,
        accounts: &Accounts,
    ) -> anyhow::Result<System> {
        let directory = self.directory.take().context("the server still runs")?;
        build.start_in(bench, accounts, directory).await
    }

    pub(super) async fn stop(&mut self, system: System) -> anyhow::Result<()> {
        self.directory = Some(system.stop().await?);
        Ok(())
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "the store has {} GiB, filling it took {:.0} s",
            number(self.bytes as f64 / 1024.0 / 1024.0 / 1024.0),
            self.filled.as_secs_f64()
        )
    }
}

/// Gives each reader the events of their first page.
pub(super) async fn publish_to_readers(system: &System, accounts: &Accounts) -> anyhow::Result<()> {
    let mut client = Client::connect(system.address).await?;
    for index in 0..accounts.users() {
        let request = PublishRequest::batch(EVENTS_OF_READER).authorized(&system.publishers[0]);
        let mut request = request.for_owner(Owners::owner(accounts.number(index)));
        soon("a response", client.publish(request.renew())).await??;
    }
    Ok(())
}

/// Waits until a server has nothing to do: it indexes for search what was published.
pub(crate) async fn settle(process: &Process) -> anyhow::Result<()> {
    loop {
        let before = process.cpu()?;
        tokio::time::sleep(QUIET).await;
        if process.cpu()? == before {
            return Ok(());
        }
    }
}

fn bytes_in(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
