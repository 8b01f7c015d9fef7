//! One connection: how it is set up, served and brought to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::error::chain;
use crate::state::AppState;

/// How long a client may take for the head of a request, and how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// The most memory for what a connection has sent and not yet been served, or is served and has not
/// yet taken. Heads beyond it are refused; streams wait.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most that the kernel holds for a client that is slow to take; it doubles this for its own
/// bookkeeping.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Serves connections, all in the same way.
#[derive(Debug)]
pub(crate) struct Connections {
    builder: Builder,
    routes: Router,
    state: Arc<AppState>,
    write_timeout: Duration,
}

impl Connections {
    pub(crate) fn new(routes: Router, state: Arc<AppState>, write_timeout: Duration) -> Self {
        let mut builder = Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(BUFFER_BYTES);
        Self {
            builder,
            routes,
            state,
            write_timeout,
        }
    }

    /// Serves a connection until it ends. Once the server ends, requests that are under way are
    /// still answered, and no others are taken.
    pub(crate) async fn serve(&self, socket: TcpStream) {
        if let Err(error) = set_up(&socket) {
            tracing::debug!(%error, "could not set up a connection");
            return;
        }
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(self.write_timeout));
        let socket = TokioIo::new(Box::pin(socket));
        let service = service_fn(|request| self.answer(request));
        let mut connection = std::pin::pin!(self.builder.serve_connection(socket, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.state.drain.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            self.state.metrics.count_broken(&error);
            // Mostly a client that went away.
            tracing::debug!(cause = chain(&error), "a connection broke");
        }
    }

    /// Answers one request. Dropping the future stops a stream, but not a request that changes
    /// something: one that has arrived takes effect even if its client hangs up at once, which the
    /// connection may notice before it first polls this future.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let changes = !request.method().is_safe();
        let answer = self.routes.clone().oneshot(request);
        if changes {
            Either::Left(self.state.drain.finish(answer))
        } else {
            Either::Right(answer)
        }
    }
}

fn set_up(socket: &TcpStream) -> std::io::Result<()> {
    // A frame is one write and must not wait for the acknowledgement of the one before.
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_send_buffer_size(SEND_BUFFER_BYTES)
}
