//! The query of a publish request, and the address of its events.

use axum::http::{HeaderValue, Uri};
use bytes::Bytes;
use tidings_event::EventId;
use uuid::fmt::Hyphenated;

use crate::identity::{Caller, CredentialError};
use crate::request::query::{InvalidQuery, is_set};
use crate::request::spelling::PUBLISH;
use crate::token::Scopes;

/// The options in the query. Other parameters are ignored, since existing clients send some.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishOptions {
    /// The events come from another store and keep their times and status.
    pub(crate) keeps_past: bool,
    /// The valid events of a batch are stored without the others.
    pub(crate) is_partial: bool,
}

impl PublishOptions {
    pub(crate) fn read(query: &str) -> Result<Self, InvalidQuery> {
        let [import, partial] = &PUBLISH;
        Ok(Self {
            keeps_past: is_set(query, import).map_err(InvalidQuery)?,
            is_partial: is_set(query, partial).map_err(InvalidQuery)?,
        })
    }

    /// Rejects an import by a caller who can publish to themselves only, since an import can claim any
    /// time.
    pub(crate) fn check(self, caller: Caller) -> Result<(), CredentialError> {
        if self.keeps_past && !caller.scopes.contains(Scopes::PUBLISH) {
            let any_of = &[Scopes::PUBLISH];
            return Err(CredentialError::MissingScope { any_of });
        }
        Ok(())
    }
}

/// The address of an event, relative to the URL of the publish request (RFC 9110 §10.2.2): it holds
/// below any path at which a proxy or a program serves the routes.
#[derive(Debug)]
pub(crate) struct EventLocation(String);

impl EventLocation {
    /// The address of events below the last segment of `uri`.
    pub(crate) fn below(uri: &Uri) -> Self {
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        let mut location = String::with_capacity(last.len() + 1 + Hyphenated::LENGTH);
        if !last.is_empty() {
            location.push_str(last);
            location.push('/');
        }
        Self(location)
    }

    pub(crate) fn of(self, id: EventId) -> HeaderValue {
        let Self(mut location) = self;
        let mut hyphenated = [0; Hyphenated::LENGTH];
        location.push_str(id.as_uuid().hyphenated().encode_lower(&mut hyphenated));
        HeaderValue::from_maybe_shared(Bytes::from(location))
            .expect("a path and a UUID fit into a header")
    }
}
