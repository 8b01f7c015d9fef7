//! The configuration of a server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::connection_limits::ConnectionLimits;
use crate::dropped_lines::DroppedLines;
use crate::identity::{Identity, Origin, PublicUrl};
use crate::limits::CallerLimits;
use crate::log_level::LogLevel;
use crate::tls::TlsConfig;

/// The configuration of a server. Create it with [`Config::default`] and set its fields:
///
/// ```
/// let mut config = tidings_server::Config::default();
/// config.keepalive = std::time::Duration::from_secs(30);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on. Without authentication it must be a loopback address. Port 0 is any free port.
    pub listen: SocketAddr,
    /// The address of a second listener for a monitoring system. It serves metrics and health checks only,
    /// without a token and under any host name. Needs the feature `metrics`.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate for TLS. Without it the server speaks HTTP/1.1 without TLS. Needs the feature `tls`.
    pub tls: Option<TlsConfig>,
    /// The limits of connections.
    pub connections: ConnectionLimits,
    /// The silence after which a stream sends a comment, so that both ends see that it is alive; at least
    /// 1 second.
    pub keepalive: Duration,
    /// On shutdown streams end at random moments within this time, so that their clients do not reconnect
    /// all at once. At most half of `drain_grace`.
    pub drain_spread: Duration,
    /// On shutdown connections that are still busy after this time are dropped.
    pub drain_grace: Duration,
    /// A connection is closed if its client takes nothing for this long. The client of a stream reconnects
    /// with its cursor and misses nothing.
    pub write_timeout: Duration,
    /// Reads and sets the level of the program's log, at `/api/system/events/config`. `None` answers 404
    /// there.
    pub log_level: Option<LogLevel>,
    /// The number of lines that the program's log has lost, for `/metrics`.
    pub log_dropped: DroppedLines,
    /// The authentication of callers.
    pub identity: Identity,
    /// The origins of other web pages whose scripts can use the server with their own tokens. Ignored
    /// without authentication.
    pub allowed_origins: Vec<Origin>,
    /// The URLs at which browsers reach the server through a proxy. The server answers requests to their
    /// host, treats pages of their origin as its own, and serves everything below their path too.
    pub public_urls: Vec<PublicUrl>,
    /// The limits of one caller.
    pub limits: CallerLimits,
}

impl Config {
    /// The default address: 127.0.0.1:9081.
    pub const DEFAULT_LISTEN: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9081);
    /// The interval that existing clients expect.
    pub const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(15);
    /// Spreads a thousand browsers without a long wait.
    pub const DEFAULT_DRAIN_SPREAD: Duration = Duration::from_secs(3);
    /// Within the 30 seconds of common service managers.
    pub const DEFAULT_DRAIN_GRACE: Duration = Duration::from_secs(10);
    /// Outlasts a laptop's short sleep. The memory of a stalled client is bounded.
    pub const DEFAULT_WRITE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Self::DEFAULT_LISTEN,
            metrics_listen: None,
            tls: None,
            connections: ConnectionLimits::default(),
            keepalive: Self::DEFAULT_KEEPALIVE,
            drain_spread: Self::DEFAULT_DRAIN_SPREAD,
            drain_grace: Self::DEFAULT_DRAIN_GRACE,
            write_timeout: Self::DEFAULT_WRITE_TIMEOUT,
            log_level: None,
            log_dropped: DroppedLines::default(),
            identity: Identity::default(),
            allowed_origins: Vec::new(),
            public_urls: Vec::new(),
            limits: CallerLimits::default(),
        }
    }
}
