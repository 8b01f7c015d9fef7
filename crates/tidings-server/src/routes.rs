//! One file per resource, one function per operation.

pub(crate) mod config;
pub(crate) mod events;
pub(crate) mod health;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(feature = "openapi")]
pub(crate) mod openapi;
#[cfg(feature = "ui")]
pub(crate) mod page;
pub(crate) mod revocations;
pub(crate) mod session;
pub(crate) mod subscribe;
