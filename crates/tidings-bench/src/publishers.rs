//! Publishers that send as fast as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::content::PublishRequest;
use crate::cpu;
use crate::http::Publisher;
use crate::server::{Server, soon};

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
}

/// Lets `publishers` connections send `request` with fresh ids, each again when it is answered.
pub(crate) async fn flat_out(
    server: &Server,
    publishers: usize,
    request: &PublishRequest,
    stretch: Duration,
) -> anyhow::Result<Flow> {
    let answered = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..publishers {
        let (answered, stop) = (Arc::clone(&answered), Arc::clone(&stop));
        tasks.spawn(publish(server.address(), request.clone(), answered, stop));
    }
    tokio::time::sleep(WARM_UP).await;
    let (start, server_before) = (Instant::now(), server.cpu()?);
    let (load_before, before) = (cpu::of_thread(), answered.load(Ordering::Relaxed));
    tokio::time::sleep(stretch).await;
    let events = (answered.load(Ordering::Relaxed) - before) as f64;
    let server_cpu = server.cpu()? - server_before;
    let load_cpu = cpu::of_thread() - load_before;
    let elapsed = start.elapsed();
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = soon("the last answers", tasks.join_next()).await? {
        ended??;
    }
    Ok(Flow {
        events_per_second: events / elapsed.as_secs_f64(),
        server_cpu_us: server_cpu.as_secs_f64() * 1e6 / events,
        load_cpu_us: load_cpu.as_secs_f64() * 1e6 / events,
    })
}

async fn publish(
    server: SocketAddr,
    mut request: PublishRequest,
    answered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let mut publisher = Publisher::connect(server).await?;
    let events = u64::try_from(request.events())?;
    while !stop.load(Ordering::Relaxed) {
        soon("an answer", publisher.publish(request.renew())).await??;
        answered.fetch_add(events, Ordering::Relaxed);
    }
    Ok(())
}

/// Publishes `events` events in batches, and waits until all are stored.
pub(crate) async fn fill(server: &Server, events: usize) -> anyhow::Result<()> {
    const BATCH: usize = 1000;
    let mut publisher = Publisher::connect(server.address()).await?;
    let mut left = events;
    while left > 0 {
        let mut request = PublishRequest::batch(left.min(BATCH));
        // Reuses the request while it fits.
        while left >= request.events() {
            soon("an answer", publisher.publish(request.renew())).await??;
            left -= request.events();
        }
    }
    Ok(())
}
