//! Runs the examples of a crate, which `cargo test` builds beside its tests.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Far longer than any example takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running example. It is killed if the test ends first.
pub(crate) struct Example {
    process: Child,
    lines: Receiver<String>,
}

impl Example {
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(path(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("run `cargo test` without a target, which builds the examples");
        let output = process.stdout.take().expect("the output is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line.expect("the output is UTF-8")).is_err() {
                    break;
                }
            }
        });
        Self { process, lines }
    }

    /// The next line of the output, or `None` at its end.
    pub(crate) fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("no output within {DEADLINE:?}"),
        }
    }

    #[allow(dead_code, reason = "only some crates have examples that serve")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the end, and returns the remaining lines.
    pub(crate) fn end(mut self) -> Vec<String> {
        let lines = std::iter::from_fn(|| self.line()).collect();
        let status = self.process.wait().expect("the process can be awaited");
        assert!(status.success(), "{status}");
        lines
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Fails if the example has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs an example to its end, and returns its output.
#[allow(
    dead_code,
    reason = "only some crates have examples that end by themselves"
)]
pub(crate) fn run(name: &str, arguments: &[&str]) -> Vec<String> {
    Example::start(name, arguments).end()
}

/// Examples are in a directory beside that of the tests.
fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test is known");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("target/<profile>/deps/<test>");
    profile.join("examples").join(name)
}
