//! An app with token authentication, and its tokens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::request::Builder;
use axum::http::{HeaderValue, Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::Full;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_event::OwnerId;
use tidings_server::{
    Config, Identity, KeySource, MintRequest, Scopes, Secret, TokenConfig, Tokens, mint,
};
use uuid::Uuid;

use crate::app::{Running, TestApp, TestResponse};
use crate::wire;

/// The scopes of a user.
pub(crate) const USER: Scopes = Scopes::USER;

/// The public host name of the server.
pub(crate) const HOST: &str = "events.example";

pub(crate) const ALICE: OwnerId =
    OwnerId::from_uuid(Uuid::from_u128(0xa11c_e000_0000_4000_8000_0000_0000_0001));
pub(crate) const BOB: OwnerId =
    OwnerId::from_uuid(Uuid::from_u128(0x0b0b_0000_0000_4000_8000_0000_0000_0001));

/// A server with token authentication.
pub(crate) struct LoginApp {
    pub(crate) app: TestApp,
    pub(crate) server: Running,
    pub(crate) tokens: Tokens,
    pub(crate) secret: Secret,
    pub(crate) secret_file: PathBuf,
    /// The list of revoked tokens.
    pub(crate) revoked: PathBuf,
    _keys: TempDir,
}

impl LoginApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_both(|_| {}, change).await
    }

    /// A server that derives owners from the subjects of this issuer.
    pub(crate) async fn with_issuer(issuer: &str) -> Self {
        let change = |config: &mut TokenConfig| {
            config.issuer = Some(issuer.to_owned());
            config.owner_from_subject = true;
        };
        Self::with_both(change, |_| {}).await
    }

    async fn with_both(
        change_tokens: impl FnOnce(&mut TokenConfig),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let keys = TempDir::new().expect("a temporary directory can be made");
        let (file, revoked) = (keys.path().join("secret"), keys.path().join("revoked"));
        std::fs::write(&file, Secret::new_line().expect("a secret")).expect("it is written");
        std::fs::write(&revoked, "").expect("it is written");
        let secret = Secret::read(&file).expect("it is long enough");
        let mut config = config_of(&file, &revoked);
        change_tokens(&mut config);
        let tokens = Tokens::open(config).await.expect("the secret is there");
        let identity = Identity::Tokens(tokens.clone());
        let app = TestApp::with(|config| {
            config.identity = identity;
            change(config);
        });
        let app = app.await;
        Self {
            server: app.serve(),
            tokens,
            app,
            secret,
            secret_file: file,
            revoked,
            _keys: keys,
        }
    }

    /// The tokens of a restarted server.
    pub(crate) async fn restarted_tokens(&self) -> Tokens {
        let config = config_of(&self.secret_file, &self.revoked);
        Tokens::open(config).await.expect("the files are there")
    }

    /// A token that is valid for an hour.
    pub(crate) fn token(&self, owner: OwnerId, scopes: Scopes) -> String {
        self.token_until(owner, scopes, Duration::from_secs(3600))
    }

    /// A token that expires after this time, in whole seconds.
    pub(crate) fn token_until(&self, owner: OwnerId, scopes: Scopes, lasts: Duration) -> String {
        let expires = Timestamp::now() + lasts;
        sign(&self.secret, owner, scopes, expires)
    }

    /// A token of an identity provider, with any text as its subject.
    pub(crate) fn token_of(&self, issuer: &str, subject: &str, scopes: Scopes) -> String {
        let expires = Timestamp::now() + Duration::from_secs(3600);
        let claims = json!({"iss": issuer, "sub": subject, "scope": scopes.to_string(),
                            "exp": expires.as_second()});
        let key = EncodingKey::from_secret(self.secret.expose_secret());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).expect("it is signed")
    }

    /// Sends a JSON body, or none, with a token.
    pub(crate) async fn send(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> TestResponse {
        let request = request(method, path, token);
        self.send_request(request, body).await
    }

    /// Sends a request with a JSON body, or none. Of a stream only the head is read.
    pub(crate) async fn send_request(
        &self,
        mut request: Builder,
        body: Option<&str>,
    ) -> TestResponse {
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Full::from(body.unwrap_or_default().to_owned());
        let request = request.body(body).expect("a request");
        let response = wire::send(self.server.address, request).await;
        let is_stream = response.headers().get("content-type")
            == Some(&HeaderValue::from_static(
                "text/event-stream; charset=utf-8",
            ));
        if !is_stream {
            return wire::read(response).await;
        }
        TestResponse {
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
        }
    }
}

fn config_of(secret: &Path, revoked: &Path) -> TokenConfig {
    let mut config = TokenConfig::new(KeySource::SecretFile(secret.to_owned()));
    config.leeway = Duration::ZERO;
    config.revocation_file = Some(revoked.to_owned());
    config
}

/// A request with the public host name.
pub(crate) fn request(method: &Method, path: &str, token: Option<&str>) -> Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST);
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

/// Signs a token with any claims.
pub(crate) fn sign(secret: &Secret, owner: OwnerId, scopes: Scopes, expires: Timestamp) -> String {
    let mut request = MintRequest::new(owner, scopes, expires);
    request.issued = expires - Duration::from_secs(3600);
    request.id = Some(Uuid::new_v4().to_string());
    mint(secret, &request).expect("it can be signed")
}

/// The `jti` of a token.
pub(crate) fn id_of_token(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims);
    let claims: Value = serde_json::from_slice(&claims.expect("base64url")).expect("JSON");
    claims["jti"].as_str().expect("it has an id").to_owned()
}
