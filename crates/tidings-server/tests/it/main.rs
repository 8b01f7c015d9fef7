//! The server from outside: REST in-process, streams and misbehaving clients over sockets.

mod aliases;
mod app;
mod bulk_changes;
mod changes;
mod config;
mod connections;
mod events;
mod expiry;
mod health;
mod http2;
mod identity;
mod limits;
mod login;
mod matrix;
mod metrics;
mod mount;
mod openapi;
mod page;
mod recorded;
mod schema;
mod session;
mod shutdown;
mod stream;
mod subscribe;
mod tls;
mod wire;
