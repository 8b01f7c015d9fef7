//! The server, and the state that all tasks of the test share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::names::{self, SYSTEM};
use crate::dice::Dice;
use crate::server::soon;

/// The lifetime of a token that outlives the test.
pub(super) const LONG: Duration = Duration::from_secs(3600);

pub(super) struct World {
    pub(super) server: SocketAddr,
    pub(super) users: u32,
    pub(super) dice: Dice,
    key: EncodingKey,
    http: Client,
    /// The number of drafted events.
    made: AtomicU32,
    published: Mutex<Vec<(u32, Uuid)>>,
}

impl World {
    pub(super) fn new(server: SocketAddr, users: u32, secret: &[u8]) -> Self {
        let http = Client::builder().no_proxy().build();
        Self {
            server,
            users,
            dice: Dice::of("two_thousand_users_see_all_own_events_and_no_others"),
            key: EncodingKey::from_secret(secret),
            http: http.expect("a client is made"),
            made: AtomicU32::new(0),
            published: Mutex::default(),
        }
    }

    /// Signs a token for a user that expires after `lifetime` and the leeway.
    pub(super) fn token(&self, user: u32, lifetime: Duration) -> String {
        self.sign(user, "events:read events:write", lifetime)
    }

    fn sign(&self, user: u32, scope: &str, lifetime: Duration) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("it is after 1970").as_secs();
        let claims = json!({
            "sub": names::owner(user),
            "scope": scope,
            "exp": now + lifetime.as_secs(),
        });
        jsonwebtoken::encode(&Header::default(), &claims, &self.key).expect("claims can be signed")
    }

    /// Sends a request as a user.
    pub(super) async fn ask(
        &self,
        user: u32,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let token = self.token(user, LONG);
        self.send(&token, (method, path), body).await
    }

    async fn send(
        &self,
        token: &str,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let url = format!("http://{}/api/system/events{path}", self.server);
        let mut request = self.http.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = soon("a response", request.send()).await;
        let response = response.expect("the connection holds");
        let status = response.status();
        let text = soon("a body", response.text()).await.expect("it is text");
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).expect("the body is JSON"),
        };
        (status, body)
    }

    /// Publishes an event for each of the users, several of them as one batch. Returns the response.
    pub(super) async fn publish(&self, users: &[u32]) -> Value {
        let events: Vec<Value> = users.iter().map(|user| self.draft(*user)).collect();
        let body = match events.as_slice() {
            [one] => one.clone(),
            several => json!(several),
        };
        let backend = self.sign(SYSTEM - 1, "events:publish", LONG);
        let (status, stored) = self.send(&backend, (Method::POST, ""), Some(&body)).await;
        assert_eq!(status, StatusCode::CREATED, "{stored}");
        let ids = events
            .iter()
            .map(|event| super::checker::uuid(&event["id"]));
        self.published().extend(users.iter().copied().zip(ids));
        stored
    }

    fn draft(&self, user: u32) -> Value {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let owner = match user {
            SYSTEM => json!("system"),
            user => json!(names::owner(user)),
        };
        json!({
            "id": names::event(user, number),
            "owner": owner,
            "actedUpon": names::resource(user),
            "category": "isolation",
            "action": "show",
            "severity": if number.is_multiple_of(2) { "informational" } else { "error" },
            "description": format!("only for {}", names::owner(user)),
            "metadata": {"for": names::owner(user)},
        })
    }

    /// All published events with their users.
    pub(super) fn all_published(&self) -> Vec<(u32, Uuid)> {
        self.published().clone()
    }

    /// A random published event with its user, if there is one.
    pub(super) fn any_published(&self) -> Option<(u32, Uuid)> {
        self.dice.roll().choice(self.published().iter()).copied()
    }

    /// A random user.
    pub(super) fn any_user(&self) -> u32 {
        self.dice.roll().u32(..self.users)
    }

    fn published(&self) -> std::sync::MutexGuard<'_, Vec<(u32, Uuid)>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
