//! A request to update an event.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use tidings_event::EventId;

use super::{EventPath, Updater, body};
use crate::error::ApiError;
use crate::identity::Caller;
use crate::request::body::{Content, ReadBody};
use crate::request::query::{Elsewhere, check_unfiltered};
use crate::state::AppState;

/// A request to update an event. Its caller is authorized, the request counts as a publish by its size, and its body is
/// read but not parsed.
#[derive(Debug)]
pub(crate) struct UpdateRequest {
    pub(crate) caller: Caller,
    pub(crate) id: EventId,
    pub(crate) body: ReadBody,
}

impl FromRequest<Arc<AppState>> for UpdateRequest {
    type Rejection = ApiError;

    /// Boxed, so that the handler's own future stays small.
    fn from_request(
        request: Request,
        state: &Arc<AppState>,
    ) -> impl Future<Output = Result<Self, ApiError>> + Send {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Updater(caller) = Updater::from_request_parts(&mut parts, state).await?;
            check_unfiltered(parts.uri.query(), Elsewhere::Update)?;
            let EventPath(event) = EventPath::from_request_parts(&mut parts, state).await?;
            let (owner, reach, callers) = (caller.owner, caller.reach(), &state.callers);
            let declared = body.size_hint().exact();
            let counted = callers.count_publish(owner, reach, declared.unwrap_or(0));
            let counted = state.judge(counted);
            let expected = (Elsewhere::Update, Content::Events);
            let body = body::read(state, counted, Some(caller), parts, body, expected).await?;
            if declared.is_none() {
                let bytes = body.bytes.len() as u64;
                state.judge(callers.count_undeclared(owner, reach, bytes))?;
            }
            let id = event.id;
            Ok(Self { caller, id, body })
        })
    }
}
