//! The typed client.

mod change;

use std::borrow::Borrow;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_event::{
    ErrorCode, Event, EventFilter, EventId, EventPage, EventTypes, InboxSummary, NewEvent,
    PageRequest, Start,
};
use url::Url;

use crate::answer;
use crate::error::{ClientError, ErrorKind, ProtocolFault, UrlFault};
use crate::follow::Follow;
use crate::health::{self, Health};
use crate::list_query;
use crate::past_event::PastEvent;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole request may take, and how long the head of a stream. A stream itself may last
/// for ever.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A server's REST interface and its live stream.
///
/// Cloning is cheap, and clones share their connections. Every method may be dropped before it is
/// done; whether a dropped `publish` was stored is then unknown, and repeating it with the same id
/// is safe.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The event as it is stored.
    pub event: Event,
    /// It had been stored by an earlier publish of the same id.
    pub repeated: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchReceipt {
    /// The events as they are stored, in the order of the batch.
    pub events: Vec<Event>,
    /// All of them had been stored by an earlier publish.
    pub repeated: bool,
}

impl Client {
    /// A client of the server at `base_url`, such as `http://127.0.0.1:9081`. A path is kept, for a
    /// server behind a path of another. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`], which says what is wrong with it.
    pub fn new(base_url: Url) -> Result<Self, ClientError> {
        check(&base_url).map_err(|fault| ClientError::new(ErrorKind::InvalidUrl(fault)))?;
        let http = reqwest::Client::builder()
            // A proxy from the environment would take requests to the loopback address away.
            .no_proxy()
            .redirect(Policy::none())
            // Only http is spoken. Else every client would read the machine's certificates, and there
            // could be none on a machine that has none.
            .tls_certs_only([])
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("tidings-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("without certificates a client has nothing to set up that can fail");
        Ok(Self {
            http,
            server: base_url,
        })
    }

    /// The server's address, as given.
    pub fn server(&self) -> &Url {
        &self.server
    }

    /// Publishes one event: a built [`Event`], or a [`NewEvent`] for the server to judge. With an
    /// id it may be published again after a failure; it is stored once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] with every rule the event breaks, or why no answer came.
    pub async fn publish(&self, event: impl Into<NewEvent>) -> Result<Receipt, ClientError> {
        let (response, repeated) = self.post(self.events_url(&[]), &event.into()).await?;
        let event = answer::json(response, &self.server).await?;
        Ok(Receipt { event, repeated })
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
        self.post_batch(self.events_url(&[]), events).await
    }

    /// Publishes several exported events with the past they had elsewhere, all of them or none:
    /// their status and when they last changed are kept. Events of the system keep no status, since
    /// each user has one of their own for them.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn import_batch(&self, events: &[PastEvent]) -> Result<BatchReceipt, ClientError> {
        let mut url = self.events_url(&[]);
        url.query_pairs_mut().append_pair("import", "true");
        self.post_batch(url, events).await
    }

    /// One page of the events that match `filter`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`], for example for a page token of another filter, or why no answer
    /// came.
    pub async fn list(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<EventPage, ClientError> {
        let mut url = self.events_url(&[]);
        list_query::add(&mut url, filter, page);
        self.read(url).await
    }

    /// How many events there are, by status and severity.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn summary(&self) -> Result<InboxSummary, ClientError> {
        self.read(self.events_url(&["summary"])).await
    }

    /// The categories and actions that events have.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn types(&self) -> Result<EventTypes, ClientError> {
        self.read(self.events_url(&["types"])).await
    }

    /// The event with this id, if the caller has one.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn get(&self, id: EventId) -> Result<Option<Event>, ClientError> {
        let request = self.http.get(self.events_url(&[&id.to_string()]));
        match self.found(request, StatusCode::OK).await? {
            Some(response) => answer::json(response, &self.server).await.map(Some),
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
        health::read(self.status("healthz").await?, &self.server).await
    }

    /// Asks whether the server takes requests and its store answers (`/readyz`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] with what is wrong with the server, or why no answer came.
    pub async fn ready(&self) -> Result<(), ClientError> {
        let response = self.status("readyz").await?;
        answer::json(response, &self.server)
            .await
            .map(|_: serde_json::Value| ())
    }

    async fn status(&self, path: &str) -> Result<Response, ClientError> {
        let response = self.send(self.http.get(self.below(&[path]))).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            _ => Err(answer::refusal(response, &self.server).await),
        }
    }

    /// Follows the live stream from `start`. It connects with the first call of [`Follow::next`].
    pub fn follow(&self, start: Start) -> Follow {
        Follow::new(self.clone(), start)
    }

    /// Opens the stream. The future is owned, so that a caller who is interrupted can go on with it.
    pub(crate) fn subscribe(
        &self,
        start: Start,
    ) -> impl Future<Output = Result<Response, ClientError>> + Send + use<> {
        let request = self.http.get(self.events_url(&["subscribe"]));
        let request = match start {
            Start::Now => request,
            Start::Earliest => request.query(&[("lastEventId", "earliest")]),
            Start::After(cursor) => request.header(LAST_EVENT_ID, cursor.to_string()),
            // Its text is gone; any text that is no cursor gets the same answer.
            Start::Malformed => request.query(&[("lastEventId", "malformed")]),
        };
        let request = request
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-store");
        let server = self.server.clone();
        async move {
            let open = async {
                let response = request
                    .send()
                    .await
                    .map_err(|error| ClientError::unreachable(&server, error.without_url()))?;
                answer::stream(response, &server).await
            };
            tokio::time::timeout(REQUEST_TIMEOUT, open)
                .await
                .unwrap_or_else(|elapsed| Err(ClientError::unreachable(&server, elapsed)))
        }
    }

    /// Reads what is at `url`.
    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, ClientError> {
        let response = self.send(self.http.get(url)).await?;
        match response.status() {
            StatusCode::OK => answer::json(response, &self.server).await,
            _ => Err(answer::refusal(response, &self.server).await),
        }
    }

    /// Makes a request about one event, which succeeds with `status`; `None` if the caller has no
    /// such event.
    async fn found(
        &self,
        request: RequestBuilder,
        status: StatusCode,
    ) -> Result<Option<Response>, ClientError> {
        let response = self.send(request).await?;
        if response.status() == status {
            return Ok(Some(response));
        }
        let refusal = answer::refusal(response, &self.server).await;
        match refusal.refusal().map(|body| body.code) {
            Some(ErrorCode::EventNotFound) => Ok(None),
            _ => Err(refusal),
        }
    }

    async fn post_batch(
        &self,
        url: Url,
        events: &[impl Serialize],
    ) -> Result<BatchReceipt, ClientError> {
        let (response, repeated) = self.post(url, events).await?;
        let stored: Vec<Event> = answer::json(response, &self.server).await?;
        if stored.len() != events.len() {
            let fault = ProtocolFault::EventCount {
                sent: events.len(),
                returned: stored.len(),
            };
            return Err(ClientError::protocol(&self.server, fault));
        }
        Ok(BatchReceipt {
            events: stored,
            repeated,
        })
    }

    /// Posts events. The flag says that they were stored before.
    async fn post(
        &self,
        url: Url,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(Response, bool), ClientError> {
        let request = self.http.post(url).json(body);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::CREATED => Ok((response, false)),
            StatusCode::OK => Ok((response, true)),
            _ => Err(answer::refusal(response, &self.server).await),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send_within(REQUEST_TIMEOUT, request).await
    }

    async fn send_within(
        &self,
        timeout: Duration,
        request: RequestBuilder,
    ) -> Result<Response, ClientError> {
        request
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| ClientError::unreachable(&self.server, error.without_url()))
    }

    /// The URL below which the paths lie that answer what a change did.
    fn alias_url(&self, below: &str) -> Url {
        self.below(&["api", "events", below])
    }

    /// The URL of the events, and of what lies below it.
    fn events_url(&self, below: &[&str]) -> Url {
        self.below(&[&["api", "system", "events"], below].concat())
    }

    fn below(&self, path: &[&str]) -> Url {
        let mut url = self.server.clone();
        url.path_segments_mut()
            .expect("an http URL always has a path")
            .pop_if_empty()
            .extend(path);
        url
    }
}

fn check(url: &Url) -> Result<(), UrlFault> {
    match url.scheme() {
        "http" => {}
        "https" => return Err(UrlFault::Tls),
        other => return Err(UrlFault::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlFault::QueryOrFragment);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client, ClientError> {
        Client::new(url.parse().unwrap())
    }

    #[test]
    fn a_url_that_cannot_be_a_server_is_refused_with_its_fault() {
        for (url, fault) in [
            ("ftp://host/", UrlFault::Scheme("ftp".into())),
            ("data:x", UrlFault::Scheme("data".into())),
            ("https://host/", UrlFault::Tls),
            ("http://user@host/", UrlFault::Credentials),
            ("http://:secret@host/", UrlFault::Credentials),
            ("http://host/?a=b", UrlFault::QueryOrFragment),
            ("http://host/#a", UrlFault::QueryOrFragment),
        ] {
            let error = client(url).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::InvalidUrl(fault), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_path_of_the_server_is_kept() {
        for (url, expected) in [
            ("http://h:1", "http://h:1/api/system/events/x"),
            ("http://h:1/", "http://h:1/api/system/events/x"),
            ("http://h/a/b", "http://h/a/b/api/system/events/x"),
            ("http://h/a/b/", "http://h/a/b/api/system/events/x"),
        ] {
            assert_eq!(client(url).unwrap().events_url(&["x"]).as_str(), expected);
        }
    }
}
