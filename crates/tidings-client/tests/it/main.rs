//! Tests of the client with a real TCP server that sends scripted responses.

#![expect(clippy::unwrap_used, reason = "a test fails at an unexpected value")]

mod change;
mod health;
mod rest;
mod stub;
mod subscription;
mod tls;
mod token;
