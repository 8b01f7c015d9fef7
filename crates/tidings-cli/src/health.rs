//! `tidings health`: asks a server whether it is alive or ready.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;

use crate::output;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
For the health checks of containers and scripts that have no other HTTP client. The exit code is 0 if the server is
alive, and 1 otherwise. A full disk, or a database that is away, makes a server not ready, and a restart does not
help; so restart by the one, and route traffic by the other.

If the server's certificate is not for this address, ask its metrics listener (`tidings serve --metrics-listen`).

Examples:
  tidings health
  tidings health --ready --url http://127.0.0.1:9082";

/// Check that a server is alive, or ready
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Check that it is ready, too: that it accepts events and is not stopping
    #[arg(long)]
    ready: bool,
}

/// Longer than the server takes to find out whether its store responds.
const LIMIT: Duration = Duration::from_secs(6);

/// Asks the server once.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let asked = async {
        let health = client.health().await?;
        if args.ready {
            client.ready().await?;
        }
        Ok(health)
    };
    let state = if args.ready { "ready" } else { "alive" };
    match timeout(LIMIT, asked).await {
        Ok(Ok(health)) => {
            let version = health.version.map(|version| format!(", version {version}"));
            output::print_line(format_args!("{state}{}", version.unwrap_or_default()))
                .context("could not write to standard output")?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Err(error)) => {
            output::report(&error);
            Ok(ExitCode::FAILURE)
        }
        Err(_) => {
            output::note(format_args!(
                "error: the server did not respond within {} s",
                LIMIT.as_secs()
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}
