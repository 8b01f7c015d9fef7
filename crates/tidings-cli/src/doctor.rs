//! `tidings doctor`: diagnoses a server, a data directory or a database.

mod database;
mod directory;
mod finding;
mod lock;
mod metrics;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use url::Url;

use crate::access::AccessArgs;
use crate::color::ColorArgs;
use crate::server_url;
use crate::store::{Location, NamedStore};
use finding::Report;

const DETAILS: &str = "\
Checks the server, unless only --data-dir or --store is given, and the data directory or the database, if one
is given, whether or not a server uses it. Each check prints one line that begins with ok, warn or fail, and a suggested fix
below it. The exit code is 1 if a check fails. It changes nothing, unless --rebuild is given.

With --metrics-url it also checks the server's metrics listener. The number of lost log lines comes from
there, or from the server if the token has the scope events:admin.

With --json each check is one line: {\"check\":\"…\",\"verdict\":\"ok\",\"finding\":\"…\",\"remedy\":\"…\"}

Examples:
  tidings doctor
  tidings doctor --url http://127.0.0.1:9081 --data-dir ./tidings-data
  tidings doctor --url https://tidings.example.org --token-file token --ca-cert ca.pem
  tidings doctor --json | jq -r 'select(.verdict != \"ok\")'";

/// Diagnose a server, a data directory or a database
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// URL of the server [default: that of `tidings serve`, unless only --data-dir or --store is given]
    #[arg(long, env = "TIDINGS_URL", value_name = "URL")]
    url: Option<Url>,
    #[command(flatten)]
    access: AccessArgs,
    /// URL of the server's metrics listener (`tidings serve --metrics-listen`) [default: none]
    #[arg(long, value_name = "URL")]
    metrics_url: Option<Url>,
    /// Data directory to check
    #[arg(long, env = "TIDINGS_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Store to check, instead of --data-dir: a directory, or `postgres://USER@HOST/DATABASE`
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_STORE",
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    store: Option<Location>,
    /// File with the password of the PostgreSQL user
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_STORE_PASSWORD_FILE",
        requires = "store"
    )]
    store_password_file: Option<PathBuf>,
    /// First make the lists and counts of --data-dir again from its events; no server may use it meanwhile
    #[arg(long, requires = "data_dir")]
    rebuild: bool,
    /// Print each check as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    color: ColorArgs,
}

/// Runs all checks.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(args.json, args.color.painter());
    let password_file = args.store_password_file.as_ref();
    let place = match (&args.store, &args.data_dir) {
        (Some(store), _) => Some(store.place("--store", password_file)?),
        (None, Some(path)) => Some(NamedStore::Directory(path.clone())),
        (None, None) => None,
    };
    let has_store = place.is_some();
    match place {
        Some(NamedStore::Directory(path)) => {
            if args.rebuild {
                report.add(&directory::rebuild(&path))?;
            }
            directory::examine(&path, &mut report)?;
        }
        Some(NamedStore::Postgres(database)) => database::examine(&database, &mut report).await?,
        None => {}
    }
    let metrics = match &args.metrics_url {
        Some(url) => Some(AccessArgs::default().client(url)?),
        None => None,
    };
    if args.url.is_some() || !has_store || metrics.is_some() {
        let url = args.url.unwrap_or_else(server_url::default_url);
        let client = args.access.client(&url)?;
        server::examine(&client, &args.access, &mut report).await?;
        metrics::examine(&client, metrics.as_ref(), &mut report).await?;
    }
    Ok(report.exit_code())
}
