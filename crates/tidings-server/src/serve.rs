//! A server: it listens, takes connections, and ends in good order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tidings::Tidings;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use crate::admission::{Admission, RESERVE};
use crate::config::Config;
use crate::connection::Connections;
#[cfg(feature = "metrics")]
use crate::metrics_listener;
use crate::peer::Peer;
use crate::router;
use crate::state::AppState;
use crate::tls::{Tls, TlsError};

/// The connections that may wait to be taken: as many as come back at once after a restart.
const BACKLOG: u32 = 1024;

/// How long to wait after a failure to take a connection, such as too many open files, which only
/// time mends.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves an engine over HTTP.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    metrics_listener: Option<TcpListener>,
    state: Arc<AppState>,
    tls: Option<Arc<Tls>>,
    config: Config,
    admission: Admission,
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
    #[error("could not listen on {address}; free it, or choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The address for metrics cannot be used.
    #[error(
        "could not listen on {address} for metrics; free it, or choose another with --metrics-listen"
    )]
    ListenForMetrics {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The configuration asks for a part of the server that is not built in.
    #[error(
        "cannot {wish}: this program was built without the feature `{feature}` of tidings-server"
    )]
    WithoutFeature {
        /// What the configuration asks for.
        wish: &'static str,
        /// The Cargo feature that provides it.
        feature: &'static str,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Begins to listen. Clients can connect from here on; they are answered once [`Self::run`] is
    /// awaited.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback address or cannot be used, or the certificate cannot.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn bind(engine: Tidings, config: Config) -> Result<Self, BindError> {
        let address = config.listen;
        refuse_if_open_to_others(address, &config)?;
        if cfg!(not(feature = "metrics")) && config.metrics_listen.is_some() {
            return Err(BindError::WithoutFeature {
                wish: "listen for metrics",
                feature: "metrics",
            });
        }
        let tls = config.tls.clone().map(Tls::load).transpose()?;
        let refused = |source| BindError::Listen { address, source };
        let listener = listen(address).map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        let for_metrics = config.metrics_listen.map(|address| {
            let refused = |source| BindError::ListenForMetrics { address, source };
            listen(address).map_err(refused)
        });
        Ok(Self {
            listener,
            local_addr,
            metrics_listener: for_metrics.transpose()?,
            state: router::state(engine, &config),
            tls: tls.map(Arc::new),
            admission: Admission::new(&config.connections, local_addr.ip()),
            config,
        })
    }

    /// Where it listens, with the port that was really taken.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it listens for a monitoring system, if it does.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// The address for clients as a URL, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.local_addr)
    }

    /// How many connections one address may have; `None` is any number.
    pub const fn connections_per_address(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.admission.most_per_address())
    }

    /// Serves until `shutdown` is ready. Then it takes no more connections, answers the requests
    /// under way, ends each stream at a random moment within [`Config::drain_spread`], and returns
    /// at the latest after [`Config::drain_grace`].
    ///
    /// The engine is left open: close it afterwards.
    ///
    /// Dropping the future ends all connections at once.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let metrics = self.serve_metrics();
        tokio::select! {
            () = self.run_for_clients(shutdown) => {}
            never = metrics => match never {},
        }
    }

    /// Serves the listener for metrics, if there is one, until it is dropped.
    #[cfg(feature = "metrics")]
    fn serve_metrics(&mut self) -> impl Future<Output = Infallible> + use<> {
        let listener = self.metrics_listener.take();
        let (state, config) = (Arc::clone(&self.state), self.config.clone());
        async move {
            match listener {
                Some(listener) => metrics_listener::serve(&listener, state, &config).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Without the feature [`Self::bind`] refuses to listen for metrics.
    #[cfg(not(feature = "metrics"))]
    fn serve_metrics(&mut self) -> impl Future<Output = Infallible> + use<> {
        self.metrics_listener = None;
        std::future::pending()
    }

    async fn run_for_clients(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            state,
            tls,
            config,
            admission,
            ..
        } = self;
        let routes = router::standalone(&state);
        let connections = Connections::new(routes, Arc::clone(&state), tls.clone(), &config);
        let connections = Arc::new(connections);
        let admission = Arc::new(admission);
        let most_tasks = admission.most_at_all() + RESERVE;
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let mut certificate = std::pin::pin!(async {
            match &tls {
                Some(tls) => tls.follow_files().await,
                None => std::future::pending().await,
            }
        });
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => log_panic(ended),
                // Connections that have to go are still there for a moment.
                (socket, peer) = accept(&listener), if tasks.len() < most_tasks => {
                    let seat = admission.admit(peer.0);
                    let connections = Arc::clone(&connections);
                    tasks.spawn(async move { connections.serve(socket, peer, seat).await });
                }
                never = &mut certificate => match never {},
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
        connections.requests_ended().await;
        state.drain.wait_for_changes(deadline).await;
    }
}

/// Without a login whoever can connect may do everything.
fn refuse_if_open_to_others(address: SocketAddr, config: &Config) -> Result<(), BindError> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    if !config.identity.has_login() {
        return Err(BindError::NotLoopback(address));
    }
    if config.tls.is_none() {
        tracing::warn!(
            %address,
            "tokens and events cross the network unencrypted; give a certificate, or let only a \
             proxy that has one reach this address"
        );
    }
    Ok(())
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

/// The next connection, and where it comes from. No failure ends the server.
///
/// Cancel-safe.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((socket, address)) => return (socket, Peer(address.ip().to_canonical())),
            // The client went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "could not take a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

pub(crate) fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task panicked");
    }
}
