//! Events of several owners.

use reqwest::{Method, StatusCode};
use serde::Serialize;
use tidings_event::{
    ChangeOutcome, EventId, NewEvent, NewUpdate, OwnerId, Recipients, SharedReceipt,
    SharedUpdateReceipt,
};

use crate::client::Client;
use crate::error::ClientError;
use crate::response;

/// The value that names all owners of an event.
const ALL: &str = "all";

#[derive(Serialize)]
struct ForOwners<'a> {
    #[serde(flatten)]
    event: &'a NewEvent,
    owners: &'a [OwnerId],
}

#[derive(Serialize)]
struct ForAll<'a> {
    #[serde(flatten)]
    update: &'a NewUpdate,
    owners: &'static str,
}

impl Client {
    /// Publishes one event to several owners, in one commit. The event must have no owner.
    ///
    /// When this returns, each owner has the event on disk, and it was delivered to every open stream of theirs. An event
    /// with an id can be published again, to the same owners or others: it reaches exactly those who do not have it.
    ///
    /// # Errors
    ///
    /// Same as [`publish`](Self::publish). Nothing was stored for any owner.
    pub async fn publish_to_many(
        &self,
        event: impl Into<NewEvent>,
        recipients: &Recipients,
    ) -> Result<SharedReceipt, ClientError> {
        let url = self.transport().events_url(&[]);
        let body = ForOwners {
            event: &event.into(),
            owners: recipients.owners(),
        };
        let (response, _) = self.transport().post(url, &body).await?;
        response::json(response, self.server()).await
    }

    /// Updates an event for all owners to whom it was [published together](Self::publish_to_many). The update must have
    /// no owner.
    ///
    /// The server goes through the owners in steps. After a failure, repeat the call: it reaches the rest.
    ///
    /// # Errors
    ///
    /// Same as [`update`](Self::update).
    pub async fn update_for_all(
        &self,
        event: EventId,
        update: &NewUpdate,
    ) -> Result<SharedUpdateReceipt, ClientError> {
        let url = self.transport().event_url(&[], event.into());
        let body = ForAll {
            update,
            owners: ALL,
        };
        let request = self.transport().request(Method::PUT, url).json(&body);
        let response = self.transport().send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(response::rejection(response, self.server()).await);
        }
        response::json(response, self.server()).await
    }

    /// Takes an event back from all owners to whom it was [published together](Self::publish_to_many). From then on,
    /// publishing it to more owners reaches no one.
    ///
    /// The server goes through the owners in steps. After a failure, repeat the call: it reaches the rest.
    ///
    /// # Errors
    ///
    /// Same as [`retract`](Self::retract).
    pub async fn retract_from_all(&self, event: EventId) -> Result<ChangeOutcome, ClientError> {
        let mut url = self.transport().event_url(&[], event.into());
        url.query_pairs_mut().append_pair("owners", ALL);
        self.delete_at(url).await
    }
}
