//! A request to publish.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts as _, OriginalUri, Request};
use tidings::wire::{Prepared, PreparedForMany};

use super::{Publisher, body};
use crate::error::ApiError;
use crate::identity::Caller;
use crate::limits::LimitError;
use crate::publication::{
    EventLocation, EventParser, PublishOptions, PublishRejection, Subjects, is_batch, names_owners,
};
use crate::request::body::{Content, ReadBody};
use crate::request::query::Elsewhere;
use crate::state::AppState;

/// A request to publish. Its caller is authorized, the request is counted by its size, and its body is
/// read but not parsed. [`Self::prepare`] parses it and counts the further events.
#[derive(Debug)]
pub(crate) struct PublishRequest {
    pub(crate) caller: Caller,
    pub(crate) options: PublishOptions,
    /// The URL of a stored event.
    pub(crate) location: EventLocation,
    pub(crate) body: ReadBody,
}

/// The events of a request, all of which can be stored.
#[derive(Debug)]
pub(crate) struct PreparedEvents {
    pub(crate) prepared: Vec<Prepared>,
    /// Whether the request has an array.
    pub(crate) is_batch: bool,
}

impl PublishRequest {
    /// Whether the request has an array whose events are stored or rejected one by one.
    pub(crate) fn is_partial_batch(&self) -> bool {
        self.options.is_partial && self.body.text().is_ok_and(is_batch)
    }

    /// Whether the request is one event for several owners.
    pub(crate) fn is_for_many(&self) -> bool {
        self.body.text().is_ok_and(names_owners)
    }

    /// Parses and prepares an event for several owners, and counts it as one for each.
    ///
    /// # Errors
    ///
    /// If it cannot be stored, or the caller publishes too fast.
    pub(crate) fn prepare_for_many(&self, state: &AppState) -> Result<PreparedForMany, ApiError> {
        let (draft, recipients) = self.parser(state).read_for_many(self.body.text()?)?;
        let counted = self.count(recipients.owners().len(), state);
        state.judge(counted.map_err(PublishRejection::from))?;
        let prepared = state.wire.prepare_for(draft, &recipients);
        Ok(prepared.map_err(|error| PublishRejection::of_engine(error, false))?)
    }

    /// Parses, counts and prepares the events.
    ///
    /// # Errors
    ///
    /// If one of them cannot be stored, or the caller publishes too fast.
    pub(crate) fn prepare(&self, state: &AppState) -> Result<PreparedEvents, ApiError> {
        let (text, parser) = (self.body.text()?, self.parser(state));
        let is_batch = is_batch(text);
        let prepared = if is_batch {
            let count = |events| self.count(events, state);
            let prepare = |draft| state.wire.prepare(draft);
            state.judge(parser.read_batch(text, count, prepare))?
        } else {
            vec![state.wire.prepare(parser.read_one(text)?)]
        };
        Ok(PreparedEvents { prepared, is_batch })
    }

    /// Same as [`Self::prepare`], with an outcome for each event.
    ///
    /// # Errors
    ///
    /// If the body is not an array, has too many events, or the caller publishes too fast.
    pub(crate) fn prepare_each(
        &self,
        state: &AppState,
    ) -> Result<Vec<Result<Prepared, PublishRejection>>, ApiError> {
        let (text, parser) = (self.body.text()?, self.parser(state));
        let count = |events| self.count(events, state);
        let prepare = |draft| state.wire.prepare(draft);
        state.judge(parser.read_each(text, count, prepare))
    }

    fn parser<'a>(&self, state: &'a AppState) -> EventParser<'a> {
        let subjects = Subjects::from(&state.authenticator.identity);
        let limits = state.engine.limits();
        EventParser::new(self.caller, limits, subjects, self.options.keeps_past)
    }

    /// Counts the events of a batch beyond the first.
    fn count(&self, events: usize, state: &AppState) -> Result<(), LimitError> {
        let (owner, reach) = (self.caller.owner, self.caller.reach());
        let bytes = self.body.bytes.len() as u64;
        state.callers.count_batch(owner, reach, events, bytes)
    }
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
