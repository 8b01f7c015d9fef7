//! Peers from Debian's packages, started by the benchmarks. None of them stores an event.

mod lines;
mod nginx;
mod payload;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;
use uuid::Uuid;

use crate::Bench;
use crate::process::Process;
use crate::publish_request::Owners;
use crate::system::{Dialect, System, User};
use crate::waiting::soon;

/// A peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Nchan,
    Redis,
    Nats,
}

/// How often a peer is asked whether it listens.
const LOOK: Duration = Duration::from_millis(10);

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Nchan, Self::Redis, Self::Nats];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nchan => "nginx with nchan",
            Self::Redis => "Redis",
            Self::Nats => "NATS",
        }
    }

    /// The files that its package installs, the program first.
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Nchan => &["/usr/sbin/nginx", nginx::MODULE],
            Self::Redis => &["/usr/bin/redis-server"],
            Self::Nats => &["/usr/sbin/nats-server"],
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::Nchan => "libnginx-mod-nchan",
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
        }
    }

    /// Whether it can be started.
    pub(crate) fn is_installed(self) -> bool {
        let mut files = self.files().iter().map(PathBuf::from);
        files.all(|file| file.exists())
    }

    /// The reason why it is not measured.
    pub(crate) fn missing(self) -> String {
        format!(
            "{} is not measured: Debian's package `{}` is not installed.",
            self.name(),
            self.package()
        )
    }

    /// Starts it with a user for each number. A delivery has about `wire_bytes` bytes, as that of Tidings.
    pub(crate) async fn start(
        self,
        bench: &Bench,
        users: &[u32],
        wire_bytes: usize,
    ) -> anyhow::Result<System> {
        ensure!(self.is_installed(), self.missing());
        let directory = bench.directory()?;
        let address = free_address()?;
        let mut command = Command::new(self.files()[0]);
        match self {
            Self::Nchan => nginx::configure(&mut command, &directory, address)?,
            Self::Redis => lines::configure_redis(&mut command, &directory, address),
            Self::Nats => lines::configure_nats(&mut command, &directory, address)?,
        }
        let log = std::fs::File::create(directory.path().join("log"))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = Process::start(bench, &mut command)?;
        self.wait(&mut process, address, &directory).await?;
        let user = |number: &u32| self.user(Owners::owner(*number), wire_bytes);
        Ok(System {
            process,
            address,
            dialect: self.dialect(),
            users: users.iter().map(user).collect(),
            publishers: Vec::new(),
            administrator: None,
            directory,
        })
    }

    /// Waits until it listens.
    async fn wait(
        self,
        process: &mut Process,
        address: SocketAddr,
        directory: &TempDir,
    ) -> anyhow::Result<()> {
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                if let Some(status) = process.ended()? {
                    let log = std::fs::read_to_string(directory.path().join("log"));
                    let log = log.unwrap_or_default();
                    anyhow::bail!("{} ended with {status}; its log:\n{log}", self.name());
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        };
        soon(self.name(), listens).await?
    }

    const fn dialect(self) -> Dialect {
        match self {
            Self::Nchan => nginx::DIALECT,
            Self::Redis => lines::REDIS,
            Self::Nats => lines::NATS,
        }
    }

    fn user(self, user: Uuid, wire_bytes: usize) -> User {
        match self {
            Self::Nchan => nginx::user(user, wire_bytes),
            Self::Redis => lines::redis_user(user, wire_bytes),
            Self::Nats => lines::nats_user(user, wire_bytes),
        }
    }
}

/// A port that was free a moment ago, for programs that cannot choose one.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("could not find a free port")?;
    Ok(listener.local_addr()?)
}
