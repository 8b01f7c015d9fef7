//! `tidings serve`.

mod connections;
mod demo;
mod identity;
mod limits;
mod log;
mod retention;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings::Tidings;
use tidings_server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use connections::ConnectionArgs;
use identity::IdentityArgs;
use limits::LimitArgs;
use log::{LogFilter, LogFormat};
use retention::RetentionArgs;

/// After so many steps of tasks it is looked what has arrived, at the latest. Tokio's own number is 61:
/// while some send large heads, whose steps take long, the others' requests would wait for as many of
/// them (`cargo xtask bench hostile`).
const STEPS_BETWEEN_LOOKS: u32 = 16;

/// How a server is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; port 0 picks a free one. Without a login a loopback address.
    #[arg(long, value_name = "ADDR", env = "TIDINGS_LISTEN", default_value_t = tidings_server::Config::DEFAULT_LISTEN)]
    listen: SocketAddr,

    /// The directory that holds the events; made when it is missing.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data",
        default_value_if("demo", ArgPredicate::IsPresent, "./tidings-demo")
    )]
    data_dir: PathBuf,

    /// Play a day of a platform that does not exist, for a look at the page: without a login only, and in
    /// `./tidings-demo` unless `--data-dir` says otherwise
    #[arg(long)]
    demo: bool,

    /// What is logged: a level, or levels by module such as `info,tidings=debug`. The level for all is
    /// changed while it runs by `/api/system/events/config`.
    #[arg(
        long,
        value_name = "FILTER",
        env = "TIDINGS_LOG",
        // The migration library logs paths of the machine it was built on.
        default_value = "info,rusqlite_migration=warn"
    )]
    log: LogFilter,

    /// How the log is written, on standard error.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "TIDINGS_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    connections: ConnectionArgs,

    #[command(flatten)]
    retention: RetentionArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

/// What serves everybody.
pub(crate) fn runtime() -> tokio::runtime::Builder {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.event_interval(STEPS_BETWEEN_LOOKS);
    runtime
}

/// Serves until SIGTERM or SIGINT, then ends the streams and commits what was accepted.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    // Before the log begins: a wrong flag is shown as one.
    let retention = args.retention.retention()?;
    let connections = args.connections.limits()?;
    let token_config = args.identity.token_config()?;
    let rules = retention::described(&retention);
    let limits = args.limits.event_limits()?;
    if args.demo && args.identity.has_login() {
        let fault = "--demo is for a server without a login: leave out --auth jwt, or --demo\n";
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault).into());
    }
    let log_level = log::start(args.log, args.log_format);
    allow_many_files();
    // Before anything is opened, so that no signal finds the server half started.
    let stop = StopSignals::listen()?;
    let identity = identity::open(token_config).await?;
    let engine = Tidings::open(tidings::Config {
        retention,
        limits,
        ..tidings::Config::new(&args.data_dir)
    })
    .await?;
    let config = tidings_server::Config {
        listen: args.listen,
        tls: args.connections.tls(),
        connections,
        log_level: Some(log_level),
        identity,
        allowed_origins: args.identity.allowed_origins(),
        limits: args.limits.caller_limits(args.identity.has_login()),
        ..tidings_server::Config::default()
    };
    let server = match Server::bind(engine.clone(), config) {
        Ok(server) => server,
        Err(error) => {
            engine.close().await;
            return Err(error.into());
        }
    };
    // Whoever started us may not want to know; that is no reason to end.
    let _ = writeln!(std::io::stdout(), "listening on {}", server.url());
    tracing::info!(address = %server.local_addr(), data_dir = %args.data_dir.display(), "serving");
    tracing::info!("keeping {rules}");
    if let Some(most) = server.connections_per_address() {
        tracing::info!(
            most,
            "one address may have so many connections; a proxy is one address too, and \
             --max-connections-per-address gives it more"
        );
    }

    let demo = if args.demo {
        Some(demo::play(&engine).await?)
    } else {
        None
    };
    server.run(stop.received()).await;
    drop(demo);
    engine.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Every connection is an open file, and the usual limit of 1,024 is far below what the system grants
/// on request.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "could not raise the limit of open files");
    }
}

/// The signals that ask the server to stop.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Ends with the first signal. A second one ends the process at once: what is committed is
    /// safe, and somebody is in a hurry.
    async fn received(mut self) {
        let first = self.next().await;
        tracing::info!(
            signal = first,
            "stopping; a second signal ends the process at once"
        );
        tokio::spawn(async move {
            let second = self.next().await;
            tracing::warn!(signal = second, "ended at once");
            std::process::exit(1);
        });
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
