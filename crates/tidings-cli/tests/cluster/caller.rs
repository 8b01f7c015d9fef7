//! Requests to the nodes, as their users and publishers send them.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tidings_event::{EventPage, InboxSummary, OwnerId};
use uuid::Uuid;

use crate::site::{NODES, Site};

const EVENTS: &str = "/api/system/events";

/// How long a request is waited for that needs its result.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The number of a user.
pub(crate) type User = usize;

/// The known outcome of a request.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// The node answered, and not with an error of its own.
    Known(StatusCode, Value),
    /// It is not known whether the request took effect. The node may have answered with an error of its own.
    Unknown(Option<String>),
}

/// Sends requests to a node, or to the load balancer.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    http: reqwest::Client,
    doors: Vec<SocketAddr>,
    tokens: Vec<String>,
    publisher: String,
}

/// The owner of a user's feed.
pub(crate) fn owner(user: User) -> OwnerId {
    let number = 0xc1a5_0000_0000_4000_8000_0000_0000_0000 + user as u128;
    OwnerId::from_uuid(Uuid::from_u128(number))
}

impl Caller {
    pub(crate) fn new(site: &Site, users: usize) -> Self {
        let key = EncodingKey::from_secret(site.secret.as_bytes());
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        // Longer than any run.
        let expires = now.expect("it is after 1970").as_secs() + 7 * 86_400;
        let sign = |user: User, scope: &str| {
            let claims = json!({"sub": owner(user), "scope": scope, "exp": expires});
            jsonwebtoken::encode(&Header::default(), &claims, &key).expect("claims can be signed")
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(2))
            .build();
        Self {
            http: http.expect("a client is made"),
            doors: site.doors(),
            tokens: (0..users)
                .map(|user| sign(user, "events:read events:write"))
                .collect(),
            publisher: sign(users, "events:publish"),
        }
    }

    pub(crate) fn users(&self) -> usize {
        self.tokens.len()
    }

    /// The same with the first users only.
    pub(crate) fn limited_to(mut self, users: usize) -> Self {
        self.tokens.truncate(users);
        self
    }

    /// A node, or the load balancer.
    pub(crate) fn door(&self, dice: &mut fastrand::Rng) -> usize {
        dice.usize(..self.doors.len())
    }

    pub(crate) fn node(&self, dice: &mut fastrand::Rng) -> usize {
        dice.usize(..NODES)
    }

    fn request(&self, door: usize, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://{}{EVENTS}{path}", self.doors[door]))
    }

    /// Publishes an event or an array of them.
    pub(crate) async fn publish(&self, door: usize, body: &Value, patience: Duration) -> Response {
        let request = self.request(door, Method::POST, "").json(body);
        response(request.bearer_auth(&self.publisher).timeout(patience)).await
    }

    /// Updates an event.
    pub(crate) async fn update(
        &self,
        door: usize,
        id: Uuid,
        body: &Value,
        patience: Duration,
    ) -> Response {
        let request = self
            .request(door, Method::PUT, &format!("/{id}"))
            .json(body);
        response(request.bearer_auth(&self.publisher).timeout(patience)).await
    }

    /// Deletes an event from the inbox of a user, or from all inboxes, as its publisher.
    pub(crate) async fn retract(
        &self,
        door: usize,
        id: Uuid,
        owner: &str,
        patience: Duration,
    ) -> Response {
        let path = format!("/{id}?owner={owner}");
        let request = self.request(door, Method::DELETE, &path);
        response(request.bearer_auth(&self.publisher).timeout(patience)).await
    }

    /// Sends a request of a user.
    pub(crate) async fn ask(
        &self,
        user: User,
        door: usize,
        (method, path): (Method, &str),
        body: Option<&Value>,
        patience: Duration,
    ) -> Response {
        let mut request = self.request(door, method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        response(request.bearer_auth(&self.tokens[user]).timeout(patience)).await
    }

    pub(crate) async fn get(&self, user: User, door: usize, path: &str) -> Response {
        self.ask(user, door, (Method::GET, path), None, PATIENCE)
            .await
    }

    /// The counts and the cursor of a user, if the node answers.
    pub(crate) async fn summary(&self, user: User, door: usize) -> Option<InboxSummary> {
        match self.get(user, door, "/summary").await {
            Response::Known(StatusCode::OK, body) => serde_json::from_value(body).ok(),
            Response::Known(..) | Response::Unknown(_) => None,
        }
    }

    /// The whole list of a user, oldest first.
    pub(crate) async fn list(&self, user: User, door: usize) -> Result<Vec<Value>, String> {
        let first = "?sort=created_at&pagesize=1000&count=none";
        let (mut path, mut events) = (first.to_owned(), Vec::new());
        loop {
            let Response::Known(StatusCode::OK, body) = self.get(user, door, &path).await else {
                return Err(format!("no list for user {user} at door {door}"));
            };
            let page: EventPage = serde_json::from_value(body.clone())
                .map_err(|error| format!("{error} in a list: {body}"))?;
            events.extend(body["events"].as_array().into_iter().flatten().cloned());
            match page.next {
                Some(next) => path = format!("{first}&next={next}"),
                None => return Ok(events),
            }
        }
    }

    /// Begins a stream after a cursor.
    pub(crate) async fn subscribe(
        &self,
        user: User,
        door: usize,
        cursor: &str,
    ) -> Option<reqwest::Response> {
        let request = self
            .request(door, Method::GET, "/subscribe")
            .bearer_auth(&self.tokens[user])
            .header("Last-Event-ID", cursor);
        let response = tokio::time::timeout(PATIENCE, request.send())
            .await
            .ok()?
            .ok()?;
        (response.status() == StatusCode::OK).then_some(response)
    }
}

/// Sends a request. A node that fails, or a load balancer without nodes, does not tell what took effect.
async fn response(request: RequestBuilder) -> Response {
    let Ok(response) = request.send().await else {
        return Response::Unknown(None);
    };
    let status = response.status();
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        let body = response.text().await.unwrap_or_default();
        return Response::Unknown(Some(format!("{status}: {body}")));
    }
    match response.bytes().await {
        Ok(body) => Response::Known(status, serde_json::from_slice(&body).unwrap_or_default()),
        Err(_) => Response::Unknown(None),
    }
}
