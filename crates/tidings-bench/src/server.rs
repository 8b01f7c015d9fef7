//! A running `tidings serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::Bench;
use crate::process::Process;
use crate::waiting::soon;

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
        Self::start_command(bench, Command::new(binary), data_dir, flags).await
    }

    /// As [`Self::start_binary`], by a command that starts the binary with the arguments that are added.
    pub(crate) async fn start_command(
        bench: &Bench,
        mut command: Command,
        data_dir: &Path,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let log = data_dir.with_extension("log");
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

    /// The resources that it uses.
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
