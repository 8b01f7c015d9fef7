//! Runs the example; `docs/sending-events.md` says how.

use anyhow::Context as _;
use clap::Parser as _;
use kubernetes_ping::{App, Args, Connections, router};
use tidings::{Config, Tidings};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    // Whoever can connect is the user: what is true of Tidings' routes here is true of ours.
    anyhow::ensure!(
        args.listen.ip().is_loopback(),
        "--listen: not a loopback address"
    );

    let tidings = Tidings::open(Config::new(&args.data_dir)).await?;
    let connections = Connections::new(args.kubeconfig, args.connection);
    let router = router(App::new(tidings.clone(), connections));
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("could not listen on {}", args.listen))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);

    let engine = tidings.clone();
    let stopped = async move {
        // Without signals there is only the hard way to stop.
        let _ = tokio::signal::ctrl_c().await;
        // A graceful shutdown would otherwise wait for the live streams.
        engine.end_subscriptions();
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await?;
    // The handlers have ended, and with them all publishing.
    tidings.close().await;
    Ok(())
}
