//! Mounts the routes of Tidings beside the routes of an app without authentication.
//!
//! `cargo run -p tidings-server --example embedded_router` serves until Ctrl-C; with an address as
//! argument it listens there.

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Router, middleware};
use tidings::{Event, ResourceId, Tidings};
use tidings_server::{Config, LOCAL_USER, local_only, router};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let directory = tempfile::tempdir()?;
    let tidings = Tidings::open(tidings::Config::new(directory.path())).await?;

    let app = Router::new()
        .route("/api/reports", post(render_report))
        .with_state(tidings.clone())
        // Protects these routes from web pages of other origins; the routes of Tidings do so themselves.
        .layer(middleware::from_fn(local_only))
        .merge(router(tidings.clone(), &Config::default()));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let streams = tidings.clone();
    let shutdown = async move {
        let _ = tokio::signal::ctrl_c().await;
        // Open streams would delay the shutdown.
        streams.end_subscriptions();
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .await?;
    tidings.close().await;
    println!("closed");
    Ok(())
}

async fn render_report(State(tidings): State<Tidings>) -> StatusCode {
    let event = Event::builder()
        .for_user(LOCAL_USER)
        .acted_upon(ResourceId::mint())
        .with_category("report")
        .with_action("render");
    let operation = tidings.operation(event);
    operation.succeed("Rendered the report").await;
    StatusCode::CREATED
}
