//! The bus between nodes. It carries hints: which feeds have got further, and to which rev.
//!
//! The store is the truth. A message that is lost, repeated, late or wrong costs time or a useless read, never an
//! event: a node reads what a hint is about, and compares the heads of its live feeds now and then.

mod announcer;
mod listener;
mod message;
#[cfg(feature = "nats")]
pub(crate) mod nats;
mod outbox;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(test)]
pub(crate) mod shaky;

use std::error::Error;

use async_trait::async_trait;
use bytes::Bytes;

pub(crate) use announcer::announce;
pub(crate) use listener::listen;
pub(crate) use message::NodeId;
pub(crate) use outbox::Outbox;

/// Carries messages to all nodes of an installation, also to the one that sends them.
#[async_trait]
pub(crate) trait Bus: std::fmt::Debug + Send + Sync {
    /// The maximum size of a message in bytes.
    fn message_bytes(&self) -> usize;

    /// Sends a message. `Ok` does not mean that it arrives.
    async fn send(&self, message: Bytes) -> Result<(), BusError>;

    /// Waits for what comes next. The bus connects again by itself. Dropping the future loses nothing.
    async fn receive(&self) -> Received;

    /// Checks that the bus is connected.
    fn check(&self) -> Result<(), BusError>;
}

/// A message of a bus, or the loss of some.
#[derive(Debug)]
#[allow(dead_code, reason = "each bus is a feature")]
pub(crate) enum Received {
    /// A message of any node. It is not trusted.
    Message(Bytes),
    /// The bus is connected again, or was too fast: messages may be lost.
    Missed,
}

/// The bus does not carry messages for now.
#[derive(Debug, thiserror::Error)]
#[error("the bus between nodes is unavailable")]
pub struct BusError(#[source] Option<Box<dyn Error + Send + Sync>>);

impl BusError {
    #[cfg(feature = "nats")]
    fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Some(error.into()))
    }

    #[cfg(any(feature = "nats", feature = "postgres"))]
    const fn disconnected() -> Self {
        Self(None)
    }
}
