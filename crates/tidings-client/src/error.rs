//! Why a request or a stream failed.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use tidings_event::{ErrorBody, ErrorCode};
use url::Url;

use crate::fault::{ProtocolFault, TokenFault, TrustFault, UrlFault};

type Source = Box<dyn Error + Send + Sync>;

/// A failed request or stream: what kind of failure, and what lies beneath it as
/// [`source`](Error::source).
pub struct ClientError {
    // Boxed, since a `Result` is as large as its error and failures are rare.
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    source: Option<Source>,
    retry_after: Option<Duration>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL cannot be the address of a server.
    #[error("not the address of a server: {0}")]
    InvalidUrl(UrlFault),
    /// A token would leave this machine unencrypted. Nothing was sent.
    #[error(
        "the token would go to {server} unencrypted, and everybody on the way could use it: give an \
         https address"
    )]
    PlainHttp {
        /// The server's address.
        server: Url,
    },
    /// It cannot be told whose certificates to trust.
    #[error("{0}")]
    Trust(TrustFault),
    /// There is no token to show. Nothing was sent.
    #[error("there is no token: {0}")]
    NoToken(TokenFault),
    /// The server's certificate is not one that is trusted. Nothing was sent.
    #[error(
        "the certificate of {server} is not to be trusted; if it is of a private authority, give that \
         one's certificate"
    )]
    Untrusted {
        /// The server's address.
        server: Url,
    },
    /// No connection, or it was lost before the answer was complete.
    #[error("no connection to {server}")]
    Unreachable {
        /// The server's address.
        server: Url,
    },
    /// The server closed a stream, as it does when it shuts down.
    #[error("{server} closed the stream")]
    StreamEnded {
        /// The server's address.
        server: Url,
    },
    /// Nothing came on a stream, not even a keepalive.
    #[error("{server} has sent nothing for {limit:?}")]
    StreamSilent {
        /// The server's address.
        server: Url,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The server said no.
    #[error("refused with status {status}: {}", body.error)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What is wrong and what to do about it.
        body: ErrorBody,
    },
    /// The answer is not one that Tidings gives.
    #[error("{server} does not answer as Tidings does: {fault}")]
    Protocol {
        /// The server's address.
        server: Url,
        /// What is unexpected about it.
        fault: ProtocolFault,
    },
}

impl ClientError {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                source: None,
                retry_after: None,
            }),
        }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.inner.retry_after = wait;
        self
    }

    pub(crate) fn no_token(fault: TokenFault) -> Self {
        Self::new(ErrorKind::NoToken(fault))
    }

    /// Why a request got no answer.
    pub(crate) fn of_request(server: &Url, error: reqwest::Error) -> Self {
        // The address is said already, and holds what was asked for.
        let error = error.without_url();
        if is_of_certificate(&error) {
            let server = server.clone();
            Self::new(ErrorKind::Untrusted { server }).with_source(error)
        } else {
            Self::unreachable(server, error)
        }
    }

    pub(crate) fn unreachable(server: &Url, source: impl Into<Source>) -> Self {
        let server = server.clone();
        Self::new(ErrorKind::Unreachable { server }).with_source(source)
    }

    pub(crate) fn protocol(server: &Url, fault: ProtocolFault) -> Self {
        let server = server.clone();
        Self::new(ErrorKind::Protocol { server, fault })
    }

    /// What failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// The server's envelope, where it said no.
    pub fn refusal(&self) -> Option<&ErrorBody> {
        match self.kind() {
            ErrorKind::Refused { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Whether the same request may succeed later: the connection failed, or the server says that
    /// it cannot answer now (5xx, 408, 429), or that who was asked for a token had none.
    pub fn is_temporary(&self) -> bool {
        match self.kind() {
            ErrorKind::NoToken(TokenFault::Asked | TokenFault::Silent)
            | ErrorKind::Unreachable { .. }
            | ErrorKind::StreamEnded { .. }
            | ErrorKind::StreamSilent { .. } => true,
            ErrorKind::Refused { status, .. }
            | ErrorKind::Protocol {
                fault: ProtocolFault::Status(status),
                ..
            } => matches!(status, 408 | 429 | 500..),
            ErrorKind::InvalidUrl(_)
            | ErrorKind::PlainHttp { .. }
            | ErrorKind::Trust(_)
            | ErrorKind::NoToken(_)
            | ErrorKind::Untrusted { .. }
            | ErrorKind::Protocol { .. } => false,
        }
    }

    /// How long the server asks to be left alone (`Retry-After`, RFC 9110 §10.2.3), with its 429 or 503;
    /// at most 60 seconds. [`Backoff::failed_with`](crate::Backoff::failed_with) waits for it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Whether the server wants another token than it was shown, or one at all.
    pub(crate) fn asks_for_another_token(&self) -> bool {
        let code = self.refusal().map(|body| body.code);
        matches!(
            code,
            Some(ErrorCode::TokenMissing | ErrorCode::TokenExpired | ErrorCode::TokenRevoked)
        )
    }

    /// Whether it is about this machine or whom it trusts, and may be mended there while a stream that
    /// has worked waits.
    pub(crate) fn is_mendable_here(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::NoToken(_) | ErrorKind::Untrusted { .. }
        )
    }

    /// Whether a frame of a stream could not be read.
    pub(crate) fn is_malformed_frame(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Protocol {
                fault: ProtocolFault::FrameTooLarge(_)
                    | ProtocolFault::FrameId
                    | ProtocolFault::FrameData,
                ..
            }
        )
    }
}

/// Whether the handshake failed since the server's certificate is not trusted.
fn is_of_certificate(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
        }
        // What is inside an error of a socket is not its source, but has the same source.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    false
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientError")
            .field("kind", self.kind())
            .field("source", &self.inner.source)
            .finish()
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
