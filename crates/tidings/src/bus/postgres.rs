//! The bus over PostgreSQL's `NOTIFY`, on a connection of its own.
//!
//! A `NOTIFY` in the transaction of a commit would hold a lock of the whole server until the commit ends. This
//! connection sends after the commits, and many hints at once.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bytes::Bytes;
use tidings_event::SystemId;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};

use super::{Bus, BusError, Received};
use crate::store::postgres::connect::{Connector, Driver};

/// The maximum size of a payload is 7,999 bytes. Three bytes of a message take four in it.
const MESSAGE_BYTES: usize = 7_999 / 4 * 3;

/// How many messages can wait for this node. Beyond it they are dropped, and heads are compared.
const WAITING_MESSAGES: usize = 1_024;

/// How often an idle connection is tested.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// The pause between two attempts to connect.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct PostgresBus {
    /// Takes a message when the connection is there.
    outgoing: mpsc::Sender<Bytes>,
    incoming: Mutex<mpsc::Receiver<Received>>,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    is_connected: AtomicBool,
    /// A message was dropped, and the receiver has not been told.
    has_missed: AtomicBool,
}

/// The task that holds the connection.
struct Line {
    connector: Connector,
    channel: String,
    outgoing: mpsc::Receiver<Bytes>,
    incoming: mpsc::Sender<Received>,
    state: Arc<State>,
}

/// Why a connection ended.
type Ended = Option<Box<dyn std::error::Error + Send + Sync>>;

impl PostgresBus {
    /// Begins to connect.
    pub(crate) fn open(connector: Connector, system: SystemId) -> Self {
        let (outgoing, unsent) = mpsc::channel(1);
        let (received, incoming) = mpsc::channel(WAITING_MESSAGES);
        let state = Arc::<State>::default();
        let line = Line {
            connector,
            channel: format!("tidings_{}", system.as_uuid().simple()),
            outgoing: unsent,
            incoming: received,
            state: Arc::clone(&state),
        };
        Self {
            outgoing,
            incoming: Mutex::new(incoming),
            state,
            task: tokio::spawn(line.run()),
        }
    }
}

impl Drop for PostgresBus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Bus for PostgresBus {
    fn message_bytes(&self) -> usize {
        MESSAGE_BYTES
    }

    async fn send(&self, message: Bytes) -> Result<(), BusError> {
        let sent = self.outgoing.send(message).await;
        sent.map_err(|_| BusError::disconnected())
    }

    async fn receive(&self) -> Received {
        let mut incoming = self.incoming.lock().await;
        if self.state.has_missed.swap(false, Ordering::Relaxed) {
            return Received::Missed;
        }
        match incoming.recv().await {
            Some(received) => received,
            // The task has ended, which `check` shows.
            None => std::future::pending().await,
        }
    }

    fn check(&self) -> Result<(), BusError> {
        match self.state.is_connected.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(BusError::disconnected()),
        }
    }
}

impl Line {
    async fn run(mut self) {
        let mut is_failing = false;
        loop {
            let ended = self.hold_connection().await;
            if self.state.is_connected.swap(false, Ordering::Relaxed) {
                is_failing = false;
            }
            if !std::mem::replace(&mut is_failing, true) {
                let error = ended
                    .as_deref()
                    .map(|error| error as &dyn std::error::Error);
                tracing::warn!(error, "the bus between nodes is not connected");
            }
            sleep(RETRY_INTERVAL.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    /// Connects, and sends and receives until the connection is lost.
    async fn hold_connection(&mut self) -> Ended {
        let limit = self.connector.timeout();
        let (client, mut driver) = match timeout(limit, self.connector.open()).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Some(error.into()),
            Err(took_too_long) => return Some(took_too_long.into()),
        };
        let receiver = Receiver {
            incoming: self.incoming.clone(),
            state: Arc::clone(&self.state),
        };
        tokio::select! {
            ended = receiver.drive(&mut driver) => ended,
            ended = self.talk(&client, limit) => ended,
        }
    }

    async fn talk(&mut self, client: &Client, limit: Duration) -> Ended {
        // The name has letters and digits only.
        let listen = format!("LISTEN {}", self.channel);
        if let Err(ended) = within(limit, client.batch_execute(&listen)).await {
            return ended;
        }
        self.state.is_connected.store(true, Ordering::Relaxed);
        tracing::info!("connected to the bus between nodes");
        // Hints that were sent while this node did not listen are lost.
        let receiver = Receiver {
            incoming: self.incoming.clone(),
            state: Arc::clone(&self.state),
        };
        receiver.pass(Received::Missed);
        let sql = "SELECT pg_notify($1, $2)";
        let notify = match within(limit, client.prepare(sql)).await {
            Ok(statement) => statement,
            Err(ended) => return ended,
        };
        loop {
            let sent = match timeout(PING_INTERVAL, self.outgoing.recv()).await {
                Ok(Some(message)) => {
                    let payload = BASE64_STANDARD_NO_PAD.encode(&message);
                    within(limit, client.execute(&notify, &[&self.channel, &payload])).await
                }
                // The bus is being dropped, and its task with it.
                Ok(None) => return None,
                Err(_) => within(limit, client.execute("SELECT 1", &[])).await,
            };
            if let Err(ended) = sent {
                return ended;
            }
        }
    }
}

/// After a panic nothing connects again.
impl Drop for Line {
    fn drop(&mut self) {
        if thread::panicking() {
            self.state.is_connected.store(false, Ordering::Relaxed);
            tracing::error!("the task of the bus between nodes has ended; restart the program");
        }
    }
}

/// Waits for a response of the server.
async fn within<T>(
    limit: Duration,
    response: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Ended> {
    match timeout(limit, response).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(Some(error.into())),
        Err(took_too_long) => Err(Some(took_too_long.into())),
    }
}

/// Passes messages on to the node.
struct Receiver {
    incoming: mpsc::Sender<Received>,
    state: Arc<State>,
}

impl Receiver {
    /// Takes the messages of the server until the connection ends. Awaiting the driver itself would drop the
    /// notifications.
    async fn drive(&self, driver: &mut Driver) -> Ended {
        loop {
            match poll_fn(|cx| driver.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    // A payload of another program becomes an empty message, which the reader of messages rejects.
                    let text = notification.payload();
                    let message = BASE64_STANDARD_NO_PAD.decode(text).unwrap_or_default();
                    self.pass(Received::Message(message.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(error.into()),
                None => return None,
            }
        }
    }

    /// Never waits: the connection must keep working.
    fn pass(&self, received: Received) {
        if self.incoming.try_send(received).is_err() {
            self.state.has_missed.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
