//! A running `tidings serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{Bench, cpu};

/// Far longer than any step takes. If it passes, something is stuck.
const STUCK: Duration = Duration::from_secs(120);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(STUCK, future)
        .await
        .with_context(|| format!("waited for {what} for {STUCK:?}"))
}

/// The interval of polls, for changes without a signal.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `look` finds nothing left to do. Fails if the rest stops shrinking.
pub(crate) async fn until_none_is_left(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let (mut least, mut moved) = (u64::MAX, Instant::now());
    loop {
        let left = look().await?;
        if left == 0 {
            return Ok(());
        }
        if left < least {
            (least, moved) = (left, Instant::now());
        }
        ensure!(
            moved.elapsed() < STUCK,
            "waited for {what} for {STUCK:?}, and {left} are left"
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// A server process on the server's core. It is killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pid: u32,
    address: SocketAddr,
}

impl Server {
    /// Starts a server on a free port, and waits until it listens.
    pub(crate) async fn start(bench: &Bench, data_dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(bench, data_dir, &[]).await
    }

    /// As [`Self::start`], with more flags of `tidings serve`.
    pub(crate) async fn start_with(
        bench: &Bench,
        data_dir: &Path,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let log = data_dir.with_extension("log");
        let mut command = Command::new(&bench.server);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).context("could not create the log")?)
            .kill_on_drop(true);
        let mut process = bench
            .cores
            .start_on_server(|| command.spawn())?
            .with_context(|| format!("could not start {}", bench.server.display()))?;
        let output = process.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        let mut output = BufReader::new(output);
        soon("the server to listen", output.read_line(&mut line)).await??;
        let Some((_, address)) = line
            .trim_end()
            .strip_prefix("listening on ")
            .and_then(|url| url.split_once("://"))
        else {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            bail!("the server printed {line:?} first; its log:\n{log}");
        };
        Ok(Self {
            pid: process.id().context("the server has ended")?,
            address: address.parse().context("the server printed no address")?,
            process,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time used so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_process(self.pid)
    }

    /// The number of open files and sockets.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid))
            .context("could not read the server's open files")?;
        Ok(files.count())
    }

    /// The resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The peak of the resident memory since [`Self::forget_peak`].
    pub(crate) fn peak_resident_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// Resets the peak.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        // See clear_refs in the kernel's proc.rst.
        std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5")
            .context("could not reset the peak of the server's memory")
    }

    fn status(&self, field: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))
            .context("the server has ended")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.with_context(|| format!("{field} is not given in kB"))?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// Kills the process and waits for it, so that its CPU time is counted as ours.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        soon("the server to end", self.process.kill())
            .await?
            .context("could not stop the server")
    }
}
