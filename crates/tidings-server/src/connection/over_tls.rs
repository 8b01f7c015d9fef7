//! Connections over TLS.

use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::{ConnectionSource, Connections, Socket, http2, reserve};
use crate::admission::Full;
use crate::error_chain::chain;
use crate::peer::Peer;
use crate::tls::Tls;

/// The time for a TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

impl Connections {
    /// Serves a connection in the protocol that the handshake chooses.
    pub(super) async fn serve_tls(
        &self,
        tls: &Tls,
        socket: Socket,
        peer: Peer,
        beyond: Option<Full>,
    ) -> hyper::Result<()> {
        let Some(socket) = self.handshake(tls, socket, peer, beyond).await else {
            return Ok(());
        };
        let source = ConnectionSource {
            peer,
            over_tls: true,
        };
        let (_, session) = socket.get_ref();
        if Tls::is_http2(session.alpn_protocol()) {
            http2::serve(self, socket, source).await
        } else {
            self.serve_http1(socket, source, beyond).await
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
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            // No request has arrived yet.
            () = self.state.drain.begun() => return None,
        };
        match outcome {
            Ok(Ok(socket)) => return Some(socket),
            Ok(Err(error)) => {
                tracing::debug!(peer = %peer.0, cause = chain(&error), "a TLS handshake failed");
            }
            Err(_) => tracing::debug!(peer = %peer.0, "a TLS handshake took too long"),
        }
        self.state.metrics.count_failed_handshake();
        None
    }
}
