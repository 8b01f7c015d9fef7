//! The limits of connections, as they are configured.

use std::time::Duration;

/// How many connections are served, and how large and slow their requests can be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The connections that are served at a time. `None` is as many as the limit of open files allows, and
    /// 16,000 at most. A few more are accepted, and get health checks and metrics only.
    pub most: Option<usize>,
    /// The connections of one client address. An IPv6 network of 64 bits counts as one address; behind a
    /// proxy all clients have one. `Some(0)` is no limit. `None` is a quarter of all connections if other
    /// machines can connect, so that no address takes all of them, and no limit on a loopback address.
    pub most_per_address: Option<usize>,
    /// The bytes of a request's head: its first line and its header fields. In HTTP/2 the size after
    /// decompression, with 32 bytes for each field (RFC 9113 §6.5.2). At least 8,192; 65,536 is the most
    /// that a connection can buffer.
    pub head_bytes: usize,
    /// The bytes of a path with its query; less than `head_bytes`, which includes it.
    pub uri_bytes: usize,
    /// The time for the head of a request, and the time that an idle connection is kept.
    pub header_timeout: Duration,
    /// The time for the body of a request. A sixth of it without a byte, or at less than 1 KiB a second,
    /// ends the upload too.
    pub upload_timeout: Duration,
}

impl ConnectionLimits {
    /// Enough for a bad line, and little for a client that wastes connections.
    pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
    /// A hundred categories, actions and resources of usual length with the longest search take two thirds
    /// of it.
    pub const DEFAULT_URI_BYTES: usize = 16 * 1024;
    /// Enough for the largest batch on a slow line.
    pub const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);
    /// The longest URL, the longest token, and as much as the token for everything else.
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
