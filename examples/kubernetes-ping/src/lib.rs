//! An axum program that pings the Kubernetes cluster behind a connection and tells the user how it went.
//!
//! `docs/sending-events.md` explains it.

mod app;
mod args;
mod cluster;
mod connections;
mod failure;
mod ping;
mod routes;
mod serve;

pub use app::App;
pub use args::Args;
pub use connections::Connections;
pub use serve::serve;

/// Compiles the programs in the guide as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sending-events.md")]
struct SendingEvents;
