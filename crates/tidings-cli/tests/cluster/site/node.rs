//! A node: the binary under test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::network::Network;
use super::process::Process;
use super::warden::Warden;

/// Longer than a node needs to be ready once the database is there.
const STUCK: Duration = Duration::from_secs(60);

/// How often a node is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// A node, running or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    /// The namespace it runs in, if the test may make one.
    pub(crate) network: Option<Network>,
    pub(crate) log: PathBuf,
    args: Vec<String>,
    process: Option<Process>,
    warden: Arc<Warden>,
    http: reqwest::Client,
}

impl Node {
    pub(super) fn new(
        address: SocketAddr,
        network: Option<Network>,
        log: PathBuf,
        args: Vec<String>,
        warden: &Arc<Warden>,
    ) -> Self {
        let http = reqwest::Client::builder().no_proxy().build();
        Self {
            address,
            network,
            log,
            args,
            process: None,
            warden: Arc::clone(warden),
            http: http.expect("a client is made"),
        }
    }

    /// Starts the node and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        self.launch();
        self.is_up().await;
    }

    /// Starts the node.
    pub(crate) fn launch(&mut self) {
        let binary = env!("CARGO_BIN_EXE_tidings");
        let mut command = match &self.network {
            Some(network) => network.enter(binary),
            None => Command::new(binary),
        };
        command
            .args(&self.args)
            .env("TIDINGS_LOG", "info")
            .current_dir(self.log.parent().expect("it is in a directory"));
        self.process = Some(Process::start(command, &self.log, &self.warden));
    }

    /// Waits until the node is ready. One that found no database and has ended is started again, as a service
    /// manager does.
    pub(crate) async fn is_up(&mut self) {
        let is_up = timeout(STUCK, async {
            let mut ticks = interval(POLL);
            while !self.is_ready().await {
                if self.has_failed() {
                    self.kill().await;
                    self.launch();
                }
                ticks.tick().await;
            }
        });
        if is_up.await.is_err() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let end: Vec<&str> = log.lines().rev().take(20).collect();
            panic!(
                "the node is not ready; its log, newest first:\n{}",
                end.join("\n")
            );
        }
    }

    /// Sends SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// Stops the node at any point of its work, as a busy host or a debugger does.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// Whether the node ended although nobody killed it.
    pub(crate) fn has_failed(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|process| process.ended().is_some())
    }

    async fn is_ready(&self) -> bool {
        let url = format!("http://{}/readyz", self.address);
        let asked = self.http.get(url).timeout(Duration::from_secs(2)).send();
        asked
            .await
            .is_ok_and(|response| response.status().is_success())
    }
}
