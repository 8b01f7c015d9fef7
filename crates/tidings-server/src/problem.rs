//! The response to a rejected or failed request: the status, the error body and the headers.
//!
//! Each part of the server has an error type of its own, beside the code that returns it, and turns
//! it into a [`Problem`]. [`ApiError`](crate::error::ApiError) only collects these types.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod invariants;
mod quoted;

use std::error::Error;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tidings_event::{ErrorBody, ErrorCode, ErrorSeverity, Violations};

use crate::error_chain::chain;

pub(crate) use quoted::quoted;

/// The `Retry-After` of a 503, and of a 429 about uploads, queries or changes under way, in seconds:
/// most causes pass quickly or need a human.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 2;

/// The most violations that one error body lists. A batch can have thousands.
const MAX_VIOLATIONS: usize = 100;

/// The media type of every error body.
pub(crate) const ERROR_TYPE: HeaderValue =
    HeaderValue::from_static("application/json; charset=utf-8");

/// An error response that is not written yet.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: ErrorBody,
    /// The effect on the whole request, such as "nothing was stored".
    effect: Option<&'static str>,
    retry_after: Option<u32>,
    /// One header that belongs to this error, such as `WWW-Authenticate`.
    header: Option<(HeaderName, HeaderValue)>,
    /// The cause for the log. The client never sees it.
    cause: Option<String>,
    is_failure: bool,
}

/// An extension of the response that marks a failure of the server for the log. The client does not see
/// it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The error with all its sources.
    pub(crate) cause: Option<String>,
}

impl Problem {
    /// A request that its sender can correct, or repeat later.
    pub(crate) fn rejection(status: StatusCode, code: ErrorCode, error: impl Into<String>) -> Self {
        let body = ErrorBody::new(code, ErrorSeverity::Error, error);
        let is_unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status,
            body,
            effect: None,
            retry_after: is_unavailable.then_some(RETRY_AFTER_SECONDS),
            header: None,
            cause: None,
            is_failure: false,
        }
    }

    /// A failure that the operator has to look into. It is logged as an error.
    pub(crate) fn failure(status: StatusCode, code: ErrorCode, error: impl Into<String>) -> Self {
        let mut problem = Self::rejection(status, code, error);
        problem.body.severity = ErrorSeverity::Critical;
        problem.is_failure = true;
        problem
    }

    /// A fault of the server that its clients can do nothing about.
    pub(crate) fn internal(error: impl Into<String>) -> Self {
        Self::failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            error,
        )
        .remedy("look for this response's x-request-id in the server's log")
    }

    /// Sets the effect on the whole request: `nothing was stored` or `nothing was changed`.
    pub(crate) fn effect(mut self, effect: &'static str) -> Self {
        self.effect = Some(effect);
        self
    }

    pub(crate) fn probable_cause(mut self, cause: &str) -> Self {
        self.body.probable_cause.push(cause.to_owned());
        self
    }

    pub(crate) fn remedy(mut self, remedy: &str) -> Self {
        self.body.suggested_remediation.push(remedy.to_owned());
        self
    }

    /// A detail, and at the same index its remedy.
    pub(crate) fn detail(mut self, detail: String, remedy: &str) -> Self {
        self.body.long_description.push(detail);
        self.remedy(remedy)
    }

    /// A detail for each violation.
    pub(crate) fn violations(mut self, violations: &Violations) -> Self {
        for violation in violations.iter().take(MAX_VIOLATIONS) {
            let detail = format!("{} {}", violation.field, violation.fault);
            self = self.detail(detail, &violation.remedy);
        }
        let unlisted = violations.iter().len().saturating_sub(MAX_VIOLATIONS);
        if unlisted > 0 {
            let detail = format!("and {unlisted} more");
            self = self.detail(
                detail,
                "fix these faults first, then send the request again",
            );
        }
        self
    }

    /// When the same request can succeed, in seconds.
    pub(crate) const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The error behind this one, for the log.
    pub(crate) fn caused_by(self, error: &(dyn Error + 'static)) -> Self {
        self.cause(chain(error))
    }

    /// Sets the cause that only the log shows.
    pub(crate) fn cause(mut self, cause: String) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Another part of the server logs this failure, once and not for each request.
    pub(crate) const fn logged_elsewhere(mut self) -> Self {
        self.is_failure = false;
        self
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The extension for the log if the server has failed.
    pub(crate) fn as_failure(&self) -> Option<Failure> {
        let cause = self.cause.clone();
        self.is_failure.then_some(Failure { cause })
    }

    /// The error body of a whole request.
    pub(crate) fn into_body(mut self) -> ErrorBody {
        if let Some(effect) = self.effect {
            self.body.error.push_str("; ");
            self.body.error.push_str(effect);
        }
        self.body
    }

    /// The error body of one event among others: what became of the whole request is left out.
    pub(crate) fn into_body_of_one(self) -> ErrorBody {
        self.body
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let failure = self.as_failure();
        let (status, retry_after) = (self.status, self.retry_after);
        let header = self.header.take();
        if failure.is_none() {
            let status = status.as_u16();
            tracing::debug!(status, cause = self.cause, "rejected a request");
        }
        let json = serde_json::to_vec(&self.into_body());
        let json = json.expect("an error body has only text keys");
        let mut response = (status, [(CONTENT_TYPE, ERROR_TYPE)], json).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = header {
            headers.insert(name, value);
        }
        if let Some(failure) = failure {
            response.extensions_mut().insert(failure);
        }
        response
    }
}

/// Names a field of one event: in a batch with the event's index.
pub(crate) fn field(index: Option<usize>, name: &str) -> String {
    index.map_or(name.to_owned(), |index| format!("[{index}].{name}"))
}

/// Names one event: in a batch by its index.
pub(crate) fn event(index: Option<usize>) -> String {
    index.map_or("the event".to_owned(), |index| format!("[{index}]"))
}
