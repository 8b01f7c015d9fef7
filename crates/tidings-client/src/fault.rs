//! Details of a failure: what is wrong with a URL, a certificate, a token or a response.

use std::path::PathBuf;

/// The longest token, in bytes. No server accepts as much in a header.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Why a URL cannot be the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlFault {
    /// Neither `http` nor `https`.
    #[error("its scheme is `{0}`, and only http and https are spoken")]
    Scheme(String),
    /// A user name or password, which would end up in logs.
    #[error("it carries a user name or a password")]
    Credentials,
    /// A query or fragment, which says nothing about a server.
    #[error("it has a query or a fragment: give only scheme, host, port and path")]
    QueryOrFragment,
}

/// Why it cannot be told whose certificates to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustFault {
    /// What was given holds no certificate.
    #[error(
        "what is given as certificates of authorities is not one or more of them in PEM (RFC 7468)"
    )]
    NotPem,
    /// What was given as a certificate is none.
    #[error("what is given as certificates of authorities cannot be used")]
    Unusable,
    /// The machine has no certificates, and none are given.
    #[error(
        "this machine trusts no authority, so that https is of no use: install its certificates (the \
         package `ca-certificates`), or give that of the server's authority"
    )]
    Nobody,
}

/// What is unexpected about an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolFault {
    /// A status that the request does not lead to, or an error without the envelope.
    #[error("status {0} with an unknown body")]
    Status(u16),
    /// A body that cannot be read as what was asked for.
    #[error("its body cannot be read")]
    Body,
    /// A body larger than any answer.
    #[error("its body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// A batch answered with another number of events.
    #[error("{sent} events were sent and {returned} came back")]
    EventCount {
        /// The events published.
        sent: usize,
        /// The events in the answer.
        returned: usize,
    },
    /// A subscription answered with something else than a stream of events.
    #[error("the subscription is not answered with text/event-stream")]
    NotAStream,
    /// A frame larger than any change.
    #[error("a frame is larger than {0} bytes")]
    FrameTooLarge(usize),
    /// A frame whose id is not a cursor.
    #[error("a frame's id is not a cursor")]
    FrameId,
    /// A frame whose payload is not that of its kind.
    #[error("the payload of a frame cannot be read")]
    FrameData,
}

/// Why there is no token to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// The file with the token cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing but white space.
    #[error("it is empty")]
    Empty,
    /// It is longer than any token.
    #[error("it has more than {MAX_TOKEN_BYTES} bytes, which no token has")]
    TooLong,
    /// It cannot be written in a header.
    #[error(
        "it is not written as a token (RFC 6750 §2.1): give the token alone, of letters, digits and \
         -._~+/ with = at its end"
    )]
    Malformed,
    /// The file holds no token.
    #[error("{} holds no token: {fault}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with what is in it.
        fault: Box<TokenFault>,
    },
    /// What the caller gave to ask has failed.
    #[error("who was asked for it has none")]
    Asked,
    /// What the caller gave to ask has not answered.
    #[error("who was asked for it does not answer")]
    Silent,
}
