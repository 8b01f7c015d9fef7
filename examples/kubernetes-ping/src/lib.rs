//! The guide's example: an axum program that pings the Kubernetes cluster behind a connection and
//! tells the user how it went.
//!
//! `docs/sending-events.md` walks through it.

mod app;
mod args;
mod cluster;
mod failure;
mod guard;
mod ping;
mod serve;

pub use app::App;
pub use args::Args;
pub use cluster::Connections;
pub use serve::serve;

/// Compiles the programs in the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sending-events.md")]
struct SendingEvents;
