//! The benchmarks of `cargo xtask bench`: the server and the engine compared with the machine's own
//! limits.
//!
//! Every figure has a baseline, measured in the same run and in turns, because the machine can be
//! busy with other work. No benchmark passes or fails.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on standard output, and says on standard error what it is doing"
)]

mod bulk;
mod bulk_mark;
mod bulk_over_http;
mod bystanders;
mod certificate;
mod content;
mod cores;
mod counts;
mod cpu;
mod crowd;
mod database;
mod engine;
mod fan_out;
mod filling;
mod grown;
mod heads;
mod hostile;
mod http;
mod http2;
mod idle;
mod idle_memory;
mod inbox_pages;
mod inboxes;
mod ingest;
mod ingest_batch;
mod machine;
mod many_owners;
mod peers;
mod postgres;
mod postgres_grown;
#[path = "../../tidings/tests/support/postgres_programs.rs"]
mod postgres_programs;
mod process;
mod publish_request;
mod publishers;
mod raw;
mod raw_feed;
mod raw_lists;
mod raw_steps;
mod recipients;
mod report;
mod resume;
mod retention;
mod scan;
mod search;
mod server;
mod sides;
mod stalled;
mod statistics;
mod system;
mod tokens;
mod transport;
mod unicast;
mod updates;
mod users;
mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use cores::Cores;
use cpu::Machine;
use inboxes::Inboxes;
use report::Table;

/// Measures Tidings against the limits of this machine.
#[derive(Debug, Parser)]
struct Args {
    /// The benchmarks to run; all of them by default.
    #[arg(value_enum)]
    names: Vec<Name>,

    /// Run short and small, to check that the benchmarks work. The figures cannot be quoted.
    #[arg(long)]
    quick: bool,

    /// The server's release binary.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,

    /// Another build of it, as a baseline for `ingest`, `ingest-batch`, `unicast`, `grown`, `fan-out`,
    /// `resume`, `bulk-mark`, `idle-memory` and `counts`.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Directory for the data directories. It must be on a real disk, or commits cost nothing.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Ingest,
    IngestBatch,
    Postgres,
    ManyOwners,
    Idle,
    Users,
    Unicast,
    Grown,
    Updates,
    Recipients,
    /// Needs PostgreSQL's programs.
    PostgresGrown,
    FanOut,
    Resume,
    IdleMemory,
    /// Needs valgrind, strace, and perf as root.
    Counts,
    Stalled,
    InboxPages,
    Search,
    BulkMark,
    Retention,
    /// Needs PostgreSQL's programs.
    Heads,
    /// All attacks.
    Hostile,
    /// The attacks of an ordinary account alone.
    HostileAccount,
}

/// The settings that benchmarks share.
#[derive(Debug)]
struct Bench {
    server: PathBuf,
    against: Option<PathBuf>,
    scratch: PathBuf,
    cores: Cores,
    quick: bool,
    /// Filled by the first benchmark that needs it.
    inboxes: OnceCell<Inboxes>,
}

impl Bench {
    /// Chooses between the sizes of a full and a quick run.
    fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// How many turns each side is measured.
    fn repetitions(&self) -> usize {
        self.size(5, 3)
    }

    /// How long one side is measured per turn.
    fn stretch(&self) -> Duration {
        self.size(Duration::from_secs(4), Duration::from_secs(1))
    }

    /// The store for lists and searches. Filling it takes minutes, so there is only one.
    async fn inboxes(&self) -> anyhow::Result<&Inboxes> {
        self.inboxes
            .get_or_try_init(|| Inboxes::fill(self))
            .await
            .context("could not fill the inboxes")
    }

    /// Creates a directory that is removed on drop.
    fn directory(&self) -> anyhow::Result<TempDir> {
        tempfile::Builder::new()
            .prefix("tidings-bench-")
            .tempdir_in(&self.scratch)
            .context("could not make a data directory")
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    cores::allow_many_files()?;
    let bench = Bench {
        server: args.server,
        against: args.against,
        scratch: args.scratch.unwrap_or_else(std::env::temp_dir),
        cores: Cores::choose()?,
        quick: args.quick,
        inboxes: OnceCell::new(),
    };
    println!("{}", machine::describe(&bench)?);
    // Before the runtime starts, because its threads inherit the core. A load generator with one
    // thread is the cheapest.
    bench.cores.pin_to_load()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let names = if args.names.is_empty() {
        let all = Name::value_variants().iter().copied();
        // It is a part of the one before.
        all.filter(|name| *name != Name::HostileAccount).collect()
    } else {
        args.names
    };
    for name in names {
        let before = Machine::now()?;
        eprintln!("measuring {name:?} …");
        let mut tables = runtime
            .block_on(run(&bench, name))
            .with_context(|| format!("the benchmark {name:?} broke off"))?;
        if let Some(last) = tables.last_mut() {
            last.note(before.others_since()?);
        }
        for table in tables {
            println!("{table}");
        }
    }
    Ok(())
}

async fn run(bench: &Bench, name: Name) -> anyhow::Result<Vec<Table>> {
    let table = match name {
        Name::Ingest => ingest::run(bench).await,
        Name::IngestBatch => ingest_batch::run(bench).await,
        Name::Postgres => postgres::run(bench).await,
        Name::ManyOwners => many_owners::run(bench).await,
        Name::Idle => idle::run(bench).await,
        Name::Users => users::run(bench).await,
        Name::Unicast => unicast::run(bench).await,
        Name::Grown => grown::run(bench).await,
        Name::Updates => updates::run(bench).await,
        Name::Recipients => recipients::run(bench).await,
        Name::PostgresGrown => postgres_grown::run(bench).await,
        Name::FanOut => fan_out::run(bench).await,
        Name::Resume => resume::run(bench).await,
        Name::IdleMemory => idle_memory::run(bench).await,
        Name::Counts => counts::run(bench).await,
        Name::Stalled => stalled::run(bench).await,
        Name::InboxPages => inbox_pages::run(bench).await,
        Name::Search => search::run(bench).await,
        Name::BulkMark => bulk_mark::run(bench).await,
        Name::Retention => retention::run(bench).await,
        Name::Heads => heads::run(bench).await,
        Name::Hostile => {
            let strangers = hostile::run(bench).await?;
            return Ok(vec![strangers, hostile::account::run(bench).await?]);
        }
        Name::HostileAccount => hostile::account::run(bench).await,
    };
    Ok(vec![table?])
}
