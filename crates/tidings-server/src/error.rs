//! Why a request is refused, and the only place that turns errors into answers.
//!
//! Handlers and extractors return [`ApiError`]; [`envelope`] gives each its status and its words.
//! What a client sees of a failure of the server is fixed text: the sources of an error go to the
//! log, once, when the answer is made.

mod challenge;
mod envelope;
#[cfg(any(feature = "openapi", test))]
mod samples;

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tidings::{ChangeError, PublishError, StoreError};
use tidings_event::{ErrorBody, EventId, ResetReason, Violation, Violations};

use crate::admission::Full;
use crate::body::UnsupportedMedia;
use crate::limits::Excess;
use crate::token::{RevokeError, Scopes, TokenError};

pub(crate) use envelope::quoted;

/// When to come back after a 503, or with an upload, in seconds: most causes pass quickly or need a
/// human.
const RETRY_AFTER_SECONDS: u32 = 2;

/// When to come back for a stream where too many are open, in seconds: one ends when its reader goes
/// away, and nobody knows when that will be.
const RETRY_STREAM_AFTER_SECONDS: u32 = 10;

/// How much of a foreign name the log shows: the longest of a domain, and some more.
const MAX_NAME_CHARS: usize = 300;

/// The media type of every error's body.
pub(crate) const ERROR_TYPE: HeaderValue =
    HeaderValue::from_static("application/json; charset=utf-8");

/// Why a request is not served.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The body is not declared as JSON, or is not what it is declared as.
    UnsupportedMediaType(UnsupportedMedia),
    /// The body ended early or took too long.
    BodyUnreadable(Box<dyn Error + Send + Sync>),
    /// The body has more bytes than any request may have.
    BodyTooLarge { limit: usize },
    /// So has the body that names the events to be changed.
    ChangeTooLarge { limit: usize },
    /// The address has more bytes than any that means something.
    UriTooLong { bytes: usize, limit: usize },
    /// The first line and the header fields have more bytes than they may have.
    HeadTooLarge { limit: usize },
    /// One event has more bytes than an event may have. The index is that of a batch.
    EventTooLarge {
        index: Option<usize>,
        bytes: usize,
        limit: usize,
    },
    /// The events of the batch have more bytes together than a batch may have, as they are stored.
    BatchTooLarge { bytes: usize, limit: usize },
    /// Too many large bodies arrive at the same time.
    Overloaded,
    /// Too many bulk changes of all callers wait for their turn.
    TooManyChanges,
    /// Too many reads of all callers wait for their turn.
    TooManyReads,
    /// The client hung up before it was the turn of its change. Nobody reads this.
    HungUp,
    /// Too many answers wait to be taken by their clients.
    AnswersUntaken,
    /// The caller has asked for more than one may.
    Excess(Excess),
    /// The request came on a connection beyond the limit.
    TooManyConnections(Full),
    /// The batch has too many events.
    TooManyEvents { events: usize, limit: usize },
    /// The batch has no events.
    EmptyBatch,
    /// The change names too many events.
    TooManyIds { ids: usize, limit: usize },
    /// The body, or a field of it, is not the JSON it should be.
    InvalidJson(Violations),
    /// The events break rules.
    InvalidEvent(Violations),
    /// Query parameters are unknown or malformed.
    InvalidQuery(Violations),
    /// It is not clear which events are to be changed, or to what.
    InvalidChange(Violations),
    /// It is not clear how an event is to be marked.
    InvalidStatus(Violations),
    /// The cursor up to which events are to be changed is not one of the caller's.
    InvalidUpTo(ResetReason),
    /// The log has no such level.
    InvalidConfig(Violations),
    /// The log's level could not be set.
    Config(Box<dyn Error + Send + Sync>),
    /// The owner has an event with the same id and other content. In a batch, `index` is the event's
    /// position.
    Conflict { index: Option<usize>, id: EventId },
    /// An event does not fit into what the events of its owner may take. The index is that of a batch.
    QuotaExceeded {
        index: Option<usize>,
        bytes: u64,
        used: u64,
        limit: u64,
    },
    /// The caller has no such event.
    EventNotFound,
    /// No such path.
    RouteNotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The request does not name this machine.
    ForeignHost { host: String },
    /// The request is from a page of another origin.
    ForeignOrigin { origin: String },
    /// The store failed.
    Store(Arc<StoreError>),
    /// The server or the engine is about to end.
    ShuttingDown,
    /// The store did not answer in time.
    StoreTimeout,
    /// The request shows no token.
    NoToken,
    /// What is shown as a token is not written as one.
    UnreadableToken,
    /// The token does not let its bearer in.
    Token(TokenError),
    /// The token's owner is the system, which is nobody's name.
    SystemAsCaller,
    /// The token allows none of what is needed.
    MissingScope { any_of: &'static [Scopes] },
    /// The event is for somebody else, and the token allows to publish to its owner only. The index is
    /// that of a batch.
    ForeignOwner { index: Option<usize> },
    /// A cookie came with a change, and not from this server's own page.
    CookieFromElsewhere,
    /// A browser says that another site's page makes it ask, and there is no login.
    RequestFromElsewhere,
    /// The token is too long for a cookie.
    TokenTooLong { bytes: usize, limit: usize },
    /// The list of revoked tokens has no room, or cannot be written.
    Revocation(RevokeError),
    /// It is not clear which token is meant.
    InvalidRevocation(Violations),
    /// A handler panicked.
    Panicked(String),
    /// The engine refused for a reason this version does not know.
    Publish(PublishError),
    /// The engine could not make a change, for a reason this version does not know.
    Change(ChangeError),
}

impl ApiError {
    /// Why a publish request failed. In a batch the answer says which event is meant.
    pub(crate) fn of_publish(error: PublishError, is_batch: bool) -> Self {
        let place = |index| is_batch.then_some(index);
        match error {
            PublishError::Invalid(violations) => Self::InvalidEvent(violations),
            PublishError::Conflict { index, id } => Self::Conflict {
                index: place(index),
                id,
            },
            PublishError::TooLarge {
                index,
                bytes,
                limit,
            } => Self::EventTooLarge {
                index: place(index),
                bytes,
                limit,
            },
            PublishError::QuotaExceeded {
                index,
                bytes,
                used,
                limit,
            } => Self::QuotaExceeded {
                index: place(index),
                bytes,
                used,
                limit,
            },
            PublishError::TooManyEvents { events, limit } => Self::TooManyEvents { events, limit },
            PublishError::BatchTooLarge { bytes, limit } => Self::BatchTooLarge { bytes, limit },
            PublishError::Store(error) => Self::of_store(error),
            PublishError::Closed => Self::ShuttingDown,
            other => Self::Publish(other),
        }
    }

    /// A body, or what is in it, that is not the JSON it should be.
    pub(crate) fn invalid_json(fault: Violation) -> Self {
        let mut violations = Violations::default();
        violations.add(fault.field, fault.fault, fault.remedy);
        Self::InvalidJson(violations)
    }

    fn of_store(error: Arc<StoreError>) -> Self {
        match *error {
            StoreError::Closed => Self::ShuttingDown,
            StoreError::TooManyReads { limit } => Self::Excess(Excess::Reads { most: limit }),
            StoreError::Overloaded => Self::TooManyReads,
            _ => Self::Store(error),
        }
    }

    /// When the same request may succeed, in seconds, if time can help.
    fn retry_after(&self, status: StatusCode) -> Option<u32> {
        match self {
            Self::Excess(Excess::Publishes { seconds, .. } | Excess::Requests { seconds, .. }) => {
                Some(*seconds)
            }
            Self::Excess(Excess::StreamsOfOwner { .. } | Excess::StreamsToAddress { .. }) => {
                Some(RETRY_STREAM_AFTER_SECONDS)
            }
            Self::Excess(
                Excess::Uploads { .. }
                | Excess::Changes { .. }
                | Excess::Reads { .. }
                | Excess::Answers { .. },
            ) => Some(RETRY_AFTER_SECONDS),
            _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_SECONDS),
        }
    }

    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error.as_ref()),
            Self::BodyUnreadable(error) => Some(error.as_ref()),
            Self::Publish(error) => Some(error),
            Self::Change(error) => Some(error),
            Self::Config(error) => Some(error.as_ref()),
            Self::Revocation(error) => Some(error),
            _ => None,
        }
    }

    /// What only the operator is told of it.
    fn cause(&self) -> Option<String> {
        match self {
            Self::Panicked(message) => Some(message.clone()),
            _ => self.source().map(chain),
        }
    }
}

/// Goes with the answer, unseen by the client, to where it is logged with its request: this was the
/// server's fault.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Everything behind it.
    pub(crate) cause: Option<String>,
}

/// What is foreign about a request that is refused for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// It names another host.
    Host,
    /// It comes from a page of another origin.
    Origin,
    /// So it does, with a cookie of this server.
    Cookie,
}

impl Foreign {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 3] = [Self::Host, Self::Origin, Self::Cookie];

    /// The word in logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Cookie => "cookie",
        }
    }
}

/// Goes with the answer to where it is counted and logged, as [`Failure`] does.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) what: Foreign,
    /// The host or the origin as the client gave it.
    pub(crate) name: String,
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::of_store(Arc::new(error))
    }
}

impl From<UnsupportedMedia> for ApiError {
    fn from(unsupported: UnsupportedMedia) -> Self {
        Self::UnsupportedMediaType(unsupported)
    }
}

impl From<Excess> for ApiError {
    fn from(excess: Excess) -> Self {
        Self::Excess(excess)
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::EmptyFilter => {
                let mut violations = Violations::default();
                violations.add("filter", "is empty", "say which events are meant");
                Self::InvalidChange(violations)
            }
            ChangeError::UpTo(reason) => Self::InvalidUpTo(reason),
            ChangeError::TooManyIds { ids, limit } => Self::TooManyIds { ids, limit },
            ChangeError::TooManyWaiting { limit } => Self::Excess(Excess::Changes { most: limit }),
            ChangeError::Overloaded => Self::TooManyChanges,
            ChangeError::Store(error) => Self::of_store(error),
            ChangeError::Closed => Self::ShuttingDown,
            other => Self::Change(other),
        }
    }
}

impl ApiError {
    /// The status and the body of the answer.
    pub(crate) fn envelope(&self) -> (StatusCode, ErrorBody) {
        envelope::of(self)
    }

    /// What is foreign about the request, if that is why it is refused.
    fn foreign(&self) -> Option<Refused> {
        let (what, name) = match self {
            Self::ForeignHost { host } => (Foreign::Host, host.as_str()),
            Self::ForeignOrigin { origin } => (Foreign::Origin, origin.as_str()),
            Self::CookieFromElsewhere => (Foreign::Cookie, ""),
            _ => return None,
        };
        let name = name.chars().take(MAX_NAME_CHARS).collect();
        Some(Refused { what, name })
    }

    /// What goes with an answer that tells of this error, if it was the server's fault.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let (status, _) = self.envelope();
        self.is_failure(status).then(|| Failure {
            cause: self.cause(),
        })
    }

    /// Whether this is the operator's business, and not the client's.
    fn is_failure(&self, status: StatusCode) -> bool {
        // Those of connections beyond a limit are as many as somebody likes; the limit warns itself.
        // So it is with bodies that wait for room, and with keys, whose fetching is logged.
        let expected = matches!(
            self,
            Self::ShuttingDown
                | Self::TooManyConnections(_)
                | Self::Overloaded
                | Self::TooManyChanges
                | Self::AnswersUntaken
                | Self::TooManyReads
                | Self::Token(TokenError::KeysUnavailable)
        );
        // The store says once that its disk is full, and not for each request.
        let expected = expected
            || matches!(self, Self::Store(error) if matches!(**error, StoreError::Full(_)));
        status.is_server_error() && !expected
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body) = self.envelope();
        let json = serde_json::to_vec(&body).expect("an error body has only text keys");
        let mut response = (status, [(CONTENT_TYPE, ERROR_TYPE)], json).into_response();
        if let Some(seconds) = self.retry_after(status) {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Self::UnsupportedMediaType(unsupported) = &self {
            let (name, value) = unsupported.hint();
            response.headers_mut().insert(name, value);
        }
        if let Some(challenge) = challenge::of(&self) {
            let headers = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(refused) = self.foreign() {
            response.extensions_mut().insert(refused);
        }
        let cause = self.cause();
        if self.is_failure(status) {
            response.extensions_mut().insert(Failure { cause });
        } else {
            let status = status.as_u16();
            tracing::debug!(status, cause, "refused a request");
        }
        response
    }
}

/// The status and the body with which `code` is answered, for the documentation.
#[cfg(feature = "openapi")]
pub(crate) fn sample(code: tidings_event::ErrorCode) -> (StatusCode, ErrorBody) {
    envelope::of(&samples::sample(code))
}

/// Answers a path that is not there.
pub(crate) async fn route_not_found() -> ApiError {
    ApiError::RouteNotFound
}

/// Answers a method that the path does not take; the router adds `Allow`.
pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

/// An error with everything behind it, for the log.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use tidings_event::ErrorCode;

    use super::*;

    #[tokio::test]
    async fn a_failure_of_the_store_is_named_and_its_sources_are_not_told() {
        type MakeError = fn(Box<dyn Error + Send + Sync>) -> StoreError;
        let cases: [(MakeError, u16, &str); 4] = [
            (StoreError::Full, 503, "storage_full"),
            (StoreError::Unavailable, 503, "storage_unavailable"),
            (StoreError::Corrupt, 500, "internal"),
            (StoreError::Internal, 500, "internal"),
        ];
        for (make, status, code) in cases {
            let error = PublishError::Store(Arc::new(make("a secret path".into())));
            let answer = ApiError::of_publish(error, false).into_response();
            assert_eq!(answer.status().as_u16(), status, "{code}");
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503);
            let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
            let body = String::from_utf8(body.into()).unwrap();
            assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
            assert!(body.contains("\"severity\":\"CRITICAL\""), "{body}");
            assert!(!body.contains("secret"), "{body}");
        }
    }

    #[test]
    fn a_change_fails_as_a_publish_does() {
        let full = StoreError::Full("no space".into());
        for (error, status, code) in [
            (
                ChangeError::Store(Arc::new(full)),
                503,
                ErrorCode::StorageFull,
            ),
            (
                ChangeError::Store(Arc::new(StoreError::Closed)),
                503,
                ErrorCode::ShuttingDown,
            ),
            (ChangeError::Closed, 503, ErrorCode::ShuttingDown),
            (ChangeError::Overloaded, 503, ErrorCode::Overloaded),
            (
                ChangeError::TooManyWaiting { limit: 8 },
                429,
                ErrorCode::RateLimited,
            ),
            (ChangeError::EmptyFilter, 400, ErrorCode::InvalidChange),
            (
                ChangeError::UpTo(ResetReason::Foreign),
                400,
                ErrorCode::InvalidChange,
            ),
            (
                ChangeError::TooManyIds { ids: 2, limit: 1 },
                413,
                ErrorCode::TooLarge,
            ),
        ] {
            let (answered, body) = ApiError::from(error).envelope();
            assert_eq!((answered.as_u16(), body.code), (status, code));
        }
    }

    #[test]
    fn a_read_that_is_too_much_is_refused_and_no_failure() {
        let limit = std::time::Duration::from_secs(10);
        for (error, status, code) in [
            (
                StoreError::TookTooLong { limit },
                422,
                ErrorCode::QueryTooSlow,
            ),
            (
                StoreError::TooManyReads { limit: 256 },
                429,
                ErrorCode::RateLimited,
            ),
            (StoreError::Overloaded, 503, ErrorCode::Overloaded),
        ] {
            let error = ApiError::from(error);
            let (answered, body) = error.envelope();
            assert_eq!((answered.as_u16(), body.code), (status, code));
            assert!(!error.is_failure(answered));
        }
    }

    #[test]
    fn the_log_has_the_whole_chain() {
        let error = StoreError::Full(std::io::Error::other("no space left").into());
        let text = "the disk that holds the events is full: no space left";
        assert_eq!(chain(&error), text);
    }
}
