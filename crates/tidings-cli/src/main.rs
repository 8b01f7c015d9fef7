//! The `tidings` command.

mod backup;
mod output;
mod publish;
mod restore;
mod serve;
mod server_url;
mod tail;

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tells each user of a server what it is doing on their behalf, and never loses it.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<serve::Args>),
    /// Send events to a server.
    Publish(publish::Args),
    /// Show events as they come.
    Tail(tail::Args),
    /// Copy the events of a data directory into a file, also while a server runs.
    Backup(backup::Args),
    /// Make a data directory of a backup.
    Restore(restore::Args),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Serve(args) => run(
            tokio::runtime::Builder::new_multi_thread(),
            serve::run(*args),
        ),
        Command::Publish(args) => run(one_thread(), publish::run(args)),
        Command::Tail(args) => run(one_thread(), tail::run(args)),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // The chain in one line; there is nowhere to report that standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn one_thread() -> tokio::runtime::Builder {
    tokio::runtime::Builder::new_current_thread()
}

fn run(
    mut runtime: tokio::runtime::Builder,
    command: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    runtime.enable_all().build()?.block_on(command)
}
