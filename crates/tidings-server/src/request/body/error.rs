//! Reasons why a body cannot be read, and their error responses.

use std::error::Error;

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use super::media_type::UnsupportedMedia;
use crate::limits::LimitError;
use crate::problem::{Problem, quoted};

/// Why a body cannot be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It is not declared as JSON in UTF-8, or is not what it is declared as.
    Unsupported(UnsupportedMedia),
    /// It ended early or took too long.
    Unreadable(Box<dyn Error + Send + Sync>),
    /// It has more bytes than any request can have.
    TooLarge { limit: usize, content: Content },
    /// Too many large bodies arrive at the same time.
    Overloaded,
    /// The caller's unfinished uploads take all the memory that one caller gets.
    Limit(LimitError),
}

/// The contents of a body, so that the remedy can say how to split it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Events,
    /// Ids or a filter, which name the events to change.
    Selection,
    /// A few fields of a known size.
    Fields,
}

impl From<UnsupportedMedia> for BodyError {
    fn from(unsupported: UnsupportedMedia) -> Self {
        Self::Unsupported(unsupported)
    }
}

impl BodyError {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Unsupported(unsupported) => unsupported.problem(),
            Self::Unreadable(error) => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::BodyUnreadable,
                "The body could not be read to its end",
            )
            .effect("nothing was changed")
            .probable_cause("the connection was cut, or the upload took too long")
            .remedy("send the request again")
            .caused_by(error.as_ref()),
            Self::TooLarge { limit, content } => too_large(
                format!("the body has more than the {limit} bytes allowed"),
                match content {
                    Content::Events => "send fewer events at a time",
                    Content::Fields => "send only the documented fields",
                    Content::Selection => "name fewer events at a time, or select them by a filter",
                },
            ),
            Self::Overloaded => Problem::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Overloaded,
                "Too many large requests arrive at the same time",
            )
            .effect("nothing was changed")
            .remedy("try again in a moment"),
            Self::Limit(limit) => limit.problem(),
        }
    }
}

/// The problem of a request, or a part of one, that is too large.
pub(crate) fn too_large(detail: String, remedy: &str) -> Problem {
    Problem::rejection(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooLarge,
        "The request is too large",
    )
    .effect("nothing was changed")
    .detail(detail, remedy)
}

impl UnsupportedMedia {
    pub(crate) fn problem(&self) -> Problem {
        let declare = "send the header Content-Type: application/json";
        let (error, detail, remedy) = match self {
            Self::NotJson { given: None } => (
                "The body is not declared as JSON",
                "Content-Type is missing".to_owned(),
                declare,
            ),
            Self::NotJson { given: Some(given) } => (
                "The body is not declared as JSON",
                format!("Content-Type is {}", quoted(given)),
                declare,
            ),
            Self::Charset { given } => (
                "The body is not in UTF-8",
                format!("Content-Type names the character set {}", quoted(given)),
                "encode the body as UTF-8, and send the header Content-Type: application/json",
            ),
            Self::WideText => (
                "The body is not in UTF-8",
                "the body is in UTF-16 or UTF-32".to_owned(),
                "encode the body as UTF-8",
            ),
            Self::Compressed { given } => (
                "The body is compressed",
                format!("its encoding is {}", quoted(given)),
                "send the body uncompressed, without the header Content-Encoding",
            ),
            Self::CloudEvent { shown_by } => (
                "CloudEvents are not supported",
                format!("{shown_by} marks the body as a CloudEvent"),
                "send the event in the form of this API, with the header Content-Type: \
                 application/json and without ce- headers",
            ),
        };
        let (name, value) = self.hint();
        Problem::rejection(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::UnsupportedMediaType,
            error,
        )
        .detail(detail, remedy)
        .header(name, value)
    }
}
