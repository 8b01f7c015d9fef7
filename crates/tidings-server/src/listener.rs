//! Listening sockets, and the connections that they accept.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::sleep;

use crate::peer::Peer;

/// The connections that can wait to be accepted: as many as come back at once after a restart.
const BACKLOG: u32 = 1024;

/// The pause after a failure to accept a connection, such as too many open files, which only time can fix.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Begins to listen.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Connections of the previous server that are still closing must not prevent the start. On Windows the
    // option means something else: that two servers can share a port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection and its address. No failure ends the server.
///
/// Cancel-safe.
async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((socket, address)) => return (socket, Peer(address.ip().to_canonical())),
            // The client went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The next connection, when there is room for it. Connections that are being closed take room until they
/// have ended.
///
/// Cancel-safe.
pub(crate) async fn accept_within(
    room: &Arc<Semaphore>,
    listener: &TcpListener,
) -> (TcpStream, Peer, OwnedSemaphorePermit) {
    let room = Arc::clone(room).acquire_owned().await;
    let room = room.expect("the room is never closed");
    let (socket, peer) = accept(listener).await;
    (socket, peer, room)
}

/// Logs the panic of a connection's task.
pub(crate) fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the task of a connection panicked");
    }
}
