//! Serving, and ending in good order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::{App, router};

/// How long requests and pings may go on after the program was told to stop: longer than a ping
/// takes, and shorter than the 30 seconds after which Kubernetes kills a program.
const STOP_TIME: Duration = Duration::from_secs(20);

/// Serves until `stop` is ready. It returns when every request and every ping has ended, at the latest
/// after 20 seconds, with the engine closed.
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
        // The pings of users who have hung up go on, and their events have to be stored.
        tracing::info!(pings = app.pings.len(), "all requests have ended");
        app.pings.close();
        app.pings.wait().await;
        served
    };
    let time_is_up = async {
        stop.await;
        // A graceful shutdown would otherwise wait for the live streams.
        app.tidings.end_subscriptions();
        stopping.cancel();
        tokio::time::sleep(STOP_TIME).await;
    };
    let ended = tokio::select! {
        served = all_ended => served,
        () = time_is_up => {
            tracing::error!(pings = app.pings.len(), "stopped before all had ended");
            Ok(())
        }
    };
    // Last, since nothing can be published after it.
    app.tidings.close().await;
    ended
}
