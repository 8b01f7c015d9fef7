//! Programs that count what a server does.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::process::{Process, signal};
use crate::waiting::soon;

/// Counts the instructions of a server by valgrind.
#[derive(Debug)]
pub(super) struct Instructions {
    output: PathBuf,
}

impl Instructions {
    pub(super) fn can_be_counted() -> bool {
        is_installed("valgrind") && is_installed("strace")
    }

    /// Writes what is counted to a file in `directory`.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            output: directory.join("callgrind"),
        }
    }

    /// The command that starts a binary and counts from the start.
    pub(super) fn command(&self, binary: &Path) -> Command {
        // Valgrind removes the kernel's shared object (vDSO) from memory. The server would still find its address by
        // PR_GET_AUXV and end with a fault, so strace lets `prctl` fail; then the server asks valgrind.
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-q", "--seccomp-bpf", "-o", "/dev/null"]);
        command.args(["-e", "trace=prctl", "-e", "inject=prctl:error=EINVAL"]);
        command.args(["valgrind", "--quiet", "--tool=callgrind"]);
        command.arg(format!("--callgrind-out-file={}", self.output.display()));
        command.arg(binary);
        command
    }

    /// Ends the server, and returns the number of instructions from its start to its end.
    pub(super) async fn end(self, process: Process) -> anyhow::Result<f64> {
        process.terminate().await?;
        let text = std::fs::read_to_string(&self.output).context("valgrind wrote no counts")?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let total = total.context("valgrind wrote no total")?;
        Ok(total.trim().parse()?)
    }
}

/// Counts the system calls of a server by perf.
#[derive(Debug)]
pub(super) struct SystemCalls {
    perf: Child,
    output: PathBuf,
    orders: pipe::Sender,
    replies: pipe::Receiver,
}

impl SystemCalls {
    pub(super) fn can_be_counted() -> bool {
        is_installed("perf") && rustix::process::geteuid().is_root()
    }

    /// Counts from now on. Needs a directory for its files.
    pub(super) async fn begin(directory: &Path, pid: u32) -> anyhow::Result<Self> {
        let [output, orders, replies] =
            ["counts", "orders", "replies"].map(|name| directory.join(name));
        let mut pipes = Command::new("mkfifo");
        let made = pipes.args([&orders, &replies]).status().await?;
        ensure!(made.success(), "mkfifo ended with {made}");
        let mut perf = Command::new("perf");
        perf.args([
            "stat",
            "-x,",
            "--event=raw_syscalls:sys_enter",
            "--delay=-1",
        ])
        .arg(format!("--pid={pid}"))
        .arg(format!(
            "--control=fifo:{},{}",
            orders.display(),
            replies.display()
        ))
        .arg("--output")
        .arg(&output)
        .stdin(Stdio::null())
        .kill_on_drop(true);
        let mut options = pipe::OpenOptions::new();
        // For both, so that opening waits for nobody.
        options.read_write(true);
        let mut counting = Self {
            orders: options.open_sender(&orders)?,
            replies: options.open_receiver(&replies)?,
            perf: perf.spawn().context("could not start perf")?,
            output,
        };
        counting.order("enable\n").await?;
        Ok(counting)
    }

    /// Returns the number of system calls.
    pub(super) async fn end(mut self) -> anyhow::Result<f64> {
        self.order("disable\n").await?;
        let pid = self.perf.id().context("perf has ended")?;
        signal(pid, Signal::INT)?;
        soon("perf to end", self.perf.wait()).await??;
        let text = std::fs::read_to_string(&self.output).context("perf wrote no counts")?;
        let count = text
            .lines()
            .filter(|line| line.contains("raw_syscalls:sys_enter"))
            .find_map(|line| line.split(',').next());
        let count = count.with_context(|| format!("perf wrote no counts: {text}"))?;
        count
            .parse()
            .with_context(|| format!("perf counted {count}"))
    }

    /// Sends an order, and waits until it is followed.
    async fn order(&mut self, order: &str) -> anyhow::Result<()> {
        self.orders.write_all(order.as_bytes()).await?;
        let mut reply = [0; 16];
        let read = soon("perf to follow an order", self.replies.read(&mut reply)).await??;
        let reply = &reply[..read];
        ensure!(reply.starts_with(b"ack"), "perf replied {reply:?}");
        Ok(())
    }
}

fn is_installed(program: &str) -> bool {
    let mut command = std::process::Command::new(program);
    let command = command.arg("--version").stdout(Stdio::null());
    command.stderr(Stdio::null()).status().is_ok()
}
