//! The limit that a request exceeds, and the error response.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use super::Reach;
use crate::problem::{Problem, RETRY_AFTER_SECONDS};

/// `Retry-After` in seconds while too many streams are open. The server cannot know when one of them
/// ends.
const RETRY_STREAM_AFTER_SECONDS: u32 = 10;

/// The limit that a request exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitError {
    /// Events published per second, and the seconds until a retry can succeed.
    Publishes {
        reach: Reach,
        rate: NonZeroU32,
        seconds: u32,
    },
    /// Requests per second, and the seconds until a retry can succeed.
    Requests { rate: NonZeroU32, seconds: u32 },
    /// Open streams of one user.
    StreamsOfOwner { limit: NonZeroU32 },
    /// Open streams to one client address.
    StreamsToAddress { limit: NonZeroU32 },
    /// Bytes of unfinished uploads.
    Uploads { bytes: usize },
    /// Waiting bulk changes.
    Changes { limit: usize },
    /// Bytes of responses that the client has not read.
    Responses { bytes: usize },
    /// Waiting queries.
    Queries { limit: usize },
    /// Bytes of the path and its query.
    Uri { bytes: usize, limit: usize },
}

impl LimitError {
    pub(crate) fn problem(&self) -> Problem {
        match *self {
            Self::Publishes {
                reach,
                rate,
                seconds,
            } => rate_limited(
                match reach {
                    Reach::Themselves => format!(
                        "you can publish {} per second, and each 8 KiB count as one event",
                        counted(rate, "event")
                    ),
                    Reach::Everyone => {
                        format!("you can publish {} per second", counted(rate, "event"))
                    }
                },
                match reach {
                    Reach::Themselves => {
                        "--own-publish-rate, which applies to tokens without the scope \
                         events:publish"
                    }
                    Reach::Everyone => "--publish-rate",
                },
                seconds,
            ),
            Self::Requests { rate, seconds } => rate_limited(
                format!("you can send {} per second", counted(rate, "request")),
                "--request-rate",
                seconds,
            ),
            Self::StreamsOfOwner { limit } => too_many_streams(
                format!("you can have {limit} open"),
                "--max-streams-per-owner",
            ),
            Self::StreamsToAddress { limit } => too_many_streams(
                format!("your address can have {limit} open"),
                "--max-streams-per-address",
            ),
            Self::Uploads { bytes } => too_many(
                "Your unfinished uploads are too large",
                "slow uploads, or uploads that were started and not finished",
                format!("your unfinished uploads can take {bytes} bytes in total"),
                "finish some of them first, or send smaller batches",
            )
            .effect("nothing was changed"),
            Self::Changes { limit } => too_many(
                "Too many of your bulk changes are waiting",
                "one of your bulk changes is running, and the others wait for it",
                format!("{limit} of your bulk changes can wait"),
                "wait for the response to some of them before you send more",
            )
            .effect("nothing was changed"),
            Self::Responses { bytes } => too_many(
                "Your unread responses are too large",
                "a client that sends requests and does not read the responses",
                format!("your unread responses can take {bytes} bytes in total"),
                "read the responses to your requests, or request smaller pages",
            )
            .effect("nothing was changed"),
            Self::Queries { limit } => too_many(
                "Too many of your queries are waiting",
                "several of your queries are running, and the others wait for them",
                format!("{limit} of your queries can wait"),
                "wait for the response to some of them before you send more",
            ),
            Self::Uri { bytes, limit } => Problem::rejection(
                StatusCode::URI_TOO_LONG,
                ErrorCode::UriTooLong,
                "The URL is too long",
            )
            .detail(
                format!("path and query have {bytes} bytes, more than the {limit} allowed"),
                "name fewer values in a filter",
            ),
        }
    }
}

/// A number with its noun.
fn counted(number: NonZeroU32, noun: &str) -> String {
    let plural = if number == NonZeroU32::MIN { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn rate_limited(detail: String, flag: &str, seconds: u32) -> Problem {
    Problem::rejection(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::RateLimited,
        "Rate limit exceeded",
    )
    .effect("nothing was changed")
    .detail(
        detail,
        &format!(
            "try again in {seconds} s, and more slowly after that; an operator sets the limit with \
             {flag}"
        ),
    )
    .retry_after(seconds)
}

fn too_many_streams(detail: String, flag: &str) -> Problem {
    Problem::rejection(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyStreams,
        "Too many live streams are open",
    )
    .probable_cause("pages that were left open, or a program that opens streams and keeps them")
    .detail(
        detail,
        &format!("close a stream that is not needed; an operator sets the limit with {flag}"),
    )
    .retry_after(RETRY_STREAM_AFTER_SECONDS)
}

fn too_many(error: &str, cause: &str, detail: String, remedy: &str) -> Problem {
    Problem::rejection(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, error)
        .probable_cause(cause)
        .detail(detail, remedy)
        .retry_after(RETRY_AFTER_SECONDS)
}
