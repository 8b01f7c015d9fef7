//! Tells systemd that the server is ready, that it stops, and that it is alive (`Type=notify`, `WatchdogSec=`). Without
//! systemd it does nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tidings_server::Tasks;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often a server is reported alive within the time after which systemd restarts it.
const REPORTS: u32 = 3;

/// A connection to the service manager.
#[derive(Debug)]
pub(super) struct ServiceManager(Option<JoinHandle<()>>);

impl ServiceManager {
    /// Reports that the server listens, and from now on that it is alive: as long as its runtime has time for this
    /// task, and none of its other tasks has ended.
    pub(super) fn tell_ready(tasks: Tasks) -> Self {
        tell(NotifyState::Ready);
        Self(sd_notify::watchdog_enabled().map(|limit| tokio::spawn(report_alive(limit, tasks))))
    }

    /// Reports that the server ends its streams and commits what it has accepted.
    pub(super) fn tell_stopping(&self) {
        tell(NotifyState::Stopping);
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn report_alive(limit: Duration, tasks: Tasks) {
    let mut ticks = interval(limit / REPORTS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The log has the reason of the end, and systemd restarts the server.
    while !tasks.has_ended() {
        tell(NotifyState::Watchdog);
        ticks.tick().await;
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "could not notify the service manager");
    }
}
