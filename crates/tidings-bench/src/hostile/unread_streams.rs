//! Requests on one HTTP/2 connection whose client grants no flow-control window (RFC 9113 §5.2).

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The number of streams: as many as browsers open, and fewer than the server's limit.
const STREAMS: u32 = 100;

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACKNOWLEDGED: u8 = 1;
/// The flags `END_HEADERS` and `END_STREAM`: a complete head without a body.
const WHOLE: u8 = 0x5;

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
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &NO_WINDOW));
    // Two indexed fields, `GET` and `https`, then literal fields without indexing (RFC 7541 §6.2.2).
    let mut head = vec![0x82, 0x87];
    for (name, value) in [
        (":path", path),
        (":authority", &*address.to_string()),
        ("authorization", &*format!("Bearer {token}")),
    ] {
        head.push(0);
        put_text(&mut head, name);
        put_text(&mut head, value);
    }
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
            let answer = if kind == PING { &payload[..] } else { &[] };
            socket
                .write_all(&frame(kind, ACKNOWLEDGED, 0, answer))
                .await?;
            socket.flush().await?;
        }
    }
}

/// Appends a string literal without Huffman coding (RFC 7541 §5.2).
fn put_text(head: &mut Vec<u8>, text: &str) {
    let mut left = text.len();
    if left < 0x7f {
        head.push(u8::try_from(left).unwrap_or(0));
    } else {
        head.push(0x7f);
        left -= 0x7f;
        while left >= 0x80 {
            head.push(u8::try_from(left % 0x80).unwrap_or(0) | 0x80);
            left /= 0x80;
        }
        head.push(u8::try_from(left).unwrap_or(0));
    }
    head.extend(text.as_bytes());
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
