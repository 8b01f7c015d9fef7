//! An axum app whose login gives each user a token for their own inbox.
//!
//! `cargo run -p tidings-server --example axum_login` serves until Ctrl-C; with an address as argument it
//! listens there.

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use tidings::{OwnerId, Tidings, Timestamp};
use tidings_server::{
    Config, Identity, KeySource, MintRequest, Scopes, Secret, TokenConfig, Tokens, mint, router,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let directory = tempfile::tempdir()?;
    let tidings = Tidings::open(tidings::Config::new(directory.path().join("data"))).await?;

    // The app signs tokens with the secret by which Tidings verifies them.
    let file = directory.path().join("secret");
    std::fs::write(&file, Secret::new_line()?.as_bytes())?;
    let secret = Arc::new(Secret::read(&file)?);
    let tokens = Tokens::open(TokenConfig::new(KeySource::SecretFile(file))).await?;
    let mut config = Config::default();
    config.identity = Identity::Tokens(tokens);

    let app = Router::new()
        .route("/login/{user}", post(log_in))
        .with_state(secret)
        .merge(router(tidings.clone(), &config));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let streams = tidings.clone();
    let shutdown = async move {
        let _ = tokio::signal::ctrl_c().await;
        streams.end_subscriptions();
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .await?;
    tidings.close().await;
    println!("closed");
    Ok(())
}

/// A real app checks a password here.
async fn log_in(
    State(secret): State<Arc<Secret>>,
    Path(user): Path<String>,
) -> Result<String, StatusCode> {
    let owner = OwnerId::of_subject("https://app.example", &user);
    let expires = Timestamp::now() + Duration::from_secs(3_600);
    let request = MintRequest::new(owner, Scopes::USER, expires);
    mint(&secret, &request).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
