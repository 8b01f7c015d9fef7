//! Publishing events.

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use tidings_event::{ErrorBody, Event, NewEvent, Receipt, Warning};
use url::Url;

use crate::client::Client;
use crate::error::{ClientError, ErrorKind};
use crate::fault::ProtocolFault;
use crate::past_event::PastEvent;
use crate::response;

impl Client {
    /// Publishes one event: one from [`EventBuilder::build`](tidings_event::EventBuilder::build), an [`Event`],
    /// or a [`NewEvent`] that the server validates.
    ///
    /// When this returns, the event is on disk and was delivered to every open stream of its owner. An
    /// event with an id can be published again after a failure; the server stores it once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] with every violation of the rules, or the reason why there is no response.
    pub async fn publish(&self, event: impl Into<NewEvent>) -> Result<Receipt, ClientError> {
        let url = self.transport().events_url(&[]);
        let (response, repeated) = self.transport().post(url, &event.into()).await?;
        let mut receipt: Receipt = response::json(response, self.server()).await?;
        receipt.repeated = repeated;
        Ok(receipt)
    }

    /// Publishes several events: all of them or none. Returns the receipts in the order of the events.
    ///
    /// By default a server accepts 1,000 events and 4 MiB in one batch.
    ///
    /// # Errors
    ///
    /// Same as [`publish`](Self::publish).
    pub async fn publish_batch<E: Into<NewEvent>>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Vec<Receipt>, ClientError> {
        let url = self.transport().events_url(&[]);
        let events: Vec<NewEvent> = events.into_iter().map(Into::into).collect();
        self.post_batch(url, &events).await
    }

    /// Publishes several events, each by itself: the server stores the valid ones even if it rejects
    /// others. Returns one result per event, in the order of the events.
    ///
    /// The error of an event is [`ErrorKind::Rejected`]. If it [is temporary](ClientError::is_temporary),
    /// publishing the event again can succeed.
    ///
    /// # Errors
    ///
    /// The error of the whole request. The server then stored none of the events, or there is no response.
    pub async fn publish_partial<E: Into<NewEvent>>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Vec<Result<Receipt, ClientError>>, ClientError> {
        let mut url = self.transport().events_url(&[]);
        url.query_pairs_mut().append_pair("partial", "true");
        let events: Vec<NewEvent> = events.into_iter().map(Into::into).collect();
        self.post_partial(url, &events).await
    }

    /// Publishes several exported events: all of them or none. Each keeps its status and the time of its
    /// last change, except for system events, for which each user has a status of their own.
    ///
    /// # Errors
    ///
    /// Same as [`publish`](Self::publish).
    pub async fn import_batch<E: Into<PastEvent>>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Vec<Receipt>, ClientError> {
        let mut url = self.transport().events_url(&[]);
        url.query_pairs_mut().append_pair("import", "true");
        let events: Vec<PastEvent> = events.into_iter().map(Into::into).collect();
        self.post_batch(url, &events).await
    }

    /// Publishes several exported events, each by itself; combines [`import_batch`](Self::import_batch)
    /// and [`publish_partial`](Self::publish_partial).
    ///
    /// # Errors
    ///
    /// Same as [`publish_partial`](Self::publish_partial).
    pub async fn import_partial<E: Into<PastEvent>>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Vec<Result<Receipt, ClientError>>, ClientError> {
        let mut url = self.transport().events_url(&[]);
        url.query_pairs_mut()
            .append_pair("import", "true")
            .append_pair("partial", "true");
        let events: Vec<PastEvent> = events.into_iter().map(Into::into).collect();
        self.post_partial(url, &events).await
    }

    async fn post_batch(
        &self,
        url: Url,
        events: &[impl Serialize],
    ) -> Result<Vec<Receipt>, ClientError> {
        let (response, repeated) = self.transport().post(url, events).await?;
        let mut receipts: Vec<Receipt> = response::json(response, self.server()).await?;
        self.check_count(events.len(), receipts.len())?;
        for receipt in &mut receipts {
            receipt.repeated = repeated;
        }
        Ok(receipts)
    }

    async fn post_partial(
        &self,
        url: Url,
        events: &[impl Serialize],
    ) -> Result<Vec<Result<Receipt, ClientError>>, ClientError> {
        let request = self.transport().request(reqwest::Method::POST, url);
        let response = self.transport().send(request.json(events)).await?;
        if response.status() != StatusCode::MULTI_STATUS {
            return Err(response::rejection(response, self.server()).await);
        }
        let body: PartialBody = response::json(response, self.server()).await?;
        self.check_count(events.len(), body.results.len())?;
        let results = body.results.into_iter();
        results
            .map(|result| {
                let fault = || ClientError::protocol(self.server(), ProtocolFault::Body);
                result.read().ok_or_else(fault)
            })
            .collect()
    }

    fn check_count(&self, sent: usize, returned: usize) -> Result<(), ClientError> {
        if sent == returned {
            return Ok(());
        }
        let fault = ProtocolFault::EventCount { sent, returned };
        Err(ClientError::protocol(self.server(), fault))
    }
}

/// The response to a batch with `partial=true`.
#[derive(Deserialize)]
struct PartialBody {
    results: Vec<PartialResult>,
}

/// The result of one event. It has either `event` or `error`.
#[derive(Deserialize)]
struct PartialResult {
    status: u16,
    event: Option<Event>,
    #[serde(default)]
    warnings: Vec<Warning>,
    error: Option<ErrorBody>,
}

impl PartialResult {
    /// `None` if the result has neither an event with an owner nor an error.
    fn read(self) -> Option<Result<Receipt, ClientError>> {
        if let Some(body) = self.error {
            let status = self.status;
            return Some(Err(ClientError::new(ErrorKind::Rejected { status, body })));
        }
        let event = self.event?;
        let mut receipt = Receipt::new(event.id, event.owner?, event.to_json().into());
        receipt.repeated = self.status == StatusCode::OK.as_u16();
        receipt.deleted = event.deleted_at.is_some();
        receipt.warnings = self.warnings;
        Some(Ok(receipt))
    }
}
