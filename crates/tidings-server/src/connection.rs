//! One connection: its setup, its requests and its end.

#[cfg(feature = "tls")]
mod delivery;
mod exchange;
mod half_close;
mod head_limit;
#[cfg(feature = "tls")]
mod http2;
mod linger;
#[cfg(feature = "tls")]
mod over_tls;
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
use tower::Service as _;

use crate::admission::{Full, Seat};
use crate::config::Config;
use crate::error_chain::chain;
use crate::peer::{OverTls, Peer};
use crate::router::Routes;
use crate::state::AppState;
use crate::tls::Tls;

use exchange::Exchange;
use half_close::HalfClosing;
use head_limit::HeadLimited;

/// The buffer of each direction of a connection. Streams wait while it is full, and no head can be
/// larger.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most bytes that the kernel buffers for a slow client. It doubles the value for its own
/// bookkeeping.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The socket of a connection. It is pinned, since a socket with a time-out must not move, but a
/// connection needs a socket that can.
type Socket = std::pin::Pin<Box<TimeoutStream<TcpStream>>>;

/// Serves connections.
#[derive(Debug)]
pub(crate) struct Connections {
    routes: Routes,
    state: Arc<AppState>,
    tls: Option<Arc<Tls>>,
    http1: Builder,
    /// Serves connections beyond the limit.
    http1_once: Builder,
    #[cfg(feature = "tls")]
    requests: http2::Requests,
    #[cfg(feature = "tls")]
    header_timeout: Duration,
    head_bytes: usize,
    write_timeout: Duration,
    /// Whether the connections accept requests until the server has ended, instead of until its
    /// shutdown begins.
    through_drain: bool,
}

/// The client address of a connection, and whether it uses TLS.
#[derive(Clone, Copy, Debug)]
struct ConnectionSource {
    peer: Peer,
    over_tls: bool,
}

impl ConnectionSource {
    const fn plain(peer: Peer) -> Self {
        let over_tls = false;
        Self { peer, over_tls }
    }
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
                // `HeadLimited` refuses a head of one byte more first.
                .max_header_size(config.connections.head_bytes + 1)
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
            #[cfg(feature = "tls")]
            requests: http2::Requests::default(),
            #[cfg(feature = "tls")]
            header_timeout,
            head_bytes: config.connections.head_bytes,
            write_timeout: config.write_timeout,
            through_drain: false,
        }
    }

    /// A service whose connections also accept requests while the server shuts down.
    #[cfg(feature = "metrics")]
    pub(crate) const fn through_drain(mut self) -> Self {
        self.through_drain = true;
        self
    }

    /// Serves a connection until it ends. During the shutdown it finishes current requests and accepts
    /// no others.
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
        // The futures of TLS connections and of connections beyond the limit are larger than the
        // others.
        let served = match (&self.tls, beyond) {
            (None, None) => {
                let source = ConnectionSource::plain(peer);
                self.serve_http1(socket, source, None).await
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
            // In most cases the client has gone.
            tracing::debug!(peer = %peer.0, cause = chain(&error), "a connection broke");
        }
    }

    /// Waits for the requests of HTTP/2 connections that were cut.
    pub(crate) async fn requests_ended(&self) {
        #[cfg(feature = "tls")]
        self.requests.ended().await;
    }

    /// Serves health checks, and refuses everything else, on a connection beyond the limit.
    async fn serve_beyond(&self, socket: Socket, peer: Peer, why: Full) -> hyper::Result<()> {
        match &self.tls {
            Some(tls) => self.serve_tls(tls, socket, peer, Some(why)).await,
            None => {
                let source = ConnectionSource::plain(peer);
                self.serve_http1(socket, source, Some(why)).await
            }
        }
    }

    /// Without the feature `tls` no connection uses TLS.
    #[cfg(not(feature = "tls"))]
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    async fn serve_tls(&self, tls: &Tls, _: Socket, _: Peer, _: Option<Full>) -> hyper::Result<()> {
        match *tls {}
    }

    fn set_up(&self, socket: TcpStream) -> std::io::Result<Socket> {
        // A frame is one write and must not wait for the acknowledgement of the previous one.
        socket.set_nodelay(true)?;
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(self.write_timeout));
        Ok(Box::pin(socket))
    }

    async fn serve_http1<S>(
        &self,
        socket: S,
        source: ConnectionSource,
        beyond: Option<Full>,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let builder = match beyond {
            None => &self.http1,
            Some(_) => &self.http1_once,
        };
        let exchange = Exchange::default();
        let service = service_fn(|request| {
            exchange.begin(&request);
            let exchange = exchange.clone();
            let response = match beyond {
                Some(why) if !reserve::serves(&request) => {
                    Either::Right(reserve::refuse(request, why).map(Ok))
                }
                _ => Either::Left(self.answer(request, source)),
            };
            response.map(move |response| response.map(|response| exchange.track(response)))
        });
        let socket = HalfClosing::new(socket, exchange.clone());
        let socket = HeadLimited::new(socket, exchange.clone(), self.head_bytes);
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

    /// Answers one request. Dropping the future stops a stream, but not a request that changes something: it
    /// takes effect even if its client hangs up at once, which the connection can notice before it first
    /// polls this future.
    fn answer(
        &self,
        mut request: Request<Incoming>,
        source: ConnectionSource,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let extensions = request.extensions_mut();
        extensions.insert(source.peer);
        if source.over_tls {
            extensions.insert(OverTls);
        }
        let changes = !request.method().is_safe();
        // Every service here is always ready.
        let response = self.routes.clone().call(request.map(Body::new));
        if changes {
            Either::Left(self.state.drain.finish(response))
        } else {
            Either::Right(response)
        }
    }
}
