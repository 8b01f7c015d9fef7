//! A request to publish.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts as _, OriginalUri, Request};

use super::{Publisher, body};
use crate::error::ApiError;
use crate::identity::Caller;
use crate::publication::{EventLocation, PublishOptions};
use crate::request::body::{Content, ReadBody};
use crate::request::query::Elsewhere;
use crate::state::AppState;

/// A request to publish. Its caller is authorized, the request is counted by its size, and its body is
/// read but not parsed. Further events are counted once their number is known.
#[derive(Debug)]
pub(crate) struct PublishRequest {
    pub(crate) caller: Caller,
    pub(crate) options: PublishOptions,
    /// The URL of a stored event.
    pub(crate) location: EventLocation,
    pub(crate) body: ReadBody,
}

impl FromRequest<Arc<AppState>> for PublishRequest {
    type Rejection = ApiError;

    /// Boxed, so that the handler's own future stays small: one is made for every event, and allocators
    /// are slow with more than a KiB at a time. Of the URI only the path is kept, which also lets go of
    /// the request's head; see `Visit`.
    fn from_request(
        request: Request,
        state: &Arc<AppState>,
    ) -> impl Future<Output = Result<Self, ApiError>> + Send {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Publisher(caller) = Publisher::from_request_parts(&mut parts, state).await?;
            let uri = parts.extensions.get::<OriginalUri>();
            let uri = uri.map_or(&parts.uri, |OriginalUri(uri)| uri);
            let options = PublishOptions::read(uri.query().unwrap_or_default())?;
            options.check(caller)?;
            let location = EventLocation::below(uri);
            let (owner, reach, callers) = (caller.owner, caller.reach(), &state.callers);
            let declared = body.size_hint().exact();
            let counted = callers.count_publish(owner, reach, declared.unwrap_or(0));
            let counted = state.judge(counted);
            let caller_of_body = Some(caller);
            let expected = (Elsewhere::Body, Content::Events);
            let body = body::read(state, counted, caller_of_body, parts, body, expected).await?;
            if declared.is_none() {
                let bytes = body.bytes.len() as u64;
                state.judge(callers.count_undeclared(owner, reach, bytes))?;
            }
            Ok(Self {
                caller,
                options,
                location,
                body,
            })
        })
    }
}
