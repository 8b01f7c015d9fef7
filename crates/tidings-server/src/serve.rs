//! The server: it listens, accepts connections, and shuts down gracefully.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tidings::Tidings;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::admission::{Admission, RESERVE};
use crate::config::Config;
use crate::connection::Connections;
use crate::listener::{accept_within, listen, log_panic};
#[cfg(feature = "metrics")]
use crate::metrics_listener;
use crate::reactor::{Freed, Reactor, Resume};
use crate::router;
use crate::state::AppState;
use crate::tls::{Tls, TlsConfig, TlsError};
use crate::vitals::Vitals;

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

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Other machines could reach a server without authentication.
    #[error(
        "will not listen on {0}: without authentication only this machine may connect; listen on \
         127.0.0.1:{port}, and reach it from elsewhere through an SSH tunnel",
        port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be used.
    #[error("could not listen on {address}; free it, or choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
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
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The configuration asks for a part of the server that is not built in.
    #[error(
        "cannot {wish}: this program was built without the feature `{feature}` of tidings-server"
    )]
    WithoutFeature {
        /// The configured part.
        wish: &'static str,
        /// The Cargo feature that provides it.
        feature: &'static str,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The tasks of a server and of its engine, for a watchdog.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<AppState>);

impl Tasks {
    /// Whether one has ended, which only a restart of the process repairs. A full disk or a database that is away ends
    /// none.
    pub fn has_ended(&self) -> bool {
        self.0.ended().is_some() || self.0.engine.check_tasks().is_err()
    }
}

impl Server {
    /// Begins to listen. Clients can connect from now on; they are served once [`Self::run`] is awaited.
    ///
    /// # Errors
    ///
    /// [`BindError`], if an address or the certificate cannot be used, or the configuration asks for a part
    /// that is not built in.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn bind(engine: Tidings, config: Config) -> Result<Self, BindError> {
        let address = config.listen;
        reject_if_open_to_others(address, &config)?;
        if cfg!(not(feature = "metrics")) && config.metrics_listen.is_some() {
            return Err(BindError::WithoutFeature {
                wish: "listen for metrics",
                feature: "metrics",
            });
        }
        let state = router::state(engine, &config);
        let load = |tls| load_tls(tls, &state.vitals);
        let tls = config.tls.clone().map(load).transpose()?;
        let rejected = |source| BindError::Listen { address, source };
        let listener = listen(address).map_err(rejected)?;
        let local_addr = listener.local_addr().map_err(rejected)?;
        let for_metrics = config.metrics_listen.map(|address| {
            let rejected = |source| BindError::ListenForMetrics { address, source };
            listen(address).map_err(rejected)
        });
        Ok(Self {
            listener,
            local_addr,
            metrics_listener: for_metrics.transpose()?,
            state,
            tls: tls.map(Arc::new),
            admission: Admission::new(&config.connections, local_addr.ip()),
            config,
        })
    }

    /// Tells later whether a restart is needed.
    pub fn tasks(&self) -> Tasks {
        Tasks(Arc::clone(&self.state))
    }

    /// The address that it listens on, with the actual port.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address that it listens on for a monitoring system, if any.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// The address as a URL without a path.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.local_addr)
    }

    /// The most connections of one client address; `None` is any number.
    pub const fn connections_per_address(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.admission.most_per_address())
    }

    /// Serves until `shutdown` is ready. Then the server accepts no more connections, finishes current
    /// requests, ends each stream at a random moment within [`Config::drain_spread`], and returns after
    /// at most [`Config::drain_grace`].
    ///
    /// The engine stays open: close it afterwards. Dropping the future ends all connections at once.
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
        let reactor = Reactor::new();
        let connections = Connections::new(
            routes,
            Arc::clone(&state),
            tls,
            Some(reactor.clone()),
            &config,
        );
        let connections = Arc::new(connections);
        let mut shards = reactor.start(&state, &resume(&connections));
        let admission = Arc::new(admission);
        // Connections that are being closed still count for a moment.
        let room = Arc::new(Semaphore::new(admission.most_at_all() + RESERVE));
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => log_panic(ended),
                (socket, peer, room) = accept_within(&room, &listener) => {
                    let occupancy = connections.occupancy(admission.admit(peer.0), room);
                    let connections = Arc::clone(&connections);
                    tasks.spawn(async move { connections.serve(socket, peer, occupancy).await });
                }
            }
        }
        drop(listener);
        let open = tasks.len() + reactor.len();
        tracing::info!(connections = open, "shutting down");
        state.drain.begin();
        let deadline = Instant::now() + config.drain_grace;
        let all_ended = async {
            while let Some(ended) = tasks.join_next().await {
                log_panic(ended);
            }
            shards.ended().await;
        };
        if timeout_at(deadline, all_ended).await.is_err() {
            tracing::warn!(
                connections = tasks.len() + reactor.len(),
                "dropping connections that are still busy at the end of the grace time"
            );
            tasks.shutdown().await;
            shards.shutdown().await;
        }
        connections.requests_ended().await;
        state.drain.wait_for_changes(deadline).await;
    }
}

/// Serves the next requests of a connection after its stream.
fn resume(connections: &Arc<Connections>) -> Resume {
    let connections = Arc::clone(connections);
    Arc::new(move |freed: Freed| {
        let connections = Arc::clone(&connections);
        Box::pin(async move { connections.resume(freed).await })
    })
}

/// Without authentication every client has all permissions, so only this machine must be able to connect.
fn reject_if_open_to_others(address: SocketAddr, config: &Config) -> Result<(), BindError> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    if !config.identity.has_login() {
        return Err(BindError::NotLoopback(address));
    }
    if config.tls.is_none() {
        tracing::warn!(
            %address,
            "tokens and events cross the network unencrypted; set a certificate, or let only a proxy with \
             TLS reach this address"
        );
    }
    Ok(())
}

#[cfg(feature = "tls")]
fn load_tls(config: TlsConfig, vitals: &Vitals) -> Result<Tls, BindError> {
    Ok(Tls::load(config, vitals)?)
}

#[cfg(not(feature = "tls"))]
fn load_tls(_: TlsConfig, _: &Vitals) -> Result<Tls, BindError> {
    Err(BindError::WithoutFeature {
        wish: "serve over TLS",
        feature: "tls",
    })
}
