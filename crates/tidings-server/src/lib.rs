//! Tidings over HTTP: a [`Server`] to run, or a [`router`] to mount in an app of your own.
//!
//! ```no_run
//! use tidings_server::{Config, Server};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = tidings::Tidings::open(tidings::Config::new("data")).await?;
//! let server = Server::bind(engine.clone(), Config::default())?;
//! println!("listening on {}", server.url());
//! let interrupted = async { tokio::signal::ctrl_c().await.expect("signals can be awaited") };
//! server.run(interrupted).await;
//! engine.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Whoever can reach it is the one local user, [`LOCAL_USER`]. So that no web page elsewhere can,
//! every request must name this machine as its `Host`, and come from its own origin if it names one.

mod admission;
mod bulk_change;
mod config;
mod connection;
mod dropped_lines;
mod error;
mod error_chain;
mod event_stream;
mod extract;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod identity;
mod limits;
mod log_level;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "uncounted_metrics.rs"]
mod metrics;
#[cfg(feature = "metrics")]
mod metrics_listener;
#[cfg(feature = "openapi")]
mod openapi;
mod operations;
mod paths;
mod peer;
mod pool;
mod problem;
mod publication;
mod regular_file;
mod repeats;
mod request;
mod request_id;
mod response;
mod router;
mod routes;
#[cfg(feature = "openapi")]
mod schema;
mod serve;
mod shutdown;
mod state;
mod store_failure;
mod tls;
mod token;

pub use admission::ConnectionLimits;
pub use config::Config;
pub use dropped_lines::DroppedLines;
pub use identity::local_only;
pub use identity::{Identity, LOCAL_USER, Origin, OriginError, PublicUrl, PublicUrlError};
pub use limits::CallerLimits;
pub use log_level::{Level, LevelError, LogLevel};
#[cfg(feature = "openapi")]
pub use openapi::openapi;
pub use router::router;
pub use serve::{BindError, Server};
pub use tls::{TlsConfig, TlsError};
pub use token::{
    FileFault, JwksFault, KeySource, KeyUrlFault, ListFault, MintError, MintRequest, Revocations,
    RevokeError, ScopeError, Scopes, Secret, ShortSecret, TokenConfig, TokenSetupError, Tokens,
    mint,
};
