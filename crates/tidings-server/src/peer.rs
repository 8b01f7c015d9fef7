//! Where a request comes from.

use std::net::IpAddr;

/// The address at the other end of the connection. A request that came over none has no such
/// extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);
