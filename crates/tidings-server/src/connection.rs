//! One connection: how it is set up, served and brought to its end.

mod delivery;
mod half_close;
mod http2;
mod linger;
mod refusal;
mod reserve;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;
use tower::Service as _;

use crate::admission::{Full, Seat};
use crate::config::Config;
use crate::error_chain::chain;
use crate::peer::{OverTls, Peer};
use crate::router::Routes;
use crate::state::AppState;
use crate::tls::Tls;

use half_close::{HalfClosing, Owed};
use refusal::Explained;

/// How long a client may take for its TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The most memory for what a connection has sent and not yet been served, or is served and has not
/// yet taken; streams wait. So no head can be larger.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most that the kernel holds for a client that is slow to take; it doubles this for its own
/// bookkeeping.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Pinned, since a socket with a time-out must not move, and a connection wants one that may.
type Socket = std::pin::Pin<Box<TimeoutStream<TcpStream>>>;

/// Serves connections, all in the same way.
#[derive(Debug)]
pub(crate) struct Connections {
    routes: Routes,
    state: Arc<AppState>,
    tls: Option<Arc<Tls>>,
    http1: Builder,
    /// For connections beyond the limit.
    http1_once: Builder,
    requests: http2::Requests,
    header_timeout: Duration,
    head_bytes: usize,
    write_timeout: Duration,
    /// They end when the server has ended, and not when it begins to.
    through_drain: bool,
}

/// Where a connection's requests come from, and how.
#[derive(Clone, Copy, Debug)]
struct Origin {
    peer: Peer,
    over_tls: bool,
}

impl Connections {
    pub(crate) fn new(
        routes: Routes,
        state: Arc<AppState>,
        tls: Option<Arc<Tls>>,
        config: &Config,
    ) -> Self {
        let header_timeout = config.connections.header_timeout;
        let builder = |header_timeout| {
            let mut builder = Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                .max_header_size(config.connections.head_bytes)
                .max_buf_size(BUFFER_BYTES);
            builder
        };
        let mut http1_once = builder(reserve::HEAD_TIME);
        http1_once.keep_alive(false);
        Self {
            routes,
            state,
            tls,
            http1: builder(header_timeout),
            http1_once,
            requests: http2::Requests::default(),
            header_timeout,
            head_bytes: config.connections.head_bytes,
            write_timeout: config.write_timeout,
            through_drain: false,
        }
    }

    /// Connections that take requests also while the server ends.
    #[cfg(feature = "metrics")]
    pub(crate) const fn through_drain(mut self) -> Self {
        self.through_drain = true;
        self
    }

    /// Serves a connection until it ends. Once the server ends, requests that are under way are
    /// still answered, and no others are taken.
    pub(crate) async fn serve(&self, socket: TcpStream, peer: Peer, seat: Seat) {
        let socket = match self.set_up(socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::debug!(%error, "could not set up a connection");
                return;
            }
        };
        let _open = self.state.metrics.connection();
        let beyond = seat.reserve();
        // A connection that is served over TLS, or not served, needs more room than the many others.
        let served = match (&self.tls, beyond) {
            (None, None) => {
                let origin = Origin {
                    peer,
                    over_tls: false,
                };
                self.serve_http1(socket, origin, None).await
            }
            (Some(tls), None) => Box::pin(self.serve_tls(tls, socket, peer, None)).await,
            (_, Some((why, taken))) => {
                self.state.metrics.count_beyond_limit();
                let serve = Box::pin(self.serve_beyond(socket, peer, why));
                let served = taken.run_until_cancelled(timeout(reserve::WHOLE_TIME, serve));
                served.await.and_then(Result::ok).unwrap_or(Ok(()))
            }
        };
        if let Err(error) = served {
            self.state.metrics.count_broken(&error);
            // Mostly a client that went away.
            tracing::debug!(peer = %peer.0, cause = chain(&error), "a connection broke");
        }
    }

    /// Waits for what connections that were cut leave behind.
    pub(crate) async fn requests_ended(&self) {
        self.requests.ended().await;
    }

    fn set_up(&self, socket: TcpStream) -> std::io::Result<Socket> {
        // A frame is one write and must not wait for the acknowledgement of the one before.
        socket.set_nodelay(true)?;
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(self.write_timeout));
        Ok(Box::pin(socket))
    }

    /// Serves what is served on a connection beyond the limit.
    async fn serve_beyond(&self, socket: Socket, peer: Peer, why: Full) -> hyper::Result<()> {
        match &self.tls {
            Some(tls) => self.serve_tls(tls, socket, peer, Some(why)).await,
            None => {
                let origin = Origin {
                    peer,
                    over_tls: false,
                };
                self.serve_http1(socket, origin, Some(why)).await
            }
        }
    }

    /// Serves a connection over TLS, in the protocol that the handshake chooses.
    async fn serve_tls(
        &self,
        tls: &Tls,
        socket: Socket,
        peer: Peer,
        beyond: Option<Full>,
    ) -> hyper::Result<()> {
        let Some(socket) = self.handshake(tls, socket, peer, beyond).await else {
            return Ok(());
        };
        let origin = Origin {
            peer,
            over_tls: true,
        };
        let (_, session) = socket.get_ref();
        if Tls::is_http2(session.alpn_protocol()) {
            http2::serve(self, socket, origin).await
        } else {
            self.serve_http1(socket, origin, beyond).await
        }
    }

    async fn handshake(
        &self,
        tls: &Tls,
        socket: Socket,
        peer: Peer,
        beyond: Option<Full>,
    ) -> Option<TlsStream<Socket>> {
        let time = beyond.map_or(HANDSHAKE_TIME.min(self.header_timeout), |_| {
            reserve::HEAD_TIME
        });
        let handshake = timeout(time, tls.acceptor(beyond.is_none()).accept(socket));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            // Nothing was asked yet.
            () = self.state.drain.begun() => return None,
        };
        match shaken {
            Ok(Ok(socket)) => return Some(socket),
            Ok(Err(error)) => {
                tracing::debug!(peer = %peer.0, cause = chain(&error), "a TLS handshake failed");
            }
            Err(_) => tracing::debug!(peer = %peer.0, "a TLS handshake took too long"),
        }
        self.state.metrics.count_failed_handshake();
        None
    }

    async fn serve_http1<S>(
        &self,
        socket: S,
        origin: Origin,
        beyond: Option<Full>,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let builder = match beyond {
            None => &self.http1,
            Some(_) => &self.http1_once,
        };
        let owed = Owed::default();
        let service = service_fn(|request| {
            owed.note(&request);
            let owed = owed.clone();
            let answer = match beyond {
                Some(why) if !reserve::serves(&request) => {
                    Either::Right(reserve::refuse(request, why).map(Ok))
                }
                _ => Either::Left(self.answer(request, origin)),
            };
            answer.map(move |answer| answer.map(|answer| owed.hold(answer)))
        });
        let socket = Explained::new(HalfClosing::new(socket, owed.clone()), self.head_bytes);
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            biased;
            () = self.state.drain.begun(), if !self.through_drain => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            ended = connection.as_mut() => ended,
        }
    }

    /// Answers one request. Dropping the future stops a stream, but not a request that changes
    /// something: one that has arrived takes effect even if its client hangs up at once, which the
    /// connection may notice before it first polls this future.
    fn answer(
        &self,
        mut request: Request<Incoming>,
        origin: Origin,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let extensions = request.extensions_mut();
        extensions.insert(origin.peer);
        if origin.over_tls {
            extensions.insert(OverTls);
        }
        let changes = !request.method().is_safe();
        // Whatever of this is a service is always ready.
        let answer = self.routes.clone().call(request.map(Body::new));
        if changes {
            Either::Left(self.state.drain.finish(answer))
        } else {
            Either::Right(answer)
        }
    }
}
