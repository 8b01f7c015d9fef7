//! Retracting published events.

use std::fmt::Display;

use tidings_event::{ChangeOutcome, EventId, Given, NewRetraction, Retraction};
use url::Url;

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Takes back an event that this client's system has published: it disappears from its owner's inbox, an event of the
    /// system from all. When this returns, the retraction is on disk and was delivered to every open stream.
    ///
    /// The call can be repeated: an event that was retracted, or deleted by its owner, is [`ChangeOutcome::Done`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected), for example with the code `foreign_system` if another system
    /// has published the event, or the reason why there is no response.
    pub async fn retract(&self, retraction: Retraction) -> Result<ChangeOutcome, ClientError> {
        self.retract_new(retraction.id(), &retraction.into()).await
    }

    /// Same as [`retract`](Self::retract), with an owner that the server determines, such as that of a subject.
    ///
    /// # Errors
    ///
    /// Same as [`retract`](Self::retract).
    pub async fn retract_new(
        &self,
        event: EventId,
        retraction: &NewRetraction,
    ) -> Result<ChangeOutcome, ClientError> {
        let mut url = self.transport().event_url(&[], event.into());
        name_owner(&mut url, retraction);
        self.delete_at(url).await
    }
}

/// The caller's name in a query. Without any name, the request would be a reader's deletion, whatever system has published
/// the event.
const CALLER: &str = "00000000-0000-0000-0000-000000000000";

/// Names the owner in the query.
fn name_owner(url: &mut Url, retraction: &NewRetraction) {
    let mut query = url.query_pairs_mut();
    let subject = text(&retraction.subject);
    let owner = text(&retraction.owner);
    let owner = owner.or_else(|| subject.is_none().then(|| CALLER.to_owned()));
    for (name, value) in [
        ("owner", owner),
        ("subject", subject),
        ("issuer", text(&retraction.issuer)),
    ] {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
}

/// What a field is given as.
fn text<T: Display>(given: &Given<T>) -> Option<String> {
    match given {
        Given::Absent => None,
        Given::Value(value) => Some(value.to_string()),
        Given::Malformed(text) => Some(text.clone()),
    }
}
