//! How the server learns that it is to end, and what makes it end in any case.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::log::Log;

/// After the signal to stop, the process ends within this time whatever is blocked: the time for the
/// connections, and as much again as closing the store takes on a slow disk.
pub(super) const STOP_WITHIN: Duration =
    tidings_server::Config::DEFAULT_DRAIN_GRACE.saturating_add(Duration::from_secs(5));

/// How long the end waits for blocking work that nobody waits for any more, such as a name that is
/// looked up.
pub(super) const LEFTOVER_TIME: Duration = Duration::from_millis(500);

/// How long the end waits for standard error to take the last lines.
pub(super) const FLUSH_TIME: Duration = Duration::from_secs(1);

/// The same where somebody is in a hurry.
const SHORT_FLUSH_TIME: Duration = Duration::from_millis(100);

/// Tells whether the server is to end. Clones tell the same.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM and SIGINT, on a thread of its own that nothing else can hold up. After the
    /// first of them the process ends within [`STOP_WITHIN`]; a second one ends it at once.
    ///
    /// # Errors
    ///
    /// When the system grants no thread, or no signals.
    pub(super) fn listen(log: Log) -> anyhow::Result<Self> {
        const FAULT: &str = "could not listen for signals";
        let (tell, asked) = watch::channel(false);
        let (begun, listening) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("signals".to_owned());
        let listen = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(begun.send(Err(error))),
            };
            runtime.block_on(async move {
                match Signals::listen() {
                    Ok(signals) => {
                        drop(begun.send(Ok(())));
                        signals.obey(&tell, &log).await;
                    }
                    Err(error) => drop(begun.send(Err(error))),
                }
            });
        };
        thread.spawn(listen).context(FAULT)?;
        let listens = listening.recv().context(FAULT)?;
        listens.context(FAULT)?;
        Ok(Self(asked))
    }

    /// Waits until the server is to end.
    pub(super) async fn asked(mut self) {
        // It fails without the thread that listens, and nobody could end the server any more.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Without somebody who listens, it ends the process where a file grows beyond the limit of the
    /// shell (`ulimit -f`). Such a write fails now, as on a full disk.
    _file_too_large: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let file_too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_too_large: signal(file_too_large)?,
        })
    }

    /// What is committed is safe at any moment, so that the end can be as sudden as it must.
    async fn obey(mut self, tell: &watch::Sender<bool>, log: &Log) {
        let first = self.next().await;
        tracing::info!(
            signal = first,
            "stopping; a second signal ends the process at once"
        );
        tell.send_replace(true);
        match tokio::time::timeout(STOP_WITHIN, self.next()).await {
            Ok(second) => tracing::warn!(signal = second, "ended at once"),
            Err(_) => tracing::error!(
                seconds = STOP_WITHIN.as_secs(),
                "could not stop in time: the process ends now; acknowledged events are on disk"
            ),
        }
        log.flush(SHORT_FLUSH_TIME);
        std::process::exit(1);
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
