//! Tidings over HTTP: a [`Server`] to run, or a [`router`] to mount in your own app.
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
//! Without authentication every client is the one local user, [`LOCAL_USER`]. So that no web page elsewhere can
//! send requests, each must name this machine as its `Host`, and its `Origin`, if any, must be the server's.
//!
//! # Features
//!
//! None is on by default, so that a program that mounts the [`router`] builds little. The command turns all
//! of them on. A configuration that needs a missing feature is an error.
//!
//! | feature | adds |
//! |---|---|
//! | `tls` | [`Config::tls`]: TLS and HTTP/2 |
//! | `jwt` | [`Identity::Tokens`]: authentication with signed tokens, and rates for each caller |
//! | `jwks-url` | [`KeySource::JwksUrl`]: keys that are fetched from a URL |
//! | `ui` | the page at `/`, and web components at `/tidings.js` |
//! | `openapi` | the OpenAPI document at `/openapi.json` |
//! | `metrics` | counters at `/metrics`, and [`Config::metrics_listen`] |
//!
//! # Mount the routes in an app
//!
#![doc = concat!("```no_run\n", include_str!("../examples/embedded_router.rs"), "```")]

//!
//! # Compatibility
//!
//! Structs and enums that can grow are `#[non_exhaustive]` and have constructors or `with_…` methods.
//!
//! [`router`] returns axum's `Router` and [`local_only`] is a middleware of axum, because they are for apps
//! that use axum: a new major version of axum is a breaking change here. Times are `jiff`'s. The API has no
//! types of rustls, jsonwebtoken, hyper or prometheus-client.

mod admission;
mod bulk_change;
mod config;
mod connection;
mod connection_limits;
mod dropped_lines;
mod error;
mod error_chain;
mod event_stream;
mod extract;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod handover;
mod identity;
mod limits;
mod listener;
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
mod panics;
mod paths;
mod peer;
mod pool;
mod problem;
mod publication;
mod reactor;
#[cfg(any(feature = "jwt", feature = "tls"))]
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
mod stream_reads;
mod tls;
mod token;
mod vitals;
#[cfg(any(feature = "jwt", feature = "tls"))]
mod watched_files;

pub use config::Config;
pub use connection_limits::ConnectionLimits;
pub use dropped_lines::DroppedLines;
pub use identity::local_only;
pub use identity::{Identity, LOCAL_USER, Origin, OriginError, PublicUrl, PublicUrlError};
pub use limits::CallerLimits;
pub use log_level::{Level, LevelError, LogLevel};
#[cfg(feature = "openapi")]
pub use openapi::openapi;
pub use router::router;
pub use serve::{BindError, Server, Tasks};
pub use tls::{TlsConfig, TlsError};
pub use token::{
    KeySource, KeyUrlFault, Revocations, RevokeError, ScopeError, Scopes, TokenConfig,
    TokenSetupError, Tokens,
};
#[cfg(feature = "jwt")]
pub use token::{MintError, MintRequest, RevokedFile, Secret, ShortSecret, mint};

/// Compiles the examples in the README of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
