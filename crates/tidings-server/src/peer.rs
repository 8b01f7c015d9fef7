//! The network address of a request's client.

use std::net::IpAddr;

/// The address at the other end of the connection. Behind a proxy it is the proxy's address, since the
/// server does not trust headers about other addresses. A request without a connection has no such
/// extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Marks a request over TLS. The origin of its page has the scheme `https`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverTls;
