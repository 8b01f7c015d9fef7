//! Runs the example. `docs/sending-events.md` has the command.

use anyhow::Context as _;
use clap::Parser as _;
use kubernetes_ping::{App, Args, Connections, serve};
use tidings::{Config, Tidings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    // There is no login: every client that can connect is the local user.
    anyhow::ensure!(
        args.listen.ip().is_loopback(),
        "--listen: {} is not a loopback address; use one such as 127.0.0.1:8080",
        args.listen
    );
    // Registered first, so that a signal during startup is not lost. Ctrl-C sends SIGINT; service managers
    // and Kubernetes send SIGTERM.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let tidings = Tidings::open(Config::new(&args.data_dir)).await?;
    let connections = Connections::new(args.kubeconfig, args.connection);
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!(
            "could not listen on {}; choose another address with --listen",
            args.listen
        )
    })?;
    tracing::info!("listening on http://{}", listener.local_addr()?);

    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    serve(listener, App::new(tidings, connections), stop).await?;
    Ok(())
}
