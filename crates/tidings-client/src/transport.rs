//! Requests to one server: the address, the token and the time limits.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderName};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_event::{ErrorCode, Start};
use url::Url;

use crate::error::ClientError;
use crate::response;
use crate::token::{Token, TokenSource};

/// How long a request can take, and how long the server can take to open a stream. An open stream has
/// no time limit.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The connection pool of a client, and everything that its requests share.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    server: Url,
    token: Option<TokenSource>,
}

impl Transport {
    pub(crate) const fn new(
        http: reqwest::Client,
        server: Url,
        token: Option<TokenSource>,
    ) -> Self {
        Self {
            http,
            server,
            token,
        }
    }

    pub(crate) const fn server(&self) -> &Url {
        &self.server
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends `GET` to a path beside the API, such as `healthz`.
    pub(crate) async fn status(&self, path: &str) -> Result<Response, ClientError> {
        let response = self.send(self.http.get(self.below(&[path]))).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            _ => Err(response::refusal(response, &self.server).await),
        }
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
                response::stream(response, &server).await
            };
            let answer = tokio::time::timeout(REQUEST_TIMEOUT, open)
                .await
                .unwrap_or_else(|elapsed| Err(ClientError::unreachable(&server, elapsed)));
            Attempt { token, answer }
        }
    }

    /// Reads what is at `url`.
    pub(crate) async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, ClientError> {
        let response = self.send(self.http.get(url)).await?;
        match response.status() {
            StatusCode::OK => response::json(response, &self.server).await,
            _ => Err(response::refusal(response, &self.server).await),
        }
    }

    /// Makes a request about one event, which succeeds with `status`; `None` if the caller has no
    /// such event.
    pub(crate) async fn found(
        &self,
        request: RequestBuilder,
        status: StatusCode,
    ) -> Result<Option<Response>, ClientError> {
        let response = self.send(request).await?;
        if response.status() == status {
            return Ok(Some(response));
        }
        let refusal = response::refusal(response, &self.server).await;
        match refusal.refusal().map(|body| body.code) {
            Some(ErrorCode::EventNotFound) => Ok(None),
            _ => Err(refusal),
        }
    }

    /// Posts events. The flag says that they were stored before.
    pub(crate) async fn post(
        &self,
        url: Url,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(Response, bool), ClientError> {
        let request = self.http.post(url).json(body);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::CREATED => Ok((response, false)),
            StatusCode::OK => Ok((response, true)),
            _ => Err(response::refusal(response, &self.server).await),
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send_within(REQUEST_TIMEOUT, request).await
    }

    pub(crate) async fn send_within(
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
    pub(crate) fn alias_url(&self, below: &str) -> Url {
        self.below(&["api", "events", below])
    }

    /// The URL of the events, and of what lies below it.
    pub(crate) fn events_url(&self, below: &[&str]) -> Url {
        self.below(&[&["api", "system", "events"], below].concat())
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
            let transport = Transport::new(http.clone(), url.parse().unwrap(), None);
            assert_eq!(transport.events_url(&["x"]).as_str(), expected);
        }
    }
}
