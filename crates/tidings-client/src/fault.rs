//! Details of a failure: what is wrong with a URL, a certificate, a token or a response.

use std::path::PathBuf;

/// The longest token, in bytes. No server accepts as much in a header.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The reason why a URL cannot be the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlFault {
    /// The scheme is neither `http` nor `https`.
    #[error("the scheme is `{0}`: use http or https")]
    Scheme(String),
    /// The URL has a user name or password, which would appear in logs.
    #[error("it has a user name or a password: use a token instead")]
    Credentials,
    /// The URL has a query or a fragment.
    #[error("it has a query or a fragment: use only scheme, host, port and path")]
    QueryOrFragment,
}

/// The reason why an option of the builder is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionFault {
    /// The option has no effect on a ready HTTP client.
    #[error("`{option}` has no effect with `with_http_client`: configure that client instead")]
    Conflict {
        /// The name of the option.
        option: &'static str,
    },
    /// The scheme of the proxy is neither `http` nor `https`.
    #[error("the scheme of the proxy is `{scheme}`: use http or https")]
    ProxyScheme {
        /// The scheme.
        scheme: String,
    },
    /// The URL of the proxy cannot be used.
    #[error("the URL of the proxy cannot be used")]
    ProxyUrl,
    /// The client sets this header itself.
    #[error("the client sets the header `{name}` itself: remove it from `with_headers`")]
    ReservedHeader {
        /// The name of the header.
        name: String,
    },
}

/// The reason why the client cannot determine which certificates to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustFault {
    /// The given data contains no certificate.
    #[error(
        "the certificates of authorities are not in PEM format (RFC 7468): pass one or more \
         `BEGIN CERTIFICATE` blocks"
    )]
    NotPem,
    /// A given certificate is invalid.
    #[error("a certificate of an authority is invalid: export it again as X.509 in PEM format")]
    Unusable,
    /// The machine has no certificate authorities, and none are given.
    #[error(
        "this machine has no certificate authorities, which https requires: install the package \
         `ca-certificates`, or pass the certificate of the server's authority"
    )]
    Nobody,
}

/// The reason why a response is not one of Tidings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolFault {
    /// The status is unexpected, or an error has no error body.
    #[error("unexpected status {0}")]
    Status(u16),
    /// The body does not have the expected form.
    #[error("the body cannot be read")]
    Body,
    /// The body is larger than any response of Tidings.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The response to a batch has another number of events.
    #[error("the request had {sent} events and the response has {returned}")]
    EventCount {
        /// The number of events in the request.
        sent: usize,
        /// The number of events in the response.
        returned: usize,
    },
    /// The response to a subscription is not a stream of events.
    #[error("the content type is not text/event-stream")]
    NotAStream,
    /// A frame is larger than any frame of Tidings.
    #[error("a frame is larger than {0} bytes")]
    FrameTooLarge(usize),
    /// The id of a frame is not a cursor.
    #[error("the id of a frame is not a cursor")]
    FrameId,
    /// The payload of a frame does not match its name.
    #[error("the payload of a frame cannot be read")]
    FrameData,
}

/// The reason why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// The file with the token cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// The token is blank.
    #[error("it is empty")]
    Empty,
    /// The token is too long.
    #[error("it is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// The token has characters that a header cannot carry.
    #[error(
        "it has characters that a bearer token cannot have (RFC 6750 §2.1): pass only the token, made \
         of letters, digits and -._~+/ with = at the end"
    )]
    Malformed,
    /// The file contains no valid token.
    #[error("{} contains no token: {fault}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The fault of its content.
        fault: Box<TokenFault>,
    },
    /// The token provider failed.
    #[error("the token provider failed")]
    Provider,
    /// The token provider did not respond within 30 seconds.
    #[error("the token provider did not respond within 30 seconds")]
    Silent,
}

/// Whether a request that got this status can succeed later.
pub(crate) const fn is_temporary_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

impl ProtocolFault {
    /// Whether the same request can succeed later.
    pub(crate) const fn is_temporary(&self) -> bool {
        match self {
            Self::Status(status) => is_temporary_status(*status),
            Self::Body
            | Self::BodyTooLarge(_)
            | Self::EventCount { .. }
            | Self::NotAStream
            | Self::FrameTooLarge(_)
            | Self::FrameId
            | Self::FrameData => false,
        }
    }

    /// Whether a frame of a stream could not be read.
    pub(crate) const fn is_of_frame(&self) -> bool {
        match self {
            Self::FrameTooLarge(_) | Self::FrameId | Self::FrameData => true,
            Self::Status(_)
            | Self::Body
            | Self::BodyTooLarge(_)
            | Self::EventCount { .. }
            | Self::NotAStream => false,
        }
    }
}

impl TokenFault {
    /// Whether the token source can have a token later, without a change of its configuration.
    pub(crate) const fn is_temporary(&self) -> bool {
        match self {
            Self::Provider | Self::Silent => true,
            Self::Unreadable { .. }
            | Self::Empty
            | Self::TooLong
            | Self::Malformed
            | Self::InFile { .. } => false,
        }
    }
}
