//! Streams over plain HTTP/1.1, over TLS, and over HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::ensure;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::certificate::Certificate;
use crate::http::{STREAM_PATH, connect};
use crate::http2::{HEADERS, PREFACE, SETTINGS, WHOLE, frame, head};
use crate::scan::{Delivery, Scan};

/// A connection of any kind.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// How streams reach a server.
#[derive(Clone, Debug)]
pub(crate) enum Transport {
    Plain,
    Tls(Certificate),
    /// One stream per connection.
    Http2(Certificate),
}

impl Transport {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Plain => "HTTP/1.1",
            Self::Tls(_) => "HTTP/1.1 over TLS",
            Self::Http2(_) => "HTTP/2 over TLS",
        }
    }

    /// The flags of `tidings serve`.
    pub(crate) fn flags(&self) -> Vec<&str> {
        match self {
            Self::Plain => Vec::new(),
            Self::Tls(certificate) | Self::Http2(certificate) => certificate.flags().to_vec(),
        }
    }

    /// Opens a stream with a request for HTTP/1.1, or with a token over HTTP/2, and reads its opening.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        request: &[u8],
        token: &str,
        opening: (Delivery, u64),
    ) -> anyhow::Result<Box<dyn Connection>> {
        let socket = connect(address).await?;
        match self {
            Self::Plain => {
                let mut socket = socket;
                begin(&mut socket, request, opening).await?;
                Ok(Box::new(socket))
            }
            Self::Tls(certificate) => {
                let connector = TlsConnector::from(Arc::clone(&certificate.client));
                let name = ServerName::from(address.ip());
                let mut socket = connector.connect(name, socket).await?;
                begin(&mut socket, request, opening).await?;
                Ok(Box::new(socket))
            }
            Self::Http2(certificate) => {
                let mut tls = ClientConfig::clone(&certificate.client);
                tls.alpn_protocols = vec![b"h2".to_vec()];
                let connector = TlsConnector::from(Arc::new(tls));
                let name = ServerName::from(address.ip());
                let mut socket = connector.connect(name, socket).await?;
                let mut bytes = PREFACE.to_vec();
                bytes.extend(frame(SETTINGS, 0, 0, &[]));
                let head = head(STREAM_PATH, &address.to_string(), token);
                bytes.extend(frame(HEADERS, WHOLE, 1, &head));
                begin(&mut socket, &bytes, opening).await?;
                Ok(Box::new(socket))
            }
        }
    }
}

/// Sends a request for a stream and reads what the stream starts with. The frames of HTTP/2 lie between
/// those of the stream and do not start its lines.
pub(crate) async fn begin(
    socket: &mut impl Connection,
    request: &[u8],
    (delivery, number): (Delivery, u64),
) -> anyhow::Result<()> {
    socket.write_all(request).await?;
    socket.flush().await?;
    let mut scan = Scan::new(delivery);
    let mut buffer = [0; 4096];
    let mut seen = 0;
    while seen < number {
        let read = socket.read(&mut buffer).await?;
        ensure!(read > 0, "the server ended the stream");
        let got = &buffer[..read];
        ensure!(
            !got.starts_with(b"-") && !got.starts_with(b"HTTP/1.1 4"),
            "the server answered {}",
            String::from_utf8_lossy(got)
        );
        seen += scan.scan(got);
    }
    Ok(())
}
