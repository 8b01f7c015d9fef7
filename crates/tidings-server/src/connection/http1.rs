//! HTTP/1 connections (RFC 9112).

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchange::Exchange;
use super::half_close::HalfClosing;
use super::head_limit::HeadLimited;
use super::socket::Socket;
use super::{ConnectionSource, Connections, reserve};
use crate::admission::Full;
use crate::event_stream::LiveStream;
use crate::handover::{Framing, Handover};

/// A connection whose response is a stream, taken out of the library's hands.
pub(super) struct Streaming<S> {
    pub(super) socket: S,
    /// The bytes that the client has sent of its next request.
    pub(super) read_before: Bytes,
    pub(super) stream: LiveStream,
    pub(super) framing: Framing,
}

impl Connections {
    /// Serves a connection until it ends.
    pub(super) async fn serve_http1<S>(
        &self,
        socket: S,
        source: ConnectionSource,
        beyond: Option<Full>,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let ended = self.converse(socket, source, beyond, None).await;
        ended.map(|_| ())
    }

    /// Serves a connection until it ends or hands over a stream.
    pub(super) async fn serve_until(
        &self,
        socket: Socket,
        source: ConnectionSource,
        handover: &Handover,
    ) -> hyper::Result<Option<Streaming<Socket>>> {
        self.converse(socket, source, None, Some(handover)).await
    }

    async fn converse<S>(
        &self,
        socket: S,
        source: ConnectionSource,
        beyond: Option<Full>,
        handover: Option<&Handover>,
    ) -> hyper::Result<Option<Streaming<S>>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let builder = match beyond {
            None => &self.http1,
            Some(_) => &self.http1_once,
        };
        let exchange = Exchange::default();
        let service = service_fn(|mut request| {
            exchange.begin(&request);
            if let Some(handover) = handover
                && exchange.is_for_stream()
            {
                handover.offer(&mut request);
            }
            let exchange = exchange.clone();
            let response = match beyond {
                Some(why) if !reserve::serves(&request) => {
                    Either::Right(reserve::reject(request, why).map(Ok))
                }
                _ => Either::Left(self.respond(request, source)),
            };
            response.map(move |response| response.map(|response| exchange.track(response)))
        });
        let socket = HalfClosing::new(socket, exchange.clone());
        let socket = HeadLimited::new(socket, exchange.clone(), self.head_bytes);
        let mut connection = builder.serve_connection(TokioIo::new(socket), service);
        let mut begun = std::pin::pin!(self.state.drain.begun());
        let mut is_told = self.through_drain;
        let streaming = poll_fn(|context| {
            if !is_told && begun.as_mut().poll(context).is_ready() {
                is_told = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            if let Poll::Ready(ended) = Pin::new(&mut connection).poll(context) {
                return Poll::Ready(ended.map(|()| None));
            }
            // The library has more to write, or has taken bytes that are not written.
            if !exchange.is_flushed() {
                return Poll::Pending;
            }
            match handover.and_then(Handover::take) {
                Some(streaming) => Poll::Ready(Ok(Some(streaming))),
                None => Poll::Pending,
            }
        });
        let Some((stream, framing)) = streaming.await? else {
            return Ok(None);
        };
        let parts = connection.into_parts();
        Ok(Some(Streaming {
            socket: parts.io.into_inner().into_inner().into_inner(),
            // A slice would keep the library's buffer.
            read_before: Bytes::copy_from_slice(&parts.read_buf),
            stream,
            framing,
        }))
    }
}
