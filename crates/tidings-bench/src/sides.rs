//! The systems that are measured in turn.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Bench;
use crate::peers::Peer;
use crate::server::Server;
use crate::system::{Accounts, System};
use crate::transport::Transport;

/// A build of the server.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    pub(crate) name: &'static str,
    binary: PathBuf,
}

/// A system that can be started again and again.
#[derive(Clone, Debug)]
pub(crate) enum Side {
    Build(Build),
    Peer(Peer),
}

impl Build {
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// The server that is measured, then the one before if there is one.
    pub(crate) fn all(bench: &Bench) -> Vec<Self> {
        let build = |name, binary| Self { name, binary };
        let mut builds = vec![build("Tidings", bench.server.clone())];
        let before = bench.against.clone();
        builds.extend(before.map(|binary| build("the build before", binary)));
        builds
    }

    /// Starts it for the local identity, without tokens.
    pub(crate) async fn serve(&self, bench: &Bench, data_dir: &Path) -> anyhow::Result<Server> {
        Server::start_binary(bench, &self.binary, data_dir, &[]).await
    }

    /// Starts it with a new store.
    pub(crate) async fn start(&self, bench: &Bench, accounts: &Accounts) -> anyhow::Result<System> {
        self.start_in(bench, accounts, bench.directory()?).await
    }

    /// Starts it with a new store for streams over a transport.
    pub(crate) async fn start_over(
        &self,
        bench: &Bench,
        accounts: &Accounts,
        transport: &Transport,
    ) -> anyhow::Result<System> {
        let (directory, flags) = (bench.directory()?, transport.flags());
        accounts.start(bench, &self.binary, directory, &flags).await
    }

    /// Starts it with the store in `directory`.
    pub(crate) async fn start_in(
        &self,
        bench: &Bench,
        accounts: &Accounts,
        directory: TempDir,
    ) -> anyhow::Result<System> {
        accounts.start(bench, &self.binary, directory, &[]).await
    }
}

impl Side {
    /// The builds, then the peers that are installed.
    pub(crate) fn all(bench: &Bench) -> Vec<Self> {
        let builds = Build::all(bench).into_iter().map(Self::Build);
        let installed = Peer::ALL.into_iter().filter(|peer| peer.is_installed());
        builds.chain(installed.map(Self::Peer)).collect()
    }

    /// The peers that are not measured, with the reason.
    pub(crate) fn missing() -> Vec<String> {
        let missing = Peer::ALL.into_iter().filter(|peer| !peer.is_installed());
        missing.map(Peer::missing).collect()
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Build(build) => build.name,
            Self::Peer(peer) => peer.name(),
        }
    }

    /// Starts it with the users of `accounts`. A peer's deliveries have about `wire_bytes` bytes.
    pub(crate) async fn start(
        &self,
        bench: &Bench,
        accounts: &Accounts,
        wire_bytes: usize,
    ) -> anyhow::Result<System> {
        match self {
            Self::Build(build) => build.start(bench, accounts).await,
            Self::Peer(peer) => peer.start(bench, &accounts.numbers(), wire_bytes).await,
        }
    }
}
