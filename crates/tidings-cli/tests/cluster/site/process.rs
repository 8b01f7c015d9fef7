//! A process of a site.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::warden::Warden;

/// A process with a log, which ends at the latest with its site.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: u32,
    warden: Arc<Warden>,
}

impl Process {
    /// Starts a command. Its output is appended to `log`.
    pub(crate) fn start(mut command: Command, log: &Path, warden: &Arc<Warden>) -> Self {
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("the log can be written");
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let pid = child.id().expect("it has not been waited for");
        warden.has_begun(pid);
        Self {
            child,
            pid,
            warden: Arc::clone(warden),
        }
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// The status, if the process has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be waited for")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.pid, signal);
    }

    /// Sends SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
        self.warden.has_ended(self.pid);
    }

    /// Stops the process and its children at one moment, as a pause of the whole machine does.
    pub(crate) fn stop_all(&self) -> Vec<u32> {
        self.signal(Signal::STOP);
        let children = children(self.pid);
        for child in &children {
            send(*child, Signal::STOP);
        }
        children
    }

    pub(crate) fn continue_all(&self) {
        for child in children(self.pid) {
            send(child, Signal::CONT);
        }
        self.signal(Signal::CONT);
    }

    /// Kills the process and its children, none of which can finish anything.
    pub(crate) async fn kill_all(self) {
        let children = self.stop_all();
        for child in children {
            send(child, Signal::KILL);
        }
        self.kill().await;
    }
}

/// Sends a signal to a process, which may have ended.
fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = kill_process(pid.expect("a pid is positive"), signal);
}

fn children(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux has it");
    let pid_of_child = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before the state can contain blanks.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        (fields.nth(1)? == parent).then_some(pid)
    };
    processes
        .filter_map(|entry| pid_of_child(entry.ok()?))
        .collect()
}
