//! The error of a request or a stream.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use tidings_event::{ErrorBody, ErrorCode};
use url::Url;

use crate::fault::{
    OptionFault, ProtocolFault, TokenFault, TrustFault, UrlFault, is_temporary_status,
};

/// The underlying error of a failure.
pub(crate) type ErrorSource = Box<dyn Error + Send + Sync>;

/// The error of a request or a stream: its kind, and the underlying error as
/// [`source`](Error::source).
pub struct ClientError {
    // A `Result` is as large as its error, so the error is boxed.
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    source: Option<ErrorSource>,
    retry_after: Option<Duration>,
}

/// The kind of an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL cannot be the address of a server.
    #[error("invalid server URL: {0}")]
    InvalidUrl(UrlFault),
    /// A token would leave this machine unencrypted. Nothing was sent.
    #[error("the token would be sent to {server} unencrypted: use an https address")]
    PlainHttp {
        /// The server's address.
        server: Url,
    },
    /// An option of the builder is invalid.
    #[error("invalid option: {0}")]
    InvalidOption(OptionFault),
    /// The client cannot determine which certificates to trust.
    #[error("{0}")]
    Trust(TrustFault),
    /// There is no token. Nothing was sent.
    #[error("no token: {0}")]
    NoToken(TokenFault),
    /// The server's certificate is not trusted. Nothing was sent.
    #[error(
        "the certificate of {server} is not trusted: if a private authority issued it, pass the \
         authority's certificate"
    )]
    Untrusted {
        /// The server's address.
        server: Url,
    },
    /// The connection failed, or was lost before the response was complete.
    #[error("no connection to {server}")]
    Unreachable {
        /// The server's address.
        server: Url,
    },
    /// The server closed the stream, for example because it shuts down.
    #[error("{server} closed the stream")]
    StreamEnded {
        /// The server's address.
        server: Url,
    },
    /// The stream was silent; not even a keepalive arrived.
    #[error("{server} sent nothing for {limit:?}")]
    StreamSilent {
        /// The server's address.
        server: Url,
        /// The time without data.
        limit: Duration,
    },
    /// The server rejected the request.
    #[error("rejected with status {status}: {}", body.error)]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The error body: the fault and its remedies.
        body: ErrorBody,
    },
    /// The response is not one of Tidings.
    #[error("the response of {server} is not one of Tidings: {fault}")]
    Protocol {
        /// The server's address.
        server: Url,
        /// The difference to a response of Tidings.
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

    pub(crate) fn with_source(mut self, source: impl Into<ErrorSource>) -> Self {
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

    /// The error of a request that got no response.
    pub(crate) fn of_request(server: &Url, error: reqwest::Error) -> Self {
        // The message has the address already, and the URL can contain search texts.
        let error = error.without_url();
        if is_of_certificate(&error) {
            let server = server.clone();
            Self::new(ErrorKind::Untrusted { server }).with_source(error)
        } else {
            Self::unreachable(server, error)
        }
    }

    pub(crate) fn unreachable(server: &Url, source: impl Into<ErrorSource>) -> Self {
        let server = server.clone();
        Self::new(ErrorKind::Unreachable { server }).with_source(source)
    }

    pub(crate) fn protocol(server: &Url, fault: ProtocolFault) -> Self {
        let server = server.clone();
        Self::new(ErrorKind::Protocol { server, fault })
    }

    /// The kind of the error.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// The error body, if the server rejected the request.
    pub fn rejection(&self) -> Option<&ErrorBody> {
        match self.kind() {
            ErrorKind::Rejected { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Whether the same request can succeed later: the connection failed, the server responded with 5xx,
    /// 408 or 429, or the token provider failed.
    pub fn is_temporary(&self) -> bool {
        match self.kind() {
            ErrorKind::Unreachable { .. }
            | ErrorKind::StreamEnded { .. }
            | ErrorKind::StreamSilent { .. } => true,
            ErrorKind::Rejected { status, .. } => is_temporary_status(*status),
            ErrorKind::NoToken(fault) => fault.is_temporary(),
            ErrorKind::Protocol { fault, .. } => fault.is_temporary(),
            ErrorKind::InvalidUrl(_)
            | ErrorKind::PlainHttp { .. }
            | ErrorKind::InvalidOption(_)
            | ErrorKind::Trust(_)
            | ErrorKind::Untrusted { .. } => false,
        }
    }

    /// The time to wait before the next request (`Retry-After`, RFC 9110 §10.2.3), as sent with status 429
    /// or 503; at most 60 seconds. [`Backoff::failed_with`](crate::Backoff::failed_with) includes it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Whether the server requires another token.
    pub(crate) fn requires_another_token(&self) -> bool {
        let code = self.rejection().map(|body| body.code);
        matches!(
            code,
            Some(ErrorCode::TokenMissing | ErrorCode::TokenExpired | ErrorCode::TokenRevoked)
        )
    }

    /// Whether the cause is the configuration of this machine, which its operator can fix while a stream
    /// that has worked before keeps trying.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::NoToken(_) | ErrorKind::Untrusted { .. }
        )
    }

    /// Whether a frame of a stream could not be read.
    pub(crate) fn is_malformed_frame(&self) -> bool {
        match self.kind() {
            ErrorKind::Protocol { fault, .. } => fault.is_of_frame(),
            ErrorKind::InvalidUrl(_)
            | ErrorKind::PlainHttp { .. }
            | ErrorKind::InvalidOption(_)
            | ErrorKind::Trust(_)
            | ErrorKind::NoToken(_)
            | ErrorKind::Untrusted { .. }
            | ErrorKind::Unreachable { .. }
            | ErrorKind::StreamEnded { .. }
            | ErrorKind::StreamSilent { .. }
            | ErrorKind::Rejected { .. } => false,
        }
    }
}

/// Whether the handshake failed because the server's certificate is not trusted.
fn is_of_certificate(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
        }
        // An `io::Error` does not return its inner error as source, but the source of that.
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
