//! The typed client.

mod change;

use std::borrow::Borrow;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderName};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tidings_event::{
    ErrorCode, Event, EventFilter, EventId, EventPage, EventTypes, InboxSummary, NewEvent,
    PageRequest, Start, Warning,
};
use url::Url;

use crate::answer;
use crate::builder::ClientBuilder;
use crate::error::{ClientError, ProtocolFault};
use crate::follow::Follow;
use crate::health::{self, Health};
use crate::list_query;
use crate::past_event::PastEvent;
use crate::token::{Token, TokenSource};

/// How long a whole request may take, and how long the head of a stream. A stream itself may last
/// for ever.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

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
    token: Option<TokenSource>,
}

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
    /// A client without a token of the server at `base_url`, such as `http://127.0.0.1:9081`. A path is kept, for a
    /// server behind a path of another. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`](crate::ErrorKind::InvalidUrl), which says what is wrong with it; and as
    /// [`ClientBuilder::build`] for an https URL.
    pub fn new(base_url: Url) -> Result<Self, ClientError> {
        Self::builder(base_url).build()
    }

    /// Makes a client with a token, or one that trusts a private authority.
    pub fn builder(base_url: Url) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }

    pub(crate) fn with(http: reqwest::Client, server: Url, token: Option<TokenSource>) -> Self {
        Self {
            http,
            server,
            token,
        }
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
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) with every rule the event breaks, or why no answer came.
    pub async fn publish(&self, event: impl Into<NewEvent>) -> Result<Receipt, ClientError> {
        let (response, repeated) = self.post(self.events_url(&[]), &event.into()).await?;
        let Published { event, warnings } = answer::json(response, &self.server).await?;
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
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused), for example for a page token of another filter, or why no answer
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
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) with what is wrong with the server, or why no answer came.
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

    /// The token to show now, if the client has a source of tokens. The future is owned.
    pub(crate) fn token(
        &self,
    ) -> impl Future<Output = Result<Option<Token>, ClientError>> + Send + use<> {
        let source = self.token.clone();
        async move {
            match source {
                Some(source) => source.token().await.map(Some),
                None => Ok(None),
            }
        }
    }

    /// Opens the stream, and says with which token. The future is owned, so that a caller who is
    /// interrupted can go on with it.
    pub(crate) fn subscribe(&self, start: Start) -> impl Future<Output = Attempt> + Send + use<> {
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
        let token = self.token();
        async move {
            let token = match token.await {
                Ok(token) => token,
                Err(error) => {
                    return Attempt {
                        token: None,
                        answer: Err(error),
                    };
                }
            };
            let open = async {
                let response = authorized(request, token.as_ref())
                    .send()
                    .await
                    .map_err(|error| ClientError::of_request(&server, error))?;
                answer::stream(response, &server).await
            };
            let answer = tokio::time::timeout(REQUEST_TIMEOUT, open)
                .await
                .unwrap_or_else(|elapsed| Err(ClientError::unreachable(&server, elapsed)));
            Attempt { token, answer }
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
        let stored: Vec<Published> = answer::json(response, &self.server).await?;
        if stored.len() != events.len() {
            let fault = ProtocolFault::EventCount {
                sent: events.len(),
                returned: stored.len(),
            };
            return Err(ClientError::protocol(&self.server, fault));
        }
        let stored = stored.into_iter();
        let (events, warnings) = stored.map(|one| (one.event, one.warnings)).unzip();
        Ok(BatchReceipt {
            events,
            repeated,
            warnings,
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
        let token = self.token().await?;
        authorized(request, token.as_ref())
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| ClientError::of_request(&self.server, error))
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

/// What became of an attempt to open the stream.
pub(crate) struct Attempt {
    /// The token that was shown.
    pub(crate) token: Option<Token>,
    pub(crate) answer: Result<Response, ClientError>,
}

fn authorized(request: RequestBuilder, token: Option<&Token>) -> RequestBuilder {
    match token {
        Some(token) => request.header(AUTHORIZATION, token.header()),
        None => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_server_is_kept() {
        for (url, expected) in [
            ("http://h:1", "http://h:1/api/system/events/x"),
            ("http://h:1/", "http://h:1/api/system/events/x"),
            ("http://h/a/b", "http://h/a/b/api/system/events/x"),
            ("http://h/a/b/", "http://h/a/b/api/system/events/x"),
        ] {
            let client = Client::new(url.parse().unwrap()).unwrap();
            assert_eq!(client.events_url(&["x"]).as_str(), expected);
        }
    }
}
