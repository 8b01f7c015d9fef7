//! A running `tidings serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::Bench;
use crate::process::Process;

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

/// A `tidings serve` on the server's core. It is killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
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
        Self::start_binary(bench, &bench.server, data_dir, flags).await
    }

    /// As [`Self::start_with`], of another build.
    pub(crate) async fn start_binary(
        bench: &Bench,
        binary: &Path,
        data_dir: &Path,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let log = data_dir.with_extension("log");
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).context("could not create the log")?);
        let mut process = Process::start(bench, &mut command)?;
        let output = process.take_output().expect("standard output is piped");
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
            address: address.parse().context("the server printed no address")?,
            process,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it uses.
    pub(crate) const fn process(&self) -> &Process {
        &self.process
    }

    /// The process, which ends with the returned value.
    pub(crate) fn into_process(self) -> Process {
        self.process
    }

    /// Kills it and waits for it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.process.stop().await
    }
}
