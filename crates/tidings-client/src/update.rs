//! Updating published events.

use reqwest::{Method, StatusCode};
use tidings_event::{EventId, NewUpdate, Receipt, Update, WarningCode};

use crate::client::Client;
use crate::error::ClientError;
use crate::response;

impl Client {
    /// Replaces severity, description and metadata of an event that this client's system has published. The update is
    /// from [`Event::update`](tidings_event::Event::update).
    ///
    /// When this returns, the update is on disk and was delivered to every open stream of the event's owner. If a later
    /// update is stored already, nothing changes: the receipt is `repeated`, and a warning says so.
    ///
    /// The call can be repeated after a failure. With a
    /// [sequence](tidings_event::UpdateBuilder::with_sequence) it then never undoes a later update.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected), for example with the code `event_not_found` if the owner has
    /// deleted the event, or the reason why there is no response.
    pub async fn update(&self, update: Update) -> Result<Receipt, ClientError> {
        self.update_new(update.id(), &update.into()).await
    }

    /// Same as [`update`](Self::update), with an update that the server validates and repairs.
    ///
    /// # Errors
    ///
    /// Same as [`update`](Self::update).
    pub async fn update_new(
        &self,
        event: EventId,
        update: &NewUpdate,
    ) -> Result<Receipt, ClientError> {
        let url = self.transport().event_url(&[], event.into());
        let request = self.transport().request(Method::PUT, url).json(update);
        let response = self.transport().send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(response::rejection(response, self.server()).await);
        }
        let mut receipt: Receipt = response::json(response, self.server()).await?;
        let is_outdated = |code| code == WarningCode::Outdated;
        receipt.repeated = receipt.warnings.iter().any(|one| is_outdated(one.code));
        Ok(receipt)
    }
}
