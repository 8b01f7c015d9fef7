//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::admission::ConnectionLimits;
use crate::dropped_lines::DroppedLines;
use crate::identity::{Identity, Origin, PublicUrl};
use crate::limits::CallerLimits;
use crate::log_level::LogLevel;
use crate::tls::TlsConfig;

/// What a server needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; a loopback address. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where to listen for a monitoring system, which gets metrics and health checks there without a token
    /// and under any name; nothing else is served there. `None` is nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate to serve over TLS with. Without it there is none, and HTTP/1.1 only.
    pub tls: Option<TlsConfig>,
    /// How many connections there may be, and how long they may say nothing.
    pub connections: ConnectionLimits,
    /// How long a stream is silent before a comment shows both ends that it is alive; at
    /// least a second.
    pub keepalive: Duration,
    /// On shutdown the streams end at random moments within this time, so that their readers do not
    /// all return at once. Cut to half of `drain_grace`.
    pub drain_spread: Duration,
    /// On shutdown connections that are still busy after this time are dropped.
    pub drain_grace: Duration,
    /// A connection whose client takes nothing for this long is closed. A stream's reader comes back
    /// with its cursor and misses nothing.
    pub write_timeout: Duration,
    /// Reads and sets the level of the program's log. Without it there is nothing at
    /// `/api/system/events/config`.
    pub log_level: Option<LogLevel>,
    /// The lines that the program's log has lost, for `/metrics`.
    pub log_dropped: DroppedLines,
    /// How it knows who calls.
    pub identity: Identity,
    /// The origins of other web pages whose scripts may use it, with a token of their own. Empty: none
    /// but its own page. Without a login they do not count.
    pub allowed_origins: Vec<Origin>,
    /// The addresses at which browsers reach it through a proxy. Requests that name their host are
    /// answered without a login too, pages of their origin are the server's own, and everything is
    /// served below their path as well.
    pub public_urls: Vec<PublicUrl>,
    /// How much one caller may ask for.
    pub limits: CallerLimits,
}

impl Config {
    /// Where a server listens unless told otherwise.
    pub const DEFAULT_LISTEN: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9081);
    /// What existing clients are used to.
    pub const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(15);
    /// Long enough to spread a thousand browsers, short enough to wait for.
    pub const DEFAULT_DRAIN_SPREAD: Duration = Duration::from_secs(3);
    /// Within the 30 seconds that service managers commonly allow.
    pub const DEFAULT_DRAIN_GRACE: Duration = Duration::from_secs(10);
    /// Outlasts a laptop's short sleep; what a stalled reader holds until then is bounded.
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
