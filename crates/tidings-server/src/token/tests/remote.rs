//! Keys from the URL of a real server on the loopback address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::super::remote_keys::Pace;
use super::issuer::{Issuer, jwks};
use super::*;

const STUCK: Duration = Duration::from_secs(60);

const LONG: Duration = Duration::from_secs(60 * 60);

/// Fetches keys for every token with an unknown key, and never otherwise.
const EAGER: Pace = Pace {
    refresh: LONG,
    retry: LONG,
    apart: Duration::ZERO,
    timeout: Duration::from_secs(60),
};

#[derive(Clone)]
enum KeysResponse {
    Keys(String),
    Status(StatusCode),
    Redirect,
    Huge,
    Never,
}

/// A key server.
#[derive(Clone)]
struct Server {
    response: Arc<Mutex<KeysResponse>>,
    /// The number of received requests.
    requests: watch::Sender<usize>,
    /// Each response takes one permit.
    permits: Arc<Semaphore>,
    address: SocketAddr,
}

impl Server {
    async fn start(response: KeysResponse) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            response: Arc::new(Mutex::new(response)),
            requests: watch::Sender::new(0),
            permits: Arc::new(Semaphore::new(1000)),
            address: listener.local_addr().unwrap(),
        };
        let router = Router::new()
            .route("/jwks", get(Self::respond))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    async fn respond(State(server): State<Self>) -> Response {
        server.requests.send_modify(|requests| *requests += 1);
        server.permits.acquire().await.unwrap().forget();
        let response = server.response.lock().unwrap().clone();
        match response {
            KeysResponse::Keys(keys) => keys.into_response(),
            KeysResponse::Status(status) => status.into_response(),
            KeysResponse::Redirect => Redirect::temporary("/jwks").into_response(),
            KeysResponse::Huge => " ".repeat(1024 * 1024 + 1).into_response(),
            KeysResponse::Never => std::future::pending().await,
        }
    }

    fn respond_with(&self, response: KeysResponse) {
        *self.response.lock().unwrap() = response;
    }

    fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    async fn asked(&self, times: usize) {
        let mut requests = self.requests.subscribe();
        let asked = requests.wait_for(|requests| *requests >= times);
        let asked = tokio::time::timeout(STUCK, asked).await;
        asked.unwrap().unwrap();
    }

    /// Delays all further responses until [`Self::release`].
    fn hold(&self) {
        self.permits.forget_permits(usize::MAX);
    }

    fn release(&self) {
        self.permits.add_permits(1000);
    }

    async fn tokens(&self, pace: Pace) -> Tokens {
        let url = format!("http://{}/jwks?key=hidden", self.address);
        let config = TokenConfig::new(KeySource::JwksUrl(url.parse().unwrap()));
        Tokens::open_at(config, pace).await.unwrap()
    }
}

fn keys(issuers: &[&Issuer]) -> KeysResponse {
    KeysResponse::Keys(jwks(issuers))
}

#[tokio::test]
async fn fetches_keys_once_for_many_tokens() {
    let issuer = Issuer::ed(Some("1"));
    let server = Server::start(keys(&[&issuer])).await;
    let tokens = server.tokens(EAGER).await;
    for _ in 0..10 {
        assert!(tokens.verify(&issuer.token(&claims())).await.is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn fetches_keys_again_for_a_token_of_a_new_key() {
    let [old, new] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&old])).await;
    let tokens = server.tokens(EAGER).await;
    server.respond_with(keys(&[&new]));
    assert!(tokens.verify(&old.token(&claims())).await.is_ok());
    assert!(tokens.verify(&new.token(&claims())).await.is_ok());
    assert_eq!(server.requests(), 2);
    let rejected = tokens.verify(&old.token(&claims())).await;
    assert_eq!(rejected, Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn keeps_the_previous_keys_after_a_bad_response() {
    let [known, unknown] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&known])).await;
    let tokens = server.tokens(EAGER).await;
    for (number, bad) in [
        KeysResponse::Status(StatusCode::SERVICE_UNAVAILABLE),
        KeysResponse::Status(StatusCode::NO_CONTENT),
        KeysResponse::Redirect,
        KeysResponse::Huge,
        KeysResponse::Keys("<html>".to_owned()),
        KeysResponse::Keys(r#"{"keys":[]}"#.to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        server.respond_with(bad);
        let rejected = tokens.verify(&unknown.token(&claims())).await;
        assert_eq!(rejected, Err(TokenError::UnknownKey));
        assert!(tokens.verify(&known.token(&claims())).await.is_ok());
        assert_eq!(server.requests(), number + 2, "a redirect is not followed");
    }
}

#[tokio::test]
async fn asks_again_if_the_key_server_is_down_at_the_start() {
    let issuer = Issuer::ed(Some("1"));
    let server = Server::start(KeysResponse::Status(StatusCode::BAD_GATEWAY)).await;
    let tokens = server.tokens(EAGER).await;
    let token = issuer.token(&claims());
    assert_eq!(
        tokens.verify(&token).await,
        Err(TokenError::KeysUnavailable)
    );
    server.respond_with(keys(&[&issuer]));
    assert!(tokens.verify(&token).await.is_ok());

    // The keys are also fetched again without a token that needs them.
    let server = Server::start(KeysResponse::Status(StatusCode::BAD_GATEWAY)).await;
    let pace = Pace {
        retry: Duration::from_millis(5),
        apart: LONG,
        ..EAGER
    };
    let tokens = server.tokens(pace).await;
    server.respond_with(keys(&[&issuer]));
    until(&tokens, &token, Ok(())).await;
}

#[tokio::test]
async fn starts_without_a_reachable_key_server() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", nobody.local_addr().unwrap());
    drop(nobody);
    let tokens = open(KeySource::JwksUrl(url.parse().unwrap())).await;
    let token = Issuer::ed(Some("1")).token(&claims());
    assert_eq!(
        tokens.verify(&token).await,
        Err(TokenError::KeysUnavailable)
    );
}

#[tokio::test]
async fn gives_up_waiting_for_a_response_after_the_time_out() {
    let server = Server::start(KeysResponse::Never).await;
    let pace = Pace {
        timeout: Duration::from_millis(50),
        ..EAGER
    };
    let tokens = server.tokens(pace).await;
    let token = Issuer::ed(Some("1")).token(&claims());
    assert_eq!(
        tokens.verify(&token).await,
        Err(TokenError::KeysUnavailable)
    );
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn limits_the_requests_that_unknown_keys_cause() {
    let [known, unknown] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&known])).await;
    // The server was asked at the start, less than 10 seconds ago.
    let tokens = server.tokens(Pace::default()).await;
    let token = unknown.token(&claims());
    for rejected in join_all((0..100).map(|_| tokens.verify(&token))).await {
        assert_eq!(rejected, Err(TokenError::UnknownKey));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn tokens_with_unknown_keys_share_one_response() {
    let [old, new] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&old])).await;
    let tokens = server.tokens(EAGER).await;
    server.respond_with(keys(&[&new]));
    server.hold();
    let token = new.token(&claims());
    let all = join_all((0..100).map(|_| tokens.verify(&token)));
    let released = async {
        server.asked(2).await;
        // Meanwhile tokens with known keys are accepted.
        assert!(tokens.verify(&old.token(&claims())).await.is_ok());
        server.release();
    };
    let (all, ()) = tokio::join!(all, released);
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_dropped_verification_does_not_cost_others_the_response() {
    let [old, new] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&old])).await;
    let tokens = server.tokens(EAGER).await;
    server.respond_with(keys(&[&new]));
    server.hold();
    let token = new.token(&claims());
    tokio::select! {
        _ = tokens.verify(&token) => panic!("there is no response yet"),
        () = server.asked(2) => {}
    }
    let (verified, ()) = tokio::join!(tokens.verify(&token), async { server.release() });
    assert!(verified.is_ok());
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn the_same_keys_replace_nothing() {
    let [old, new] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&old])).await;
    let tokens = server.tokens(EAGER).await;
    assert!(tokens.verify(&old.token(&claims())).await.is_ok());
    let [_, mut replaced, _] = tokens.changed();
    replaced.mark_unchanged();
    // A stranger's token makes the server fetch the keys.
    let unknown = tokens.verify(&new.token(&claims())).await;
    assert_eq!(unknown, Err(TokenError::UnknownKey));
    assert_eq!(server.requests(), 2);
    assert!(!replaced.has_changed().unwrap());
    server.respond_with(keys(&[&old, &new]));
    assert!(tokens.verify(&new.token(&claims())).await.is_ok());
    assert!(replaced.has_changed().unwrap());
}

#[tokio::test]
async fn fetches_keys_again_periodically() {
    let [old, new] = ["1", "2"].map(|id| Issuer::ed(Some(id)));
    let server = Server::start(keys(&[&old])).await;
    let pace = Pace {
        refresh: Duration::from_millis(5),
        apart: LONG,
        ..EAGER
    };
    let tokens = server.tokens(pace).await;
    // A removed key is rejected, although no token needed a new one.
    server.respond_with(keys(&[&new]));
    until(&tokens, &old.token(&claims()), Err(TokenError::UnknownKey)).await;
}
