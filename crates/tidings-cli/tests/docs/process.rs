//! A process that runs beside the test, and its output.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Far longer than any step takes. If it passes, something is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// A running process. It is killed on drop.
pub(crate) struct Process {
    child: Child,
    printed: Arc<Printed>,
}

/// The lines of both outputs, in the order of their arrival.
#[derive(Default)]
struct Printed {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let printed = Arc::new(Printed::default());
        let output = child.stdout.take().context("standard output is piped")?;
        let errors = child.stderr.take().context("standard error is piped")?;
        tokio::spawn(Arc::clone(&printed).collect(output));
        tokio::spawn(Arc::clone(&printed).collect(errors));
        Ok(Self { child, printed })
    }

    /// Waits until `found` returns a value for the lines printed so far.
    pub(crate) async fn wait_for<T>(
        &self,
        what: &str,
        found: impl Fn(&[String]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let waiting = async {
            loop {
                let more = self.printed.more.notified();
                if let Some(found) = found(&self.printed.lines()) {
                    return found;
                }
                more.await;
            }
        };
        match timeout(STUCK, waiting).await {
            Ok(found) => Ok(found),
            Err(_) => bail!("no {what} in:\n{}", self.printed.lines().join("\n")),
        }
    }

    /// Stops it with SIGTERM, as an operator does.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.and_then(Pid::from_raw).with_context(|| {
            let printed = self.printed.lines().join("\n");
            format!("the process has ended on its own:\n{printed}")
        })?;
        kill_process(pid, Signal::TERM)?;
        let ended = timeout(STUCK, self.child.wait()).await;
        Ok(ended.context("SIGTERM did not stop it")??)
    }
}

impl Printed {
    async fn collect(self: Arc<Self>, output: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            self.lines().push(line);
            // `notify_one` also wakes a task that starts to wait later.
            self.more.notify_one();
        }
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
