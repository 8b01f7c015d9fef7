//! Hostile work on a thread of its own, alongside which a measurement runs.

use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rustix::process::setpriority_process;
use tokio::sync::oneshot;

use super::attack::Tally;
use crate::server::Server;

/// The priority of the thread. It shares a core with the measurement and must not delay it.
pub(super) const ATTACKERS_NICE: i32 = 10;

/// A measurement alongside hostile work.
#[derive(Debug)]
pub(super) struct Alongside<M> {
    pub(super) measured: M,
    pub(super) tally: Tally,
    /// The fraction of a core that the server used during the measurement.
    pub(super) cpu: f64,
}

/// Tells that the work has begun, and when it has to stop.
#[derive(Debug)]
pub(super) struct Signals {
    begun: mpsc::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Signals {
    /// The signal that the work has begun, and the one that it awaits.
    pub(super) fn split(self) -> (impl FnOnce(), impl Future<Output = ()>) {
        let Self { begun, stopped } = self;
        let begin = move || {
            let _ = begun.send(());
        };
        let stop = async {
            // The sender is dropped to stop the work.
            let _ = stopped.await;
        };
        (begin, stop)
    }
}

/// Runs `work` on a thread of its own, measures when it has begun, and stops it.
pub(super) fn measure<M, F: Future<Output = Tally>>(
    server: &Server,
    work: impl FnOnce(Signals) -> F + Send + 'static,
    measure: impl FnOnce() -> anyhow::Result<M>,
) -> anyhow::Result<Alongside<M>> {
    let (begun, beginning) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let signals = Signals { begun, stopped };
    let thread = std::thread::spawn(move || run(work(signals)));
    // An error means that the work failed; `join` returns its error.
    let _ = beginning.recv();
    let (cpu, since) = (server.process().cpu()?, Instant::now());
    let measured = measure();
    let cpu = (server.process().cpu()? - cpu).as_secs_f64() / since.elapsed().as_secs_f64();
    drop(stop);
    let tally = thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    ensure!(!tally.is_empty(), "the hostile clients made no connection");
    Ok(Alongside {
        measured: measured?,
        tally,
        cpu,
    })
}

fn run(work: impl Future<Output = Tally>) -> anyhow::Result<Tally> {
    // Applies to this thread only.
    setpriority_process(None, ATTACKERS_NICE)
        .context("could not lower the priority of the hostile clients")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}
