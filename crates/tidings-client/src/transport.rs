//! Requests to one server: the address, the token and the time limits.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_event::{ErrorCode, EventRef, Start};
use url::Url;

use crate::error::ClientError;
use crate::response;
use crate::token::{Token, TokenSource};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Time limits of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// The limit of a whole request, and of opening a stream. An open stream has no limit.
    pub(crate) request: Duration,
    /// The limit of a bulk change.
    pub(crate) bulk: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            // The server changes a million events in less than a minute, and completes a change even if
            // the client stops waiting.
            bulk: Duration::from_secs(10 * 60),
        }
    }
}

/// The connection pool of a client, and the settings of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) server: Url,
    pub(crate) token: Option<TokenSource>,
    /// Headers of every request.
    pub(crate) headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
}

impl Transport {
    pub(crate) const fn server(&self) -> &Url {
        &self.server
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).headers(self.headers.clone())
    }

    /// Sends `GET` to a path beside the API, such as `healthz`.
    pub(crate) async fn status(&self, path: &str) -> Result<Response, ClientError> {
        let response = self
            .send(self.request(Method::GET, self.below(&[path])))
            .await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            _ => Err(response::rejection(response, &self.server).await),
        }
    }

    /// The current token, if the client has a source of tokens. The future owns everything it needs.
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

    /// Opens the stream and returns the token that it used. The future owns everything it needs, so that a
    /// caller can keep it while it waits for something else.
    pub(crate) fn subscribe(&self, start: Start) -> impl Future<Output = Attempt> + Send + use<> {
        let request = self.request(Method::GET, self.events_url(&["subscribe"]));
        let request = match start {
            Start::Now => request,
            Start::Earliest => request.query(&[("lastEventId", "earliest")]),
            Start::After(cursor) => request.header(LAST_EVENT_ID, cursor.to_string()),
            // Any text that is not a cursor gets the same response.
            Start::Malformed => request.query(&[("lastEventId", "malformed")]),
        };
        let request = request
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-store");
        let server = self.server.clone();
        let limit = self.timeouts.request;
        let token = self.token();
        async move {
            let token = match token.await {
                Ok(token) => token,
                Err(error) => {
                    return Attempt {
                        token: None,
                        response: Err(error),
                    };
                }
            };
            let open = async {
                let response = authorized(request, token.as_ref())
                    .send()
                    .await
                    .map_err(|error| ClientError::of_request(&server, error))?;
                response::stream(response, &server).await
            };
            let response = tokio::time::timeout(limit, open)
                .await
                .unwrap_or_else(|elapsed| Err(ClientError::unreachable(&server, elapsed)));
            Attempt { token, response }
        }
    }

    /// Reads the resource at `url`.
    pub(crate) async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, ClientError> {
        let response = self.send(self.request(Method::GET, url)).await?;
        match response.status() {
            StatusCode::OK => response::json(response, &self.server).await,
            _ => Err(response::rejection(response, &self.server).await),
        }
    }

    /// Sends a request about one event, which succeeds with `status`. `None` if the caller has no such
    /// event.
    pub(crate) async fn found(
        &self,
        request: RequestBuilder,
        status: StatusCode,
    ) -> Result<Option<Response>, ClientError> {
        let response = self.send(request).await?;
        if response.status() == status {
            return Ok(Some(response));
        }
        let rejection = response::rejection(response, &self.server).await;
        match rejection.rejection().map(|body| body.code) {
            Some(ErrorCode::EventNotFound) => Ok(None),
            _ => Err(rejection),
        }
    }

    /// Posts events. The flag is true if the server had already stored all of them.
    pub(crate) async fn post(
        &self,
        url: Url,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(Response, bool), ClientError> {
        let request = self.request(Method::POST, url).json(body);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::CREATED => Ok((response, false)),
            StatusCode::OK => Ok((response, true)),
            _ => Err(response::rejection(response, &self.server).await),
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send_within(self.timeouts.request, request).await
    }

    /// Sends a bulk change, which has a longer time limit.
    pub(crate) async fn send_bulk(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send_within(self.timeouts.bulk, request).await
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

    /// The URL of a bulk change whose response reports what changed.
    pub(crate) fn alias_url(&self, below: &str) -> Url {
        self.below(&["api", "events", below])
    }

    /// The URL of the events, or of a path below it.
    pub(crate) fn events_url(&self, below: &[&str]) -> Url {
        self.below(&[&["api", "system", "events"], below].concat())
    }

    /// The URL of one event, or of that path for it.
    pub(crate) fn event_url(&self, path: &[&str], event: EventRef) -> Url {
        let id = event.id.to_string();
        let mut url = self.events_url(&[path, &[&id]].concat());
        if let Some(kind) = event.owner_kind {
            url.query_pairs_mut()
                .append_pair("ownerKind", kind.as_str());
        }
        url
    }

    pub(crate) fn below(&self, path: &[&str]) -> Url {
        let mut url = self.server.clone();
        url.path_segments_mut()
            .expect("an http URL always has a path")
            .pop_if_empty()
            .extend(path);
        url
    }
}

/// The result of an attempt to open the stream.
pub(crate) struct Attempt {
    /// The token that the request used.
    pub(crate) token: Option<Token>,
    pub(crate) response: Result<Response, ClientError>,
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
    fn keeps_the_path_of_the_server() {
        let http = reqwest::Client::builder()
            .tls_certs_only([])
            .build()
            .unwrap();
        for (url, expected) in [
            ("http://h:1", "http://h:1/api/system/events/x"),
            ("http://h:1/", "http://h:1/api/system/events/x"),
            ("http://h/a/b", "http://h/a/b/api/system/events/x"),
            ("http://h/a/b/", "http://h/a/b/api/system/events/x"),
        ] {
            let transport = Transport {
                http: http.clone(),
                server: url.parse().unwrap(),
                token: None,
                headers: HeaderMap::new(),
                timeouts: Timeouts::default(),
            };
            assert_eq!(transport.events_url(&["x"]).as_str(), expected);
        }
    }
}
