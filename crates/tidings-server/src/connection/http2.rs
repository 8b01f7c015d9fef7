//! HTTP/2 connections (RFC 9113). They need TLS, since browsers speak HTTP/2 only over TLS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::buffers::BUFFER_BYTES;
use super::delivery::Deliveries;
use super::linger::Lingering;
use super::{ConnectionSource, Connections};

/// The most requests of a connection at a time: a page and its streams in many tabs. Browsers queue further
/// ones.
const MAX_STREAMS: u32 = 128;

/// The bytes that a client can send of one request, and of all requests, before any is read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// The requests that a client can reset before they are served, and the faults it can make, before its
/// connection ends (CVE-2023-44487).
const MAX_EARLY_RESETS: usize = 20;
const MAX_FAULTS: usize = 1024;

/// The interval of pings, and the time for a reply.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIME: Duration = Duration::from_secs(20);

/// The number of checks within a time limit, and the shortest time between two.
const CHECKS: u32 = 4;
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// A connection ends if more responses than this wait for a client that takes nothing of any for this time.
/// Each response takes some KiB beside its bytes. Streams among them resume.
const MAX_UNTAKEN: usize = 32;
const UNTAKEN_TIME: Duration = Duration::from_secs(10);

/// The time for the tasks of cut connections to end.
const CUT_TIME: Duration = Duration::from_secs(1);

/// The tasks of the requests of all connections. Each ends with its connection at the latest.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestTasks(TaskTracker);

impl RequestTasks {
    /// Waits until no request is left, after their connections have ended.
    pub(super) async fn ended(&self) {
        self.0.close();
        if timeout(CUT_TIME, self.0.wait()).await.is_err() {
            tracing::warn!(
                requests = self.0.len(),
                "requests are still running after the end of their connections"
            );
        }
    }
}

/// The requests of one connection.
#[derive(Clone, Debug)]
struct Tasks {
    all: TaskTracker,
    open: TaskTracker,
    begun: Arc<AtomicU64>,
    /// Cancelled when the connection has ended.
    ended: CancellationToken,
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let request = self.ended.clone().run_until_cancelled_owned(request);
        self.all.spawn(self.open.track_future(request));
    }
}

/// Serves a connection until it ends, its client stalls, or it is idle for too long.
pub(super) async fn serve<S>(
    connections: &Connections,
    socket: S,
    source: ConnectionSource,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let tasks = Tasks {
        all: connections.requests.0.clone(),
        open: TaskTracker::new(),
        begun: Arc::default(),
        ended: CancellationToken::new(),
    };
    let _end = tasks.ended.clone().drop_guard();
    let deliveries = Arc::new(Deliveries::default());
    let service = service_fn(|request| {
        let response = connections.respond(request, source);
        let deliveries = Arc::clone(&deliveries);
        async move {
            let response = response.await;
            response.map(|response| response.map(|body| deliveries.watch(body)))
        }
    });
    let socket = TokioIo::new(Lingering::new(socket));
    let connection =
        builder(tasks.clone(), connections.head_bytes).serve_connection(socket, service);
    let mut connection = std::pin::pin!(connection);
    let mut watch = StallWatch {
        tasks,
        deliveries: Arc::clone(&deliveries),
        header_timeout: connections.header_timeout,
        write_timeout: connections.write_timeout,
        begun: 0,
        busy: Instant::now(),
    };
    let mut checks = interval(watch.interval());
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // After the notice that the server accepts no more requests, the client ends the connection.
    let mut told = false;
    let drain = &connections.state.drain;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = drain.begun(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = checks.tick() => match watch.check() {
                None => {}
                Some(Fault::Stalled) => {
                    connections.state.metrics.count_stalled();
                    tracing::debug!(peer = %source.peer.0, "a client took nothing for too long");
                    return Ok(());
                }
                Some(Fault::Idle) if told => return Ok(()),
                Some(Fault::Idle) => {
                    told = true;
                    watch.busy = Instant::now();
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn builder(tasks: Tasks, head_bytes: usize) -> Builder<Tasks> {
    let head_bytes = u32::try_from(head_bytes).unwrap_or(u32::MAX);
    let mut builder = Builder::new(tasks);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(head_bytes)
        .max_send_buf_size(BUFFER_BYTES)
        .max_pending_accept_reset_streams(MAX_EARLY_RESETS)
        .max_local_error_reset_streams(MAX_FAULTS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIME);
    builder
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The client has taken nothing of a response for the write time-out, or nothing of many responses
    /// for a short time.
    Stalled,
    /// There was no request and nothing to send for the header time-out. A client that begins a head and
    /// does not end it is idle too.
    Idle,
}

/// Detects stalled and idle connections.
#[derive(Debug)]
struct StallWatch {
    tasks: Tasks,
    deliveries: Arc<Deliveries>,
    header_timeout: Duration,
    write_timeout: Duration,
    /// The requests that had begun at the last check.
    begun: u64,
    /// The last check at which the connection was busy.
    busy: Instant,
}

impl StallWatch {
    fn interval(&self) -> Duration {
        let shortest = self.header_timeout.min(self.write_timeout);
        let shortest = shortest.min(UNTAKEN_TIME);
        (shortest / CHECKS).max(MIN_CHECK_INTERVAL)
    }

    fn check(&mut self) -> Option<Fault> {
        let now = Instant::now();
        let waiting_since = self.deliveries.waiting_since();
        if waiting_since.is_some_and(|since| now.duration_since(since) >= self.write_timeout) {
            return Some(Fault::Stalled);
        }
        let (untaken, since) = self.deliveries.untaken();
        if untaken > MAX_UNTAKEN && now.duration_since(since) >= UNTAKEN_TIME {
            return Some(Fault::Stalled);
        }
        let begun = self.tasks.begun.load(Ordering::Relaxed);
        if begun != self.begun || !self.tasks.open.is_empty() || waiting_since.is_some() {
            self.begun = begun;
            self.busy = now;
            return None;
        }
        let idle = now.duration_since(self.busy) >= self.header_timeout;
        idle.then_some(Fault::Idle)
    }
}
