//! Where a request comes from.

use std::net::IpAddr;

/// The address at the other end of the connection, that of a proxy if one is in front: what headers
/// say of other addresses is not believed. A request that came over no connection has no such
/// extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Marks a request that came over TLS, so that its page's origin is `https`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverTls;
