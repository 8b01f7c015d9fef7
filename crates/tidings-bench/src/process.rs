//! A process on the server's core, and the memory and time that it uses.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdout, Command};

use crate::waiting::soon;
use crate::{Bench, cpu};

/// A process that is measured. It is killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts a program on the server's core.
    pub(crate) fn start(bench: &Bench, command: &mut Command) -> anyhow::Result<Self> {
        command.kill_on_drop(true);
        let child = bench
            .cores
            .start_on_server(|| command.spawn())?
            .with_context(|| format!("could not start {:?}", command.as_std().get_program()))?;
        let pid = child.id().context("the process has ended")?;
        Ok(Self { child, pid })
    }

    /// The process id.
    pub(crate) const fn id(&self) -> u32 {
        self.pid
    }

    /// Its standard output, once.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The exit status, if the process has ended.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The CPU time used so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_process(self.pid)
    }

    /// The CPU time that its present threads have used so far, for short measurements.
    pub(crate) fn threads_cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_threads(self.pid)
    }

    /// The bytes that the process has caused to be written to disks so far, by pages.
    pub(crate) fn written_bytes(&self) -> anyhow::Result<u64> {
        let io = self.read("io")?;
        let line = io
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes:"));
        let bytes = line.context("the kernel does not account for I/O")?;
        Ok(bytes.trim().parse()?)
    }

    /// The number of open files and sockets.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid))
            .context("could not read the open files of the process")?;
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
            .context("could not reset the peak of the process's memory")
    }

    fn status(&self, field: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.with_context(|| format!("{field} is not given in kB"))?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.pid))
            .context("the process has ended")
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<()> {
        signal(self.pid, Signal::TERM)?;
        let status = soon("a process to end", self.child.wait()).await??;
        ensure!(status.success(), "a process ended with {status}");
        Ok(())
    }

    /// Kills the process and waits for it, so that its CPU time is counted as ours.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        soon("a process to end", self.child.kill())
            .await?
            .context("could not stop a process")
    }
}

pub(crate) fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = Pid::from_raw(pid.cast_signed()).context("a process id is not 0")?;
    kill_process(pid, signal).context("could not signal a process")
}
