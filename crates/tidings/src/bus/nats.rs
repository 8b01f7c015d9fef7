//! The bus over NATS: one subject for each installation, without `JetStream`.

mod credentials;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Event, ServerAddr, Subject, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tidings_event::SystemId;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::{Bus, BusError, Received, message};
use crate::config::NatsConfig;

/// How many messages can wait for this node. If they are more, the client drops some and tells.
const WAITING_MESSAGES: usize = 1_024;

/// How many messages can wait for the server. While it is away, newer hints replace older ones in the outbox
/// instead.
const UNSENT_MESSAGES: usize = 16;

/// How often the connection is tested. A server that answers none of two tests is left.
const PING_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct NatsBus {
    client: Client,
    subject: Subject,
    messages: Mutex<Subscriber>,
    notices: Arc<Notices>,
    /// The message by which this node finds out that it is subscribed.
    hello: Bytes,
}

/// The reports of the client beside messages.
#[derive(Debug, Default)]
struct Notices {
    /// Wakes the receiver.
    came: Notify,
    /// How often the client has connected. Its subscription can be later than that.
    connections: AtomicU64,
    /// For how many of these this node has sent a message to itself.
    greeted: AtomicU64,
    /// The client has dropped messages.
    has_dropped: AtomicBool,
}

impl NatsBus {
    /// Begins to connect. The servers need not be there yet.
    pub(crate) async fn open(config: &NatsConfig, system: SystemId) -> Result<Self, BusError> {
        let servers = config.servers.iter().map(|server| server.parse());
        let servers: Vec<ServerAddr> = servers.collect::<Result<_, _>>().map_err(BusError::of)?;
        let notices = Arc::<Notices>::default();
        let heard = Arc::clone(&notices);
        let mut options = credentials::options(config)
            .await
            .map_err(BusError::of)?
            .name("tidings")
            .retry_on_initial_connect()
            .ping_interval(PING_INTERVAL)
            .subscription_capacity(WAITING_MESSAGES)
            .client_capacity(UNSENT_MESSAGES)
            .event_callback(move |event| {
                heard.take(&event);
                std::future::ready(())
            });
        if let Some(path) = &config.root_certificates {
            options = options.add_root_certificates(path.clone());
        }
        let client = options.connect(servers).await.map_err(BusError::of)?;
        let subject = Subject::from(format!("tidings.{system}.hints"));
        let messages = client.subscribe(subject.clone()).await;
        Ok(Self {
            messages: Mutex::new(messages.map_err(BusError::of)?),
            client,
            subject,
            notices,
            hello: Bytes::copy_from_slice(Uuid::new_v4().as_bytes()),
        })
    }
}

impl Notices {
    fn take(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!("connected to the bus between nodes");
                self.connections.fetch_add(1, Ordering::Release);
                self.came.notify_one();
            }
            Event::Disconnected => tracing::warn!("lost the connection to the bus between nodes"),
            Event::SlowConsumer(_) => {
                self.has_dropped.store(true, Ordering::Release);
                self.came.notify_one();
            }
            Event::ServerError(error) => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "the bus between nodes reported an error");
            }
            Event::ClientError(error) => {
                tracing::warn!(%error, "the bus between nodes failed");
            }
            Event::LameDuckMode | Event::Draining | Event::Closed => {}
        }
    }
}

#[async_trait]
impl Bus for NatsBus {
    fn message_bytes(&self) -> usize {
        message::MAX_BYTES
    }

    async fn send(&self, message: Bytes) -> Result<(), BusError> {
        let sent = self.client.publish(self.subject.clone(), message).await;
        sent.map_err(BusError::of)
    }

    async fn receive(&self) -> Received {
        let mut messages = self.messages.lock().await;
        loop {
            if self.notices.has_dropped.swap(false, Ordering::Acquire) {
                return Received::Missed;
            }
            // Hints that other nodes send before the server has the subscription are lost, and their commits can be
            // later than any comparison of heads so far. So the comparison waits for a message of this node
            // itself.
            let connections = self.notices.connections.load(Ordering::Acquire);
            if self.notices.greeted.load(Ordering::Relaxed) < connections {
                let (subject, hello) = (self.subject.clone(), self.hello.clone());
                // If the connection is lost before it is sent, the next one sends another.
                let _ = self.client.publish(subject, hello).await;
                self.notices.greeted.store(connections, Ordering::Relaxed);
            }
            tokio::select! {
                biased;
                () = self.notices.came.notified() => {}
                message = messages.next() => match message {
                    Some(message) if message.payload == self.hello => return Received::Missed,
                    // Another node has connected.
                    Some(message) if message.payload.len() == self.hello.len() => {}
                    Some(message) => return Received::Message(message.payload),
                    // The client has ended, which `check` shows.
                    None => std::future::pending().await,
                }
            }
        }
    }

    fn check(&self) -> Result<(), BusError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(BusError::disconnected()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
