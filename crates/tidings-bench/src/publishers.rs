//! Publishers that send as fast as they are acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::cpu;
use crate::http::Client;
use crate::process::Process;
use crate::publish_request::PublishRequest;
use crate::server::Server;
use crate::waiting::soon;

/// The first part of every measurement is not counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// The result of all publishers together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) events_per_second: f64,
    /// The server's CPU time per event, in µs.
    pub(crate) server_cpu_us: f64,
    /// The load generator's CPU time per event, in µs.
    pub(crate) load_cpu_us: f64,
    /// The bytes that the server wrote to the disk per event, in KiB.
    pub(crate) written_kib: f64,
}

/// State that the publishers share with the benchmark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    measuring: Arc<AtomicBool>,
}

impl Progress {
    /// Whether publishers continue.
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Whether what happens now counts.
    pub(crate) fn is_measuring(&self) -> bool {
        self.measuring.load(Ordering::Relaxed)
    }

    /// Counts events that were acknowledged.
    pub(crate) fn acknowledge(&self, events: u64) {
        self.acknowledged.fetch_add(events, Ordering::Relaxed);
    }

    /// Measures the publishers for `stretch`, and stops them.
    pub(crate) async fn measure(
        &self,
        process: &Process,
        mut publishers: JoinSet<anyhow::Result<()>>,
        stretch: Duration,
    ) -> anyhow::Result<Flow> {
        tokio::time::sleep(WARM_UP).await;
        self.measuring.store(true, Ordering::Relaxed);
        let written_before = process.written_bytes()?;
        let (start, server_before) = (Instant::now(), process.cpu()?);
        let (load_before, before) = (cpu::of_thread(), self.acknowledged.load(Ordering::Relaxed));
        tokio::time::sleep(stretch).await;
        let events = (self.acknowledged.load(Ordering::Relaxed) - before) as f64;
        let server_cpu = process.cpu()? - server_before;
        let load_cpu = cpu::of_thread() - load_before;
        let elapsed = start.elapsed();
        let written = process.written_bytes()? - written_before;
        self.measuring.store(false, Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = soon("the last responses", publishers.join_next()).await? {
            ended??;
        }
        Ok(Flow {
            events_per_second: events / elapsed.as_secs_f64(),
            server_cpu_us: server_cpu.as_secs_f64() * 1e6 / events,
            load_cpu_us: load_cpu.as_secs_f64() * 1e6 / events,
            written_kib: written as f64 / 1024.0 / events,
        })
    }
}

/// Lets `publishers` connections send `request` with fresh ids, each again when it is acknowledged.
pub(crate) async fn flat_out(
    (process, address): (&Process, SocketAddr),
    publishers: usize,
    request: &PublishRequest,
    stretch: Duration,
) -> anyhow::Result<Flow> {
    let progress = Progress::default();
    let mut tasks = JoinSet::new();
    for _ in 0..publishers {
        tasks.spawn(publish(address, request.clone(), progress.clone()));
    }
    progress.measure(process, tasks, stretch).await
}

async fn publish(
    server: SocketAddr,
    mut request: PublishRequest,
    progress: Progress,
) -> anyhow::Result<()> {
    let mut client = Client::connect(server).await?;
    let events = u64::try_from(request.events())?;
    while progress.goes_on() {
        soon("a response", client.publish(request.renew())).await??;
        progress.acknowledge(events);
    }
    Ok(())
}

/// Publishes `events` events in batches, and waits until all are stored.
pub(crate) async fn fill(server: &Server, events: usize) -> anyhow::Result<()> {
    const BATCH: usize = 1000;
    let mut client = Client::connect(server.address()).await?;
    let mut left = events;
    while left > 0 {
        let mut request = PublishRequest::batch(left.min(BATCH));
        // Reuses the request while it fits.
        while left >= request.events() {
            soon("a response", client.publish(request.renew())).await??;
            left -= request.events();
        }
    }
    Ok(())
}
