//! The limits of connections, as they are configured.

use std::time::Duration;

/// The number of served connections, and limits for the size and duration of their requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The most connections that are served at a time. `None` is the number that the limit of open
    /// files allows, and at most 16,000. A few more are accepted for health checks and metrics only.
    pub most: Option<usize>,
    /// The most connections of one client address. An IPv6 network of 64 bits counts as one address,
    /// and all clients of a proxy share its address. `Some(0)` is unlimited. `None` is a quarter of all
    /// connections, so that no address takes all of them; on a loopback address it is unlimited.
    pub most_per_address: Option<usize>,
    /// The most bytes of a request's head: its first line and its header fields. HTTP/2 counts the
    /// decompressed size with 32 bytes for each field (RFC 9113 §6.5.2). From 8,192 to 65,536, which is
    /// the most that a connection can buffer.
    pub head_bytes: usize,
    /// The most bytes of a path with its query. It must be less than `head_bytes`, which includes them.
    pub uri_bytes: usize,
    /// The time for the head of a request, and the time that an idle connection is kept.
    pub header_timeout: Duration,
    /// The time for the body of a request. An upload also ends after a sixth of this time without a
    /// byte or at less than 1 KiB a second.
    pub upload_timeout: Duration,
}

impl ConnectionLimits {
    /// Enough for a slow network, and short enough for clients that waste connections.
    pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
    /// A hundred categories, actions and resources of usual length with the longest search take two thirds
    /// of it.
    pub const DEFAULT_URI_BYTES: usize = 16 * 1024;
    /// Enough for the largest batch on a slow network.
    pub const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);
    /// The longest URL, the longest token, and for everything else as much as for the token.
    pub const DEFAULT_HEAD_BYTES: usize = 32 * 1024;
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            most: None,
            most_per_address: None,
            head_bytes: Self::DEFAULT_HEAD_BYTES,
            uri_bytes: Self::DEFAULT_URI_BYTES,
            header_timeout: Self::DEFAULT_HEADER_TIMEOUT,
            upload_timeout: Self::DEFAULT_UPLOAD_TIMEOUT,
        }
    }
}
