//! The status and the words of every refusal.

mod identity;

use std::io::ErrorKind;

use axum::http::StatusCode;
use tidings::StoreError;
use tidings_event::{ErrorBody, ErrorCode, ErrorSeverity, Violations};

use super::ApiError;
use crate::admission::Full;
use crate::body::UnsupportedMedia;
use crate::limits::{Excess, Reach};
use crate::token::RevokeError;

/// The most faults one answer lists; a batch can have thousands.
const MAX_FAULTS: usize = 100;

/// The status and the body that answer `error`.
pub(super) fn of(error: &ApiError) -> (StatusCode, ErrorBody) {
    match error {
        ApiError::UnsupportedMediaType(_)
        | ApiError::BodyUnreadable(_)
        | ApiError::BodyTooLarge { .. }
        | ApiError::ChangeTooLarge { .. }
        | ApiError::EventTooLarge { .. }
        | ApiError::BatchTooLarge { .. }
        | ApiError::TooManyEvents { .. }
        | ApiError::EmptyBatch
        | ApiError::TooManyIds { .. }
        | ApiError::InvalidJson(_) => of_body(error),
        ApiError::UriTooLong { bytes, limit } => refusal(
            StatusCode::URI_TOO_LONG,
            ErrorCode::UriTooLong,
            "The address is too long",
        )
        .fault(
            format!("path and query have {bytes} bytes, more than the {limit} allowed"),
            "name fewer values in a filter",
        ),
        ApiError::HeadTooLarge { limit } => refusal(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ErrorCode::TooLarge,
            "The head of the request is too large; nothing was changed",
        )
        .because("cookies of other programs on the same host, or a very long token")
        .fault(
            format!("its first line and header fields have more than the {limit} bytes allowed"),
            "send fewer and shorter header fields; an operator sets the limit with \
             --max-head-bytes",
        ),
        ApiError::Excess(excess) => of_excess(*excess),
        ApiError::InvalidChange(violations) => invalid_change().with_violations(violations),
        ApiError::InvalidStatus(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidChange,
            "The request does not say how to mark the event; nothing was changed",
        )
        .with_violations(violations),
        ApiError::InvalidUpTo(reason) => invalid_change()
            .because("it is of another user, of another server, or from before a restore")
            .fault(
                format!("upTo is no cursor of yours ({reason})"),
                "list the events again, and give the `cursor` of what is on screen",
            ),
        ApiError::InvalidConfig(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidConfig,
            "The log's level was not set",
        )
        .with_violations(violations),
        ApiError::InvalidEvent(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidEvent,
            "The event breaks the rules; nothing was stored",
        )
        .with_violations(violations),
        ApiError::InvalidQuery(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidQuery,
            "The request's parameters cannot be used",
        )
        .with_violations(violations),
        ApiError::Conflict { index, id } => refusal(
            StatusCode::CONFLICT,
            ErrorCode::EventConflict,
            "Another event of this owner has the same id; nothing was stored",
        )
        .because("the event was changed after it was sent, or two events of one owner share an id")
        .fault(
            format!("{} {id} names another event of this owner", field(*index, "id")),
            "repeat the event unchanged, or leave the id out to get a new one",
        ),
        ApiError::QuotaExceeded {
            index,
            bytes,
            used,
            limit,
        } => refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::QuotaExceeded,
            "The inbox of the event's owner is full; nothing was stored",
        )
        .fault(
            format!(
                "{} needs {bytes} bytes, and the owner's events take {used} of the {limit} bytes \
                 allowed",
                index.map_or("the event".to_owned(), |index| format!("[{index}]"))
            ),
            "delete events that are no longer needed; an operator sets the limit with \
             --max-owner-bytes, and --retain-events or --retain-age delete old events by themselves",
        ),
        ApiError::EventNotFound => refusal(
            StatusCode::NOT_FOUND,
            ErrorCode::EventNotFound,
            "You have no event with this id",
        )
        .because("it was deleted, or it belongs to another user")
        .remedy("list your events: GET /api/system/events"),
        ApiError::RouteNotFound => refusal(
            StatusCode::NOT_FOUND,
            ErrorCode::RouteNotFound,
            "There is nothing at this path",
        )
        .remedy("events are at /api/system/events"),
        ApiError::MethodNotAllowed => refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::MethodNotAllowed,
            "This path does not take this method",
        )
        .remedy("use one of the methods in the header Allow"),
        ApiError::ForeignHost { host } => refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::ForeignHost,
            "The request does not name this machine as its host",
        )
        .because("without a login the server answers this machine only")
        .fault(
            format!("Host is {}", quoted(host)),
            "use http://localhost or http://127.0.0.1 with the server's port; behind a proxy have an \
             operator name its address with --public-url",
        ),
        ApiError::ForeignOrigin { origin } => refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::ForeignOrigin,
            "The request comes from a web page of another origin",
        )
        .because("the server answers its own pages, and those of origins it was told to allow")
        .fault(
            format!("Origin is {}", quoted(origin)),
            "open the page from this server or send the request from a program; have an operator name \
             the proxy's address with --public-url, or allow another origin with --allow-origin",
        ),
        ApiError::NoToken
        | ApiError::UnreadableToken
        | ApiError::Token(_)
        | ApiError::SystemAsCaller
        | ApiError::MissingScope { .. }
        | ApiError::ForeignOwner { .. }
        | ApiError::CookieFromElsewhere
        | ApiError::RequestFromElsewhere
        | ApiError::TokenTooLong { .. } => identity::of(error),
        ApiError::Revocation(RevokeError::File(error)) if is_full(error) => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "The token is revoked until this server ends, but the disk has no room for it in the list",
        )
        .remedy("free some space on the disk with the list of revoked tokens, then revoke it again"),
        ApiError::Revocation(error @ RevokeError::OwnersShare) => refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "Too many ended sessions; the token of this one stays valid until it expires",
        )
        .fault(
            error.to_string(),
            "wait until some of the tokens expire, or ask an administrator to revoke the token",
        ),
        ApiError::Revocation(RevokeError::Full { .. }) => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "As many tokens as fit are revoked",
        )
        .remedy("take expired ones out of the list, or change the key that signs tokens"),
        ApiError::Revocation(_) => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "The token is revoked until this server ends, but the list could not be written",
        )
        .remedy("look into the server's log for this answer's x-request-id, then revoke it again"),
        ApiError::InvalidRevocation(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidRevocation,
            "It is not clear which token is meant; none was revoked",
        )
        .with_violations(violations),
        ApiError::Store(error) => of_store(error),
        ApiError::StoreTimeout => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The event store does not answer",
        )
        .remedy("try again in a moment"),
        ApiError::Overloaded => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded,
            "Too many large requests arrive at the same time; nothing was changed",
        )
        .remedy("try again in a moment"),
        ApiError::TooManyChanges => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded,
            "Too many bulk changes wait for their turn; nothing was changed",
        )
        .remedy("try again in a moment"),
        ApiError::TooManyReads => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded,
            "Too many queries wait for their turn",
        )
        .remedy("try again in a moment"),
        ApiError::HungUp => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::BodyUnreadable,
            "The client hung up before its change began; nothing was changed",
        )
        .remedy("send the request again"),
        ApiError::AnswersUntaken => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded,
            "Too many answers wait to be read by their clients; nothing was changed",
        )
        .remedy("try again in a moment"),
        ApiError::TooManyConnections(why) => too_many_connections(*why),
        ApiError::ShuttingDown => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ShuttingDown,
            "The server is shutting down",
        )
        .remedy("try again in a moment; an event that was stored after all is not stored twice"),
        ApiError::Panicked(_)
        | ApiError::Publish(_)
        | ApiError::Change(_)
        | ApiError::Config(_) => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "The server failed",
        )
        .remedy("look into the server's log for this answer's x-request-id"),
    }
    .into_parts()
}

fn too_many_connections(why: Full) -> Answer {
    let (error, remedy) = match why {
        Full::Server => (
            "The server has as many connections as it may have",
            "try again in a moment",
        ),
        Full::Address => (
            "The server has as many connections from your address as it may have",
            "close some that you have, or try again in a moment",
        ),
    };
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Overloaded,
        error,
    )
    .remedy(remedy)
}

fn invalid_change() -> Answer {
    refusal(
        StatusCode::BAD_REQUEST,
        ErrorCode::InvalidChange,
        "The request does not say which events to change and how; nothing was changed",
    )
}

/// The answers to a body that cannot be taken.
fn of_body(error: &ApiError) -> Answer {
    match error {
        ApiError::UnsupportedMediaType(unsupported) => of_media(unsupported),
        ApiError::BodyTooLarge { limit } => too_large(
            format!("the request has more than the {limit} bytes allowed"),
            "send fewer events at a time",
        ),
        ApiError::ChangeTooLarge { limit } => too_large(
            format!("the request has more than the {limit} bytes allowed"),
            "name fewer events at a time, or choose by a filter",
        ),
        ApiError::EventTooLarge {
            index,
            bytes,
            limit,
        } => too_large(
            format!(
                "{} has {bytes} bytes of JSON, more than the {limit} allowed",
                index.map_or("the event".to_owned(), |index| format!("[{index}]"))
            ),
            "store the large part elsewhere and link to it",
        ),
        ApiError::BatchTooLarge { bytes, limit } => too_large(
            format!(
                "the batch has {bytes} bytes of JSON with what is filled in, more than the {limit} \
                 allowed"
            ),
            "send fewer events at a time",
        ),
        ApiError::TooManyEvents { events, limit } => too_large(
            format!("the batch has {events} events, more than the {limit} allowed"),
            "send fewer events at a time",
        ),
        ApiError::TooManyIds { ids, limit } => too_large(
            format!("ids has {ids} entries, more than the {limit} allowed"),
            "name fewer events at a time, or choose by a filter",
        ),
        ApiError::EmptyBatch => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidEvent,
            "The batch has no events",
        )
        .remedy("send at least one event"),
        ApiError::InvalidJson(violations) => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidJson,
            "The body is not the JSON that this path takes; nothing was changed",
        )
        .with_violations(violations),
        _ => refusal(
            StatusCode::BAD_REQUEST,
            ErrorCode::BodyUnreadable,
            "The body could not be read to its end; nothing was changed",
        )
        .because("the connection was cut, or the upload took too long")
        .remedy("send the request again"),
    }
}

/// The answers to a body in a format that is not taken.
fn of_media(unsupported: &UnsupportedMedia) -> Answer {
    let declare = "send the header Content-Type: application/json";
    let (error, fault, remedy) = match unsupported {
        UnsupportedMedia::NotJson { given: None } => (
            "The body is not declared as JSON",
            "Content-Type is missing".to_owned(),
            declare,
        ),
        UnsupportedMedia::NotJson { given: Some(given) } => (
            "The body is not declared as JSON",
            format!("Content-Type is {}", quoted(given)),
            declare,
        ),
        UnsupportedMedia::Charset { given } => (
            "The body is not in UTF-8",
            format!("Content-Type names the character set {}", quoted(given)),
            "encode the body as UTF-8, and send the header Content-Type: application/json",
        ),
        UnsupportedMedia::WideText => (
            "The body is not in UTF-8",
            "the body is in UTF-16 or UTF-32".to_owned(),
            "encode the body as UTF-8",
        ),
        UnsupportedMedia::Compressed { given } => (
            "The body is compressed",
            format!("its encoding is {}", quoted(given)),
            "send the body as it is, without the header Content-Encoding",
        ),
        UnsupportedMedia::CloudEvent { shown_by } => (
            "CloudEvents are not supported",
            format!("{shown_by} shows an event of CloudEvents"),
            "send the event in the form of this API, with the header Content-Type: application/json \
             and without ce- headers",
        ),
    };
    refusal(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::UnsupportedMediaType,
        error,
    )
    .fault(fault, remedy)
}

fn too_large(fault: String, remedy: &str) -> Answer {
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooLarge,
        "The request is too large; nothing was changed",
    )
    .fault(fault, remedy)
}

/// The answers to a caller who asks for more than one may.
fn of_excess(excess: Excess) -> Answer {
    let too_fast = || {
        refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "You ask for too much in a short time; nothing was changed",
        )
    };
    let too_many_streams = || {
        refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::TooManyStreams,
            "Too many live streams are open",
        )
        .because("pages that were left open, or a program that opens streams and keeps them")
    };
    match excess {
        Excess::Publishes {
            reach,
            rate,
            seconds,
        } => {
            let flag = match reach {
                Reach::Themselves => "--own-publish-rate for those without the scope events:publish",
                Reach::Everyone => "--publish-rate",
            };
            too_fast().fault(
                format!("you may publish {rate} events a second"),
                &format!(
                    "try again in {seconds} s, and send fewer events in that time; an operator sets \
                     the limit with {flag}"
                ),
            )
        }
        Excess::Requests { rate, seconds } => too_fast().fault(
            format!("you may send {rate} requests a second"),
            &format!(
                "try again in {seconds} s, and less often after that; an operator sets the limit with \
                 --request-rate"
            ),
        ),
        Excess::Uploads { bytes } => refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "You send too much at the same time; nothing was changed",
        )
        .because("uploads that are slow, or that were begun and not finished")
        .fault(
            format!("your unfinished uploads may have {bytes} bytes together"),
            "finish some of them first, or send smaller batches",
        ),
        Excess::Changes { most } => refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "You send too many bulk changes at the same time; nothing was changed",
        )
        .because("a bulk change of yours is running, and the others wait for it")
        .fault(
            format!("{most} of your bulk changes may wait for their turn"),
            "wait for the answer to some of them before you send more",
        ),
        Excess::Answers { bytes } => refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "Too many of your answers wait to be read; nothing was changed",
        )
        .because("a client that sends requests and does not read the answers")
        .fault(
            format!("your unread answers may have {bytes} bytes together"),
            "read the answers that you have asked for, or ask for smaller pages",
        ),
        Excess::Reads { most } => refusal(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "You send too many queries at the same time",
        )
        .because("several queries of yours are running, and the others wait for them")
        .fault(
            format!("{most} of your queries may wait for their turn"),
            "wait for the answer to some of them before you send more",
        ),
        Excess::StreamsOfOwner { most } => too_many_streams().fault(
            format!("you may have {most} open"),
            "close one that is not needed; an operator sets the limit with --max-streams-per-owner",
        ),
        Excess::StreamsToAddress { most } => too_many_streams().fault(
            format!("your address may have {most} open"),
            "close one that is not needed; an operator sets the limit with \
             --max-streams-per-address",
        ),
    }
}

/// Whether a disk is full, or the share of it that the server's user has.
fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

fn of_store(error: &StoreError) -> Answer {
    match error {
        StoreError::Full(_) => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "The disk that holds the events is full",
        )
        .remedy(
            "delete events that are no longer needed, or free some space on the server, then send the \
             request again",
        ),
        StoreError::TookTooLong { limit } => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::QueryTooSlow,
            "The query takes too long",
        )
        .because("it counts, searches or passes over very many events")
        .fault(
            format!("it took longer than the {} s allowed", limit.as_secs()),
            "leave out the total (`count=none`), follow `next` instead of page numbers, or narrow the \
             filter, for example with `from` and `to`",
        ),
        StoreError::Unavailable(_) => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The event store is unavailable",
        )
        .remedy("try again in a moment; an event that was stored after all is not stored twice"),
        _ => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "The event store failed",
        )
        .remedy("look into the server's log for this answer's x-request-id"),
    }
}

struct Answer {
    status: StatusCode,
    body: ErrorBody,
}

/// The caller can mend it.
fn refusal(status: StatusCode, code: ErrorCode, error: &str) -> Answer {
    let body = ErrorBody {
        error: error.to_owned(),
        code,
        severity: ErrorSeverity::Error,
        probable_cause: Vec::new(),
        suggested_remediation: Vec::new(),
        long_description: Vec::new(),
    };
    Answer { status, body }
}

/// The operator has to look at it.
fn failure(status: StatusCode, code: ErrorCode, error: &str) -> Answer {
    let mut answer = refusal(status, code, error);
    answer.body.severity = ErrorSeverity::Critical;
    answer
}

impl Answer {
    fn because(mut self, cause: &str) -> Self {
        self.body.probable_cause.push(cause.to_owned());
        self
    }

    fn remedy(mut self, remedy: &str) -> Self {
        self.body.suggested_remediation.push(remedy.to_owned());
        self
    }

    fn fault(mut self, fault: String, remedy: &str) -> Self {
        self.body.long_description.push(fault);
        self.remedy(remedy)
    }

    /// One entry a fault, and at the same place its remedy.
    fn with_violations(mut self, violations: &Violations) -> Self {
        for violation in violations.iter().take(MAX_FAULTS) {
            let fault = format!("{} {}", violation.field, violation.fault);
            self = self.fault(fault, &violation.remedy);
        }
        let unlisted = violations.iter().len().saturating_sub(MAX_FAULTS);
        if unlisted > 0 {
            let fault = format!("and {unlisted} more");
            self = self.fault(fault, "mend these first, then send the request again");
        }
        self
    }

    fn into_parts(self) -> (StatusCode, ErrorBody) {
        (self.status, self.body)
    }
}

fn field(index: Option<usize>, name: &str) -> String {
    index.map_or(name.to_owned(), |index| format!("[{index}].{name}"))
}

/// The most of a refused text that is repeated in an answer, in characters.
const QUOTED_CHARS: usize = 80;

/// The start of a text from outside, fit to be shown whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    let start: String = text
        .chars()
        .take(QUOTED_CHARS)
        .map(|char| match char {
            '"' | '\'' => char.to_string(),
            other => other.escape_debug().to_string(),
        })
        .collect();
    let end = match text.chars().nth(QUOTED_CHARS) {
        Some(_) => "…",
        None => "",
    };
    format!("`{start}{end}`")
}
