//! The server of the bus.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::ports::free_port;
use super::process::Process;
use super::warden::Warden;

const STUCK: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A server of NATS, running or not.
#[derive(Debug)]
pub(crate) struct Nats {
    pub(crate) port: u16,
    log: PathBuf,
    process: Option<Process>,
    warden: Arc<Warden>,
}

impl Nats {
    pub(super) async fn start(directory: &Path, warden: &Arc<Warden>) -> Self {
        let mut nats = Self {
            port: free_port(),
            log: directory.join("nats.log"),
            process: None,
            warden: Arc::clone(warden),
        };
        nats.restart().await;
        nats
    }

    /// Starts the server and waits until it accepts connections.
    pub(crate) async fn restart(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string()]);
        self.process = Some(Process::start(command, &self.log, &self.warden));
        let accepts = timeout(STUCK, async {
            let mut ticks = interval(POLL);
            while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .await
                .is_err()
            {
                ticks.tick().await;
            }
        });
        accepts.await.expect("nats-server starts");
    }

    /// Sends SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }
}
