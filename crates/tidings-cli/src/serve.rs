//! `tidings serve`: runs the server.

mod announce;
mod bus;
mod check;
mod connections;
mod demo;
mod identity;
mod limits;
mod log;
mod retention;
mod service_manager;
mod stop;
mod storage;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings::{Limits, Retention, Tidings};
use tidings_server::{ConnectionLimits, Server, TokenConfig};
use tokio::runtime::Builder;

use connections::ConnectionArgs;
use demo::Demo;
use identity::IdentityArgs;
use limits::LimitArgs;
use log::{Log, LogFilter, LogFormat};
use retention::RetentionArgs;
use service_manager::ServiceManager;
use stop::{FLUSH_TIME, LEFTOVER_TIME, Stop};
use storage::{Storage, StorageArgs};

/// Tokio polls for new I/O at least once per this number of task steps. With its default of 61, requests
/// wait behind as many steps that parse large heads, which take long (`cargo xtask bench hostile`).
const STEPS_BETWEEN_POLLS: u32 = 16;

/// The flags of `tidings serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// TOML file with settings by the names of these flags, such as `publish-rate = 100`. A flag comes before its
    /// environment variable, and that before the file
    #[arg(long, value_name = "FILE", env = "TIDINGS_CONFIG")]
    config: Option<PathBuf>,

    /// Check the settings, and the files they name, and exit; nothing is opened that a running server uses
    #[arg(long)]
    check: bool,

    /// Address to listen on; port 0 picks a free port. Without authentication it must be a loopback address
    #[arg(long, value_name = "ADDR", env = "TIDINGS_LISTEN", default_value_t = tidings_server::Config::DEFAULT_LISTEN)]
    listen: SocketAddr,

    /// Serve metrics and health checks on this address too, in plain HTTP without a token; port 0 picks a
    /// free port [default: none]
    #[arg(long, value_name = "ADDR", env = "TIDINGS_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

    /// Directory that stores the events, unless --store is given; created if missing
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data",
        default_value_if("demo", ArgPredicate::IsPresent, "./tidings-demo")
    )]
    data_dir: PathBuf,

    /// Publish sample events of an imaginary platform, to try the page; needs --auth local, and changes the
    /// default of --data-dir to ./tidings-demo
    #[arg(long)]
    demo: bool,

    /// Log level, or levels per module such as `info,tidings=debug`; `/api/system/events/config` changes it
    /// while the server runs
    #[arg(
        long,
        value_name = "FILTER",
        env = "TIDINGS_LOG",
        // The migration library logs paths of the machine it was built on.
        default_value = "info,rusqlite_migration=warn"
    )]
    log: LogFilter,

    /// Format of the log on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        env = "TIDINGS_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,

    #[command(flatten)]
    storage: StorageArgs,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    connections: ConnectionArgs,

    #[command(flatten)]
    retention: RetentionArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

/// Serves until SIGTERM or SIGINT, then ends the streams and commits accepted events. It returns within
/// [`stop::STOP_WITHIN`] of the signal; if something blocks, the process exits by then.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // Before the log starts, so that a wrong flag is reported as a usage error.
    let settings = Settings::of(args)?;
    if args.check {
        return check::run(args, settings);
    }
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

/// The settings that several flags make up.
struct Settings {
    retention: Retention,
    limits: Limits,
    /// The quota of each user, in bytes.
    owner_bytes: Option<u64>,
    storage: Storage,
    connections: ConnectionLimits,
    tokens: Option<TokenConfig>,
}

impl Settings {
    fn of(args: &Args) -> Result<Self, clap::Error> {
        if args.demo && args.identity.has_login() {
            let fault = "--demo needs --auth local: leave out --auth jwt or --demo\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
        }
        Ok(Self {
            retention: args.retention.retention()?,
            connections: args.connections.limits()?,
            tokens: args.identity.token_config()?,
            limits: args.limits.event_limits()?,
            storage: args.storage.storage(&args.data_dir, &args.limits)?,
            owner_bytes: args.limits.owner_bytes(args.identity.has_login())?,
        })
    }
}

fn serve(args: &Args, settings: Settings, log: &Log) -> anyhow::Result<()> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    allow_many_files();
    // Before anything is opened, so that a signal during the start is handled.
    let stop = Stop::listen(log.clone())?;
    let mut runtime = Builder::new_multi_thread();
    runtime.event_interval(STEPS_BETWEEN_POLLS).enable_all();
    let runtime = runtime.build()?;
    let ended = runtime.block_on(async {
        let started = tokio::select! {
            biased;
            // Also while keys are being fetched or a slow disk is read.
            () = stop.clone().asked() => return Ok(()),
            started = start(args, settings, log) => started?,
        };
        started.run(stop).await;
        Ok(())
    });
    // Dropping the runtime would wait for every blocking call.
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
    let retention = settings.retention.clone();
    let identity = identity::open(settings.tokens).await?;
    let mut config = tidings::Config::for_store(settings.storage.config);
    config.bus = settings.storage.bus;
    config.retention = settings.retention;
    config.limits = settings.limits;
    config.owner_bytes = settings.owner_bytes;
    let engine = Tidings::open(config).await?;
    let mut config = tidings_server::Config::default();
    config.listen = args.listen;
    config.metrics_listen = args.metrics_listen;
    config.tls = args.connections.tls();
    config.connections = settings.connections;
    config.log_level = Some(log.level());
    config.log_dropped = log.dropped();
    config.identity = identity;
    config.allowed_origins = args.identity.allowed_origins();
    config.public_urls = args.connections.public_urls();
    config.limits = args.limits.caller_limits(args.identity.has_login());
    let server = match Server::bind(engine.clone(), config) {
        Ok(server) => server,
        Err(error) => {
            engine.close().await;
            return Err(error.into());
        }
    };
    announce::announce(&server.url());
    tracing::info!(address = %server.local_addr(), store = settings.storage.name, "serving");
    if let Some(address) = server.metrics_addr() {
        tracing::info!(%address, "serving metrics and health checks without authentication");
    }
    retention::log(&retention);
    if let Some(most) = server.connections_per_address() {
        tracing::info!(
            limit = most,
            "connections per client address are limited; behind a proxy, raise \
             --max-connections-per-address"
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
        let manager = ServiceManager::tell_ready(self.server.tasks());
        let asked = async {
            stop.asked().await;
            manager.tell_stopping();
        };
        self.server.run(asked).await;
        drop(self.demo);
        self.engine.close().await;
    }
}

/// Raises the limit of open files, since every connection is one and the usual limit is 1,024.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "could not raise the limit of open files");
    }
}
