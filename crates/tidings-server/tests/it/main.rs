//! The server from outside: REST in-process, streams and misbehaving clients over sockets.

mod aliases;
mod app;
mod changes;
mod config;
mod connections;
mod events;
mod health;
mod http2;
mod identity;
mod limits;
mod metrics;
mod mount;
mod openapi;
mod page;
mod recorded;
mod schema;
mod shutdown;
mod stream;
mod subscribe;
mod tls;
mod wire;
