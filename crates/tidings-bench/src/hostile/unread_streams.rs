//! Requests on one HTTP/2 connection whose client grants no flow-control window (RFC 9113 §5.2).

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http2::{ACKNOWLEDGED, HEADERS, PING, PREFACE, SETTINGS, WHOLE, frame, head};

/// The number of streams: as many as browsers open, and fewer than the server's limit.
const STREAMS: u32 = 100;

/// `SETTINGS_INITIAL_WINDOW_SIZE` of 0.
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// Requests the path on [`STREAMS`] streams and answers only `SETTINGS` and `PING`, until the server closes
/// the connection.
pub(super) async fn open(
    socket: TcpStream,
    tls: &Arc<ClientConfig>,
    path: &str,
    token: &str,
) -> io::Result<()> {
    let mut tls = ClientConfig::clone(tls);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let address = socket.peer_addr()?;
    let name = ServerName::from(address.ip());
    let connector = TlsConnector::from(Arc::new(tls));
    let mut socket = connector.connect(name, socket).await?;
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &NO_WINDOW));
    let head = head(path, &address.to_string(), token);
    for number in 0..STREAMS {
        bytes.extend(frame(HEADERS, WHOLE, 2 * number + 1, &head));
    }
    socket.write_all(&bytes).await?;
    socket.flush().await?;
    loop {
        let mut header = [0; 9];
        socket.read_exact(&mut header).await?;
        let [a, b, c, kind, flags, ..] = header;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(0);
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await?;
        if flags & ACKNOWLEDGED == 0 && matches!(kind, SETTINGS | PING) {
            let response = if kind == PING { &payload[..] } else { &[] };
            socket
                .write_all(&frame(kind, ACKNOWLEDGED, 0, response))
                .await?;
            socket.flush().await?;
        }
    }
}
