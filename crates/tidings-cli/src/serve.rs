//! `tidings serve`.

mod announce;
mod connections;
mod demo;
mod identity;
mod limits;
mod log;
mod retention;
mod stop;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings::{Limits, Reserve, Retention, Tidings};
use tidings_server::{ConnectionLimits, Server, TokenConfig};
use tokio::runtime::Builder;

use connections::ConnectionArgs;
use demo::Demo;
use identity::IdentityArgs;
use limits::LimitArgs;
use log::{Log, LogFilter, LogFormat};
use retention::RetentionArgs;
use stop::{FLUSH_TIME, LEFTOVER_TIME, Stop};

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

    /// Serve metrics and health checks on this address too, in plain HTTP, without a token and under any
    /// host name; nothing else is served there. Port 0 picks a free one [default: none]
    #[arg(long, value_name = "ADDR", env = "TIDINGS_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

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

/// Serves until SIGTERM or SIGINT, then ends the streams and commits what was accepted. Whatever is
/// blocked, it returns within [`stop::STOP_WITHIN`] of the signal, or the process ends without that.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // Before the log begins: a wrong flag is shown as one.
    let settings = Settings::of(args)?;
    let log = Log::start(args.log.clone(), args.log_format)
        .context("could not start the log on standard error")?;
    let code = match serve(args, settings, &log) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            log.fatal(&error);
            ExitCode::FAILURE
        }
    };
    log.flush(FLUSH_TIME);
    Ok(code)
}

/// The flags that only make sense together.
struct Settings {
    retention: Retention,
    limits: Limits,
    /// How many bytes the events of one user may take.
    owner_bytes: Option<u64>,
    reserve: Reserve,
    connections: ConnectionLimits,
    tokens: Option<TokenConfig>,
}

impl Settings {
    fn of(args: &Args) -> Result<Self, clap::Error> {
        if args.demo && args.identity.has_login() {
            let fault = "--demo is for a server without a login: leave out --auth jwt, or --demo\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
        }
        Ok(Self {
            retention: args.retention.retention()?,
            connections: args.connections.limits()?,
            tokens: args.identity.token_config()?,
            limits: args.limits.event_limits()?,
            reserve: args.limits.reserve(),
            owner_bytes: args.limits.owner_bytes(args.identity.has_login())?,
        })
    }
}

fn serve(args: &Args, settings: Settings, log: &Log) -> anyhow::Result<()> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    allow_many_files();
    // Before anything is opened, so that no signal finds the server half started.
    let stop = Stop::listen(log.clone())?;
    let mut runtime = Builder::new_multi_thread();
    runtime.event_interval(STEPS_BETWEEN_LOOKS).enable_all();
    let runtime = runtime.build()?;
    let ended = runtime.block_on(async {
        let started = tokio::select! {
            biased;
            // Keys that do not come, or a slow disk, do not keep it from ending.
            () = stop.clone().asked() => return Ok(()),
            started = start(args, settings, log) => started?,
        };
        started.run(stop).await;
        Ok(())
    });
    // Dropped, the runtime would wait for every blocking call that is under way.
    runtime.shutdown_timeout(LEFTOVER_TIME);
    ended
}

/// A server that listens.
struct Started {
    engine: Tidings,
    server: Server,
    demo: Option<Demo>,
}

async fn start(args: &Args, settings: Settings, log: &Log) -> anyhow::Result<Started> {
    let rules = retention::described(&settings.retention);
    let identity = identity::open(settings.tokens).await?;
    let engine = Tidings::open(tidings::Config {
        retention: settings.retention,
        limits: settings.limits,
        owner_bytes: settings.owner_bytes,
        reserve: settings.reserve,
        ..tidings::Config::new(&args.data_dir)
    })
    .await?;
    let config = tidings_server::Config {
        listen: args.listen,
        metrics_listen: args.metrics_listen,
        tls: args.connections.tls(),
        connections: settings.connections,
        log_level: Some(log.level()),
        log_dropped: log.dropped(),
        identity,
        allowed_origins: args.identity.allowed_origins(),
        public_urls: args.connections.public_urls(),
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
    announce::announce(&server.url());
    tracing::info!(address = %server.local_addr(), data_dir = %args.data_dir.display(), "serving");
    if let Some(address) = server.metrics_addr() {
        tracing::info!(%address, "serving metrics and health checks to everybody who can connect");
    }
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
    Ok(Started {
        engine,
        server,
        demo,
    })
}

impl Started {
    async fn run(self, stop: Stop) {
        self.server.run(stop.asked()).await;
        drop(self.demo);
        self.engine.close().await;
    }
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
