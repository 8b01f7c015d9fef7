//! The client against a real TCP server that answers from a script.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something unexpected comes"
)]

mod change;
mod follow;
mod health;
mod rest;
mod stub;
mod tls;
mod token;
