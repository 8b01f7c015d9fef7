//! Publishing events.

use std::borrow::Borrow;

use serde::Serialize;
use serde_json::value::RawValue;
use tidings_event::{Event, NewEvent, Warning};
use url::Url;

use crate::client::Client;
use crate::error::ClientError;
use crate::fault::ProtocolFault;
use crate::past_event::PastEvent;
use crate::response;

/// What became of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The event as it is stored.
    pub event: Event,
    /// It had been stored by an earlier publish of the same id.
    pub repeated: bool,
    /// What the server repaired in it.
    pub warnings: Vec<Warning>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchReceipt {
    /// The events as they are stored, in the order of the batch.
    pub events: Vec<Event>,
    /// All of them had been stored by an earlier publish.
    pub repeated: bool,
    /// What the server repaired in each, in the same order.
    pub warnings: Vec<Vec<Warning>>,
}

/// An event as it is answered to its publisher.
struct Published {
    event: Event,
    warnings: Vec<Warning>,
}

impl<'de> serde::Deserialize<'de> for Published {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Warned {
            #[serde(default)]
            warnings: Vec<Warning>,
        }
        // Twice from the text: flattening would read all of it into a map first.
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let warned = serde_json::from_str::<Warned>(json);
        Ok(Self {
            event: serde_json::from_str(json).map_err(serde::de::Error::custom)?,
            warnings: warned.map_err(serde::de::Error::custom)?.warnings,
        })
    }
}

impl Client {
    /// Publishes one event: a built [`Event`], or a [`NewEvent`] for the server to judge. With an
    /// id it may be published again after a failure; it is stored once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) with every rule the event breaks, or why no answer came.
    pub async fn publish(&self, event: impl Into<NewEvent>) -> Result<Receipt, ClientError> {
        let (response, repeated) = self
            .transport()
            .post(self.transport().events_url(&[]), &event.into())
            .await?;
        let Published { event, warnings } =
            response::json(response, self.transport().server()).await?;
        Ok(Receipt {
            event,
            repeated,
            warnings,
        })
    }

    /// Publishes several events: all of them, or none.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn publish_batch<E>(&self, events: &[E]) -> Result<BatchReceipt, ClientError>
    where
        E: Borrow<NewEvent> + Serialize,
    {
        self.post_batch(self.transport().events_url(&[]), events)
            .await
    }

    /// Publishes several exported events with the past they had elsewhere, all of them or none:
    /// their status and when they last changed are kept. Events of the system keep no status, since
    /// each user has one of their own for them.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn import_batch(&self, events: &[PastEvent]) -> Result<BatchReceipt, ClientError> {
        let mut url = self.transport().events_url(&[]);
        url.query_pairs_mut().append_pair("import", "true");
        self.post_batch(url, events).await
    }

    async fn post_batch(
        &self,
        url: Url,
        events: &[impl Serialize],
    ) -> Result<BatchReceipt, ClientError> {
        let (response, repeated) = self.transport().post(url, events).await?;
        let stored: Vec<Published> = response::json(response, self.transport().server()).await?;
        if stored.len() != events.len() {
            let fault = ProtocolFault::EventCount {
                sent: events.len(),
                returned: stored.len(),
            };
            return Err(ClientError::protocol(self.transport().server(), fault));
        }
        let stored = stored.into_iter();
        let (events, warnings) = stored.map(|one| (one.event, one.warnings)).unzip();
        Ok(BatchReceipt {
            events,
            repeated,
            warnings,
        })
    }
}
