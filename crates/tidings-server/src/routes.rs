//! One file per resource, one function per operation.

pub(crate) mod config;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod page;
pub(crate) mod revocations;
pub(crate) mod session;
pub(crate) mod subscribe;
