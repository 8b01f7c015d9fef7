//! Stops the server on SIGTERM or SIGINT, within a bounded time.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::log::Log;

/// The process exits this long after the signal even if something blocks: the time for connections to end,
/// and 5 s to close the store on a slow disk.
pub(super) const STOP_WITHIN: Duration =
    tidings_server::Config::DEFAULT_DRAIN_GRACE.saturating_add(Duration::from_secs(5));

/// How long to wait for abandoned blocking work, such as a name lookup.
pub(super) const LEFTOVER_TIME: Duration = Duration::from_millis(500);

/// How long to wait until the last log lines are written.
pub(super) const FLUSH_TIME: Duration = Duration::from_secs(1);

/// The same if the process exits early.
const SHORT_FLUSH_TIME: Duration = Duration::from_millis(100);

/// Whether the server must stop. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM and SIGINT on a thread of its own, which nothing else can block. The first signal
    /// ends the process within [`STOP_WITHIN`], a second one at once.
    ///
    /// # Errors
    ///
    /// If the thread or the signal handlers cannot be created.
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

    /// Waits until the server must stop.
    pub(super) async fn asked(mut self) {
        // An error means that the listening thread ended, so the server must stop too.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Without a handler, SIGXFSZ ends the process when a file exceeds the shell's limit (`ulimit -f`). With
    /// one, the write fails as on a full disk.
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

    /// Exiting at any moment is safe, since acknowledged events are on disk.
    async fn obey(mut self, tell: &watch::Sender<bool>, log: &Log) {
        let first = self.next().await;
        tracing::info!(signal = first, "stopping; a second signal exits at once");
        tell.send_replace(true);
        match tokio::time::timeout(STOP_WITHIN, self.next()).await {
            Ok(second) => tracing::warn!(signal = second, "exiting at once"),
            Err(_) => tracing::error!(
                seconds = STOP_WITHIN.as_secs(),
                "could not stop in time, exiting; acknowledged events are on disk"
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
