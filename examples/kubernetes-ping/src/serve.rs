//! Serving and graceful shutdown.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::routes::router;

/// Time limit for requests and pings after the program was told to stop. A ping takes less, and
/// Kubernetes kills a program after 30 seconds.
const STOP_TIME: Duration = Duration::from_secs(20);

/// Serves until `stop` is ready, then shuts down: it waits at most 20 seconds for requests and pings, and
/// closes the engine.
///
/// # Errors
///
/// Those of [`axum::serve()`].
pub async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let app = Arc::new(app);
    let stopping = CancellationToken::new();
    let all_ended = async {
        let served = axum::serve(listener, router(Arc::clone(&app)))
            .with_graceful_shutdown(stopping.clone().cancelled_owned())
            .await;
        // Pings whose clients disconnected still run, and their events must be stored.
        tracing::info!(pings = app.pings.len(), "all requests have ended");
        app.pings.close();
        app.pings.wait().await;
        served
    };
    let time_is_up = async {
        stop.await;
        // Otherwise the graceful shutdown waits for the live streams.
        app.tidings.end_subscriptions();
        stopping.cancel();
        tokio::time::sleep(STOP_TIME).await;
    };
    let ended = tokio::select! {
        served = all_ended => served,
        () = time_is_up => {
            tracing::error!(pings = app.pings.len(), "stopped before all pings had ended");
            Ok(())
        }
    };
    // Last: nothing can be published after it.
    app.tidings.close().await;
    ended
}
