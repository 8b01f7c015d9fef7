//! The client: reading an inbox, its stream, and the state of the server.

use reqwest::{Method, StatusCode};
use tidings_event::{
    Event, EventFilter, EventPage, EventRef, EventTypes, InboxSummary, PageRequest, Start,
};
use url::Url;

use crate::error::ClientError;
use crate::health::{self, Health};
use crate::response;
use crate::subscription::Subscription;
use crate::transport::Transport;

/// A client for one server: its REST API and its live stream.
///
/// The methods have the same names and arguments as those of the engine (`tidings::Tidings`), without the
/// owner, which the token selects.
///
/// Cloning is cheap; clones share their connections. Every future can be dropped. It is then unknown
/// whether a `publish` was stored, and publishing the same id again is safe.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    pub(crate) const fn over(transport: Transport) -> Self {
        Self { transport }
    }

    pub(crate) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The address of the server, as passed to the builder.
    pub const fn server(&self) -> &Url {
        self.transport.server()
    }

    /// Reads one page of the events that match `filter`, with exact counts and the cursor from which a
    /// subscription misses nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected), for example for a page token of another filter,
    /// or the reason why there is no response.
    pub async fn list(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<EventPage, ClientError> {
        let mut url = self.transport.events_url(&[]);
        url.query_pairs_mut().extend_pairs(page.query(&filter));
        self.transport.read(url).await
    }

    /// Counts the events by status and severity.
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or a rejection.
    pub async fn summary(&self) -> Result<InboxSummary, ClientError> {
        let url = self.transport.events_url(&["summary"]);
        self.transport.read(url).await
    }

    /// Lists the categories and actions of the events.
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or a rejection.
    pub async fn types(&self) -> Result<EventTypes, ClientError> {
        let url = self.transport.events_url(&["types"]);
        self.transport.read(url).await
    }

    /// Reads one event. `None` if the caller has no such event.
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or a rejection.
    pub async fn get(&self, event: impl Into<EventRef>) -> Result<Option<Event>, ClientError> {
        let url = self.transport.event_url(&[], event.into());
        let request = self.transport.request(Method::GET, url);
        match self.transport.found(request, StatusCode::OK).await? {
            Some(response) => response::json(response, self.server()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Checks that a Tidings server runs at the address (`/healthz`).
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the
    /// response is not that of Tidings. A program that mounts the routes of Tidings can respond
    /// differently.
    pub async fn health(&self) -> Result<Health, ClientError> {
        let response = self.transport.status("healthz").await?;
        health::read(response, self.server()).await
    }

    /// Checks that the server accepts requests and that its store responds (`/readyz`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with the fault of the server, or the reason why
    /// there is no response.
    pub async fn ready(&self) -> Result<(), ClientError> {
        let response = self.transport.status("readyz").await?;
        let body = response::json::<serde_json::Value>(response, self.server()).await;
        body.map(drop)
    }

    /// The metrics of the server in the text format of Prometheus (`/metrics`). With authentication they need a
    /// token with the scope `events:admin`, except at the server's metrics listener.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) if the token does not grant access or the server was
    /// built without metrics, or the reason why there is no response.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let response = self.transport.status("metrics").await?;
        response::text(response, self.server()).await
    }

    /// Follows the live stream from `start`. The stream connects with the first call of [`Subscription::next`].
    pub fn subscribe(&self, start: Start) -> Subscription {
        Subscription::new(self.transport.clone(), start)
    }
}
