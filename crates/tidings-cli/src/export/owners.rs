//! Names the owner kind of each exported event.

use tidings_client::{Client, ClientError};
use tidings_event::{Event, EventFilter, OwnerId, OwnerKind, OwnerName, PageRequest, Total};

use crate::output;
use crate::retry::RetryArgs;

/// Distinguishes the system's events from the user's. The owner id in an event does not show the kind,
/// so the export asks the server for one system event. All system events have the same owner.
#[derive(Debug)]
pub(super) struct Owners {
    client: Client,
    system: Option<OwnerId>,
    /// Other owners seen so far.
    user: Option<OwnerId>,
}

impl Owners {
    pub(super) const fn new(client: Client) -> Self {
        Self {
            client,
            system: None,
            user: None,
        }
    }

    /// Returns the owner kind of an event.
    pub(super) async fn name_of(
        &mut self,
        event: &Event,
        retries: RetryArgs,
    ) -> Result<OwnerName, ClientError> {
        let Some(owner) = event.owner else {
            return Ok(OwnerName::System);
        };
        if self.system == Some(owner) {
            return Ok(OwnerName::System);
        }
        if self.user != Some(owner) {
            self.system = self.ask(retries).await?;
            if self.system == Some(owner) {
                return Ok(OwnerName::System);
            }
            self.user = Some(owner);
        }
        Ok(OwnerName::User(owner))
    }

    async fn ask(&self, retries: RetryArgs) -> Result<Option<OwnerId>, ClientError> {
        let filter = EventFilter::default().with_owner_kind(OwnerKind::System);
        let page = PageRequest::default().with_size(1).with_total(Total::Left);
        let request = async || self.client.list(filter.clone(), page).await;
        let page = retries.send(output::note, request).await?.value;
        Ok(page.events.first().and_then(|event| event.owner))
    }
}
