//! A server: it listens, takes connections, and ends in good order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tidings::Tidings;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::Config;
use crate::connection::Connections;
use crate::router;
use crate::state::AppState;

/// The connections that may wait to be taken: as many as come back at once after a restart.
const BACKLOG: u32 = 1024;

/// The most connections at a time, where the limit of open files allows it. Further ones wait in the
/// backlog.
const MAX_CONNECTIONS: usize = 16_000;

/// Open files that are not connections: the store's, the log's, the listener.
const OTHER_FILES: u64 = 64;

/// How long to wait after a failure to take a connection, such as too many open files, which only
/// time mends.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves an engine over HTTP.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    state: Arc<AppState>,
    config: Config,
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Other machines would reach it.
    #[error(
        "will not listen on {0}: without a login only this machine may connect; listen on \
         127.0.0.1:{port}, and reach it from elsewhere through an SSH tunnel",
        port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be used.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Server {
    /// Begins to listen. Clients can connect from here on; they are answered once [`Self::run`] is
    /// awaited.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback address, or cannot be used.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn bind(engine: Tidings, config: Config) -> Result<Self, BindError> {
        let address = config.listen;
        if !address.ip().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        let refused = |source| BindError::Listen { address, source };
        let listener = listen(address).map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        Ok(Self {
            listener,
            local_addr,
            state: Arc::new(AppState::new(engine, &config)),
            config,
        })
    }

    /// Where it listens, with the port that was really taken.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready. Then it takes no more connections, answers the requests
    /// under way, ends each stream at a random moment within [`Config::drain_spread`], and returns
    /// at the latest after [`Config::drain_grace`].
    ///
    /// The engine is left open: close it afterwards.
    ///
    /// Dropping the future ends all connections at once.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            state,
            config,
            ..
        } = self;
        let routes = router::standalone(Arc::clone(&state));
        let connections = Connections::new(routes, Arc::clone(&state), config.write_timeout);
        let connections = Arc::new(connections);
        let max_connections = max_connections();
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => log_panic(ended),
                socket = accept(&listener), if tasks.len() < max_connections => {
                    let connections = Arc::clone(&connections);
                    tasks.spawn(async move { connections.serve(socket).await });
                }
            }
        }
        drop(listener);
        tracing::info!(connections = tasks.len(), "shutting down");
        state.drain.begin();
        let deadline = Instant::now() + config.drain_grace;
        let all_ended = async {
            while let Some(ended) = tasks.join_next().await {
                log_panic(ended);
            }
        };
        if timeout_at(deadline, all_ended).await.is_err() {
            tracing::warn!(
                connections = tasks.len(),
                "dropping connections that were still busy at the end of the grace time"
            );
            tasks.shutdown().await;
        }
        state.drain.wait_for_changes(deadline).await;
    }
}

/// As many as there can be without taking the files the store needs.
fn max_connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = files.saturating_sub(OTHER_FILES).max(1);
    usize::try_from(connections).map_or(MAX_CONNECTIONS, |most| most.min(MAX_CONNECTIONS))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Connections of the server before that are still winding down must not keep this one from
    // starting. On Windows the option means something else: that two servers may share a port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection. No failure ends the server.
///
/// Cancel-safe.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            // The client went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "could not take a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task panicked");
    }
}
