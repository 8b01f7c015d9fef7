//! The body of a request, read as a type.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use tidings_event::{Limits, Selection, Status};

use crate::error::ApiError;
use crate::identity::{Caller, Credential};
use crate::limits::check_uri;
use crate::log_level::Level;
use crate::request::body::{BodyBudget, BodyLimit, Content, ReadBody};
use crate::request::change::{ChangeRejection, Marking, read_marking, read_selection, read_status};
use crate::request::log_level::{self, LogLevelRejection};
use crate::request::query::{Elsewhere, check_unfiltered};
use crate::request::revocation::{Revocation, RevocationRejection};
use crate::state::AppState;

/// A type that is read from a JSON body.
pub(crate) trait FromBody: Send + Sized {
    /// The contents of the body, for the error if it is too large.
    const CONTENT: Content;
    /// The parameters of the request.
    const PLACE: Elsewhere = Elsewhere::Body;
    type Error: Into<ApiError>;

    fn read(text: &str, limits: &Limits) -> Result<Self, Self::Error>;
}

/// A `T` from the body of a request. The caller in `H` is authorized, the request is counted against
/// the caller's limits, and the body is within its limits.
#[derive(Debug)]
pub(crate) struct JsonBody<H, T> {
    /// The caller, and other data from the head.
    pub(crate) head: H,
    /// `None` without authentication.
    pub(crate) credential: Option<Credential>,
    pub(crate) value: T,
}

impl<H, T> FromRequest<Arc<AppState>> for JsonBody<H, T>
where
    H: FromRequestParts<Arc<AppState>, Rejection = ApiError> + AsRef<Caller> + Send,
    T: FromBody,
{
    type Rejection = ApiError;

    /// Boxed, so that the handler's own future stays small: it lives longer.
    fn from_request(
        request: Request,
        state: &Arc<AppState>,
    ) -> impl Future<Output = Result<Self, ApiError>> + Send {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let head = H::from_request_parts(&mut parts, state).await?;
            let credential = parts.extensions.remove();
            let caller = *head.as_ref();
            let counted = state.judge(state.callers.count_request(caller.owner));
            let expected = (T::PLACE, T::CONTENT);
            let body = read(state, counted, Some(caller), parts, body, expected).await?;
            let value = T::read(body.text()?, state.engine.limits()).map_err(Into::into)?;
            Ok(Self {
                head,
                credential,
                value,
            })
        })
    }
}

/// Reads a body if the request was `counted` within the caller's limits. The body of a rejected request
/// is discarded, so that its client sees the response.
///
/// The head is dropped before reading starts, and not kept until it ends.
pub(super) fn read(
    state: &AppState,
    counted: Result<(), ApiError>,
    caller: Option<Caller>,
    parts: Parts,
    body: Body,
    (place, content): (Elsewhere, Content),
) -> impl Future<Output = Result<ReadBody, ApiError>> {
    let Parts { uri, headers, .. } = parts;
    let admitted = counted
        .and_then(|()| state.judge(check_uri(&uri, state.uri_bytes)))
        .and_then(|()| Ok(check_unfiltered(uri.query(), place)?));
    drop(uri);
    match admitted {
        Ok(()) => {
            let limit = BodyLimit {
                bytes: state.engine.limits().batch_bytes,
                content,
            };
            // Without authentication there is only one caller, so its share of the memory has no limit.
            let caller = caller.filter(|_| state.authenticator.identity.has_login());
            let owner = caller.map(|caller| caller.owner);
            let read = state.bodies.read_json(owner, headers, body, limit);
            Either::Left(read.map(|read| state.judge(read)))
        }
        Err(rejected) => Either::Right(Box::pin(async move {
            BodyBudget::discard(&headers, body).await;
            Err(rejected)
        })),
    }
}

impl FromBody for Selection {
    const CONTENT: Content = Content::Selection;
    type Error = ChangeRejection;

    fn read(text: &str, limits: &Limits) -> Result<Self, ChangeRejection> {
        read_selection(text, limits)
    }
}

impl FromBody for Marking {
    const CONTENT: Content = Content::Selection;
    type Error = ChangeRejection;

    fn read(text: &str, limits: &Limits) -> Result<Self, ChangeRejection> {
        read_marking(text, limits)
    }
}

impl FromBody for Status {
    const CONTENT: Content = Content::Fields;
    const PLACE: Elsewhere = Elsewhere::EventBody;
    type Error = ChangeRejection;

    fn read(text: &str, _limits: &Limits) -> Result<Self, ChangeRejection> {
        read_status(text)
    }
}

impl FromBody for Level {
    const CONTENT: Content = Content::Fields;
    type Error = LogLevelRejection;

    fn read(text: &str, _limits: &Limits) -> Result<Self, LogLevelRejection> {
        log_level::read(text)
    }
}

impl FromBody for Revocation {
    const CONTENT: Content = Content::Fields;
    type Error = RevocationRejection;

    fn read(text: &str, _limits: &Limits) -> Result<Self, RevocationRejection> {
        Self::read(text)
    }
}
