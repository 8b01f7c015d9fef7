//! A request to delete an event: from its reader, or from its publisher.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tidings_event::{EventId, EventRef, Retraction};

use super::event_path;
use crate::error::ApiError;
use crate::identity::{Caller, CredentialError};
use crate::publication::{EventParser, Subjects};
use crate::request::query::{Elsewhere, Recipient, check_unfiltered};
use crate::state::AppState;
use crate::token::Scopes;

/// A request to delete an event. Its caller is authorized, and the request is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DeletionRequest {
    /// A reader deletes an event that they see.
    ByReader { caller: Caller, event: EventRef },
    /// A publisher takes back what their system has published.
    ByPublisher {
        caller: Caller,
        retraction: Retraction,
        /// If no owner is named, the event can have gone to several.
        names_owner: bool,
    },
    /// A publisher takes it back from all owners to whom it was published together.
    FromAll { caller: Caller, id: EventId },
}

impl FromRequestParts<Arc<AppState>> for DeletionRequest {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let query = parts.uri.query().unwrap_or_default();
        let named = Recipient::named_in(query);
        let is_retraction = match named {
            Recipient::Owner | Recipient::All => true,
            Recipient::Kind => false,
            // A token that publishes and cannot change its own events.
            Recipient::Caller => {
                !caller.scopes.contains(Scopes::WRITE) && caller.scopes.contains(Scopes::PUBLISH)
            }
        };
        let scope = match is_retraction {
            true => &[Scopes::PUBLISH],
            false => &[Scopes::WRITE],
        };
        if !caller.scopes.contains(scope[0]) {
            return Err(CredentialError::MissingScope { any_of: scope }.into());
        }
        if !is_retraction {
            state.admit(caller, &parts.uri)?;
            check_unfiltered(parts.uri.query(), Elsewhere::Deletion)?;
            let event = event_path::named(parts, state).await?;
            return Ok(Self::ByReader { caller, event });
        }
        state.admit_publish(caller, &parts.uri)?;
        check_unfiltered(parts.uri.query(), Elsewhere::Deletion)?;
        if named == Recipient::All {
            Recipient::check_all(query)?;
            let id = event_path::named(parts, state).await?.id;
            return Ok(Self::FromAll { caller, id });
        }
        let recipient = Recipient::read(query)?;
        let event = event_path::named(parts, state).await?;
        let identity = &state.authenticator.identity;
        let parser = EventParser::new(
            caller,
            state.engine.limits(),
            Subjects::from(identity),
            false,
        );
        let retraction = parser.settle_retraction(recipient, event.id)?;
        Ok(Self::ByPublisher {
            caller,
            retraction,
            names_owner: named == Recipient::Owner,
        })
    }
}
