//! The typed client.

use reqwest::{Method, StatusCode};
use tidings_event::{
    Event, EventFilter, EventId, EventPage, EventTypes, InboxSummary, PageRequest, Start,
};
use url::Url;

use crate::error::ClientError;
use crate::follow::Follow;
use crate::health::{self, Health};
use crate::list_query;
use crate::response;
use crate::transport::Transport;

/// A server's REST interface and its live stream.
///
/// Cloning is cheap, and clones share their connections. Every method may be dropped before it is
/// done; whether a dropped `publish` was stored is then unknown, and repeating it with the same id
/// is safe.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    pub(crate) const fn new_over(transport: Transport) -> Self {
        Self { transport }
    }

    pub(crate) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The server's address, as given.
    pub fn server(&self) -> &Url {
        self.transport.server()
    }

    /// One page of the events that match `filter`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused), for example for a page token of another filter, or why no answer
    /// came.
    pub async fn list(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<EventPage, ClientError> {
        let mut url = self.transport.events_url(&[]);
        list_query::add(&mut url, filter, page);
        self.transport.read(url).await
    }

    /// How many events there are, by status and severity.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn summary(&self) -> Result<InboxSummary, ClientError> {
        self.transport
            .read(self.transport.events_url(&["summary"]))
            .await
    }

    /// The categories and actions that events have.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn types(&self) -> Result<EventTypes, ClientError> {
        self.transport
            .read(self.transport.events_url(&["types"]))
            .await
    }

    /// The event with this id, if the caller has one.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn get(&self, id: EventId) -> Result<Option<Event>, ClientError> {
        let request = self
            .transport
            .request(Method::GET, self.transport.events_url(&[&id.to_string()]));
        match self.transport.found(request, StatusCode::OK).await? {
            Some(response) => response::json(response, self.transport.server())
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Asks whether a Tidings server runs there (`/healthz`).
    ///
    /// # Errors
    ///
    /// Why no answer came, or that the answer is not one of Tidings. An app that has mounted
    /// Tidings' routes answers as it likes.
    pub async fn health(&self) -> Result<Health, ClientError> {
        health::read(
            self.transport.status("healthz").await?,
            self.transport.server(),
        )
        .await
    }

    /// Asks whether the server takes requests and its store answers (`/readyz`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) with what is wrong with the server, or why no answer came.
    pub async fn ready(&self) -> Result<(), ClientError> {
        let response = self.transport.status("readyz").await?;
        response::json(response, self.transport.server())
            .await
            .map(|_: serde_json::Value| ())
    }

    /// Follows the live stream from `start`. It connects with the first call of [`Follow::next`].
    pub fn follow(&self, start: Start) -> Follow {
        Follow::new(self.transport.clone(), start)
    }
}
