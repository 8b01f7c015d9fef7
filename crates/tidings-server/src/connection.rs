//! One connection: its setup, its requests and its end.

mod buffers;
#[cfg(feature = "tls")]
mod delivery;
mod exchange;
mod half_close;
mod head_limit;
mod http1;
#[cfg(feature = "tls")]
mod http2;
mod linger;
#[cfg(feature = "tls")]
mod over_tls;
mod reserve;
mod socket;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioTimer;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tower::Service as _;

use crate::admission::{ConnectionSeat, Full, Occupancy};
use crate::config::Config;
use crate::error_chain::chain;
use crate::handover::Handover;
use crate::peer::{OverTls, Peer};
use crate::reactor::{Adopted, Freed, Reactor};
use crate::router::Routes;
use crate::state::AppState;
use crate::tls::Tls;

use buffers::{BUFFER_BYTES, SEND_BUFFER_BYTES};
use socket::Socket;

/// Serves connections.
#[derive(Debug)]
pub(crate) struct Connections {
    routes: Routes,
    state: Arc<AppState>,
    tls: Option<Arc<Tls>>,
    /// Serves the streams of connections without TLS.
    reactor: Option<Reactor>,
    http1: Builder,
    /// Serves connections beyond the limit.
    http1_once: Builder,
    #[cfg(feature = "tls")]
    requests: http2::RequestTasks,
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
        reactor: Option<Reactor>,
        config: &Config,
    ) -> Self {
        let header_timeout = config.connections.header_timeout;
        let builder = |header_timeout| {
            let mut builder = Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                // `HeadLimited` rejects a head of one byte more first.
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
            reactor,
            http1: builder(header_timeout),
            http1_once,
            #[cfg(feature = "tls")]
            requests: http2::RequestTasks::default(),
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

    /// All that a connection takes.
    pub(crate) fn occupancy(&self, seat: ConnectionSeat, room: OwnedSemaphorePermit) -> Occupancy {
        Occupancy::new(seat, room, self.state.metrics.connection())
    }

    /// Serves a connection until it ends or its stream passes to the reactor. During the shutdown it
    /// finishes current requests and accepts no others.
    pub(crate) async fn serve(&self, stream: TcpStream, peer: Peer, occupancy: Occupancy) {
        if let Err(error) = set_up(&stream) {
            tracing::debug!(%error, "could not set up a connection");
            return;
        }
        let socket = Socket::new(stream, Bytes::new(), self.write_timeout);
        let beyond = occupancy.seat.reserve();
        // The futures of TLS connections and of connections beyond the limit are larger than the
        // others.
        let served = match (&self.tls, beyond) {
            (None, None) => return self.serve_plain(socket, peer, occupancy).await,
            (Some(tls), None) => Box::pin(self.serve_tls(tls, socket, peer, None)).await,
            (_, Some((why, taken))) => {
                self.state.metrics.count_beyond_limit();
                let serve = Box::pin(self.serve_beyond(socket, peer, why));
                let served = taken.run_until_cancelled(timeout(reserve::WHOLE_TIME, serve));
                served.await.and_then(Result::ok).unwrap_or(Ok(()))
            }
        };
        self.end(peer, served);
    }

    /// Serves the next requests of a connection whose stream has ended, or closes it.
    pub(crate) async fn resume(&self, freed: Freed) {
        if freed.keep_alive {
            let socket = Socket::new(freed.socket, freed.read_before, self.write_timeout);
            self.serve_plain(socket, Peer(freed.peer), freed.occupancy)
                .await;
        } else {
            linger::close(freed.socket).await;
        }
    }

    /// Serves a connection without TLS, and gives its stream to the reactor.
    async fn serve_plain(&self, socket: Socket, peer: Peer, occupancy: Occupancy) {
        let source = ConnectionSource::plain(peer);
        let served = match &self.reactor {
            None => self.serve_http1(socket, source, None).await,
            Some(reactor) => {
                let handover = Handover::default();
                match self.serve_until(socket, source, &handover).await {
                    Ok(Some(streaming)) => {
                        let (socket, unread) = streaming.socket.into_parts();
                        reactor.adopt(Adopted {
                            connection: Freed {
                                socket,
                                peer: peer.0,
                                occupancy,
                                // In the order in which the client has sent them.
                                read_before: [streaming.read_before, unread].concat().into(),
                                keep_alive: streaming.framing.keep_alive,
                            },
                            chunked: streaming.framing.chunked,
                            stream: streaming.stream,
                        });
                        return;
                    }
                    ended => ended.map(|_| ()),
                }
            }
        };
        self.end(peer, served);
    }

    fn end(&self, peer: Peer, served: hyper::Result<()>) {
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

    /// Serves health checks, and rejects everything else, on a connection beyond the limit.
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

    /// Responds to one request. Dropping the future stops a stream, but not a request that changes something: it
    /// takes effect even if its client disconnects at once, which the connection can notice before it first
    /// polls this future.
    fn respond(
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

fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    // A frame is one write and must not wait for the acknowledgement of the previous one.
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_send_buffer_size(SEND_BUFFER_BYTES)
}
