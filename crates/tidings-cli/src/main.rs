//! The `tidings` command.

mod access;
mod age;
mod backup;
mod cause;
mod change;
mod choice;
mod color;
mod completions;
mod config_file;
mod delete;
mod delivery;
mod doctor;
mod event_line;
mod export;
mod filter;
mod get;
mod health;
mod import;
mod list;
mod manual;
mod mark;
mod move_store;
mod output;
mod owner_flags;
mod progress;
mod publish;
mod rejection;
mod restore;
mod retract;
mod retry;
#[cfg(test)]
mod sample;
mod selection;
mod serve;
mod server_url;
mod store;
mod summary;
mod tail;
mod token;
mod update;
mod visible;

use std::env;
use std::ffi::OsStr;
use std::future::Future;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Every request makes dozens of small allocations, most of which outlive the task step that makes them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DETAILS: &str = "\
Exit codes: 0 for success, 1 for a failure (standard error gives the reason), 2 for a usage error.

Get started:
  tidings serve &
  tidings tail &
  tidings publish --acted-upon 7b1d2c3e-0000-4000-8000-000000000001 --category connection \\
    --action register --severity success --description 'Connected to the cluster'

`tidings COMMAND --help` describes a command.";

/// A durable notification inbox for your backend
#[derive(Debug, Parser)]
#[command(name = "tidings", version, propagate_version = true, after_help = DETAILS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::Args>),
    /// Publish events
    Publish(publish::Args),
    /// Update the content of a published event
    Update(Box<update::Args>),
    /// Take published events back
    Retract(retract::Args),
    /// Print events as they happen
    Tail(tail::Args),
    /// List events, newest first by default
    List(list::Args),
    /// Show one event in full
    Get(get::Args),
    /// Count events by severity and status
    Summary(summary::Args),
    /// Mark events as read or unread
    Mark(mark::Args),
    /// Delete events
    Delete(delete::Args),
    /// Write events to a file, with their ids, times and status
    Export(export::Args),
    /// Store exported events, with their ids, times and status
    Import(import::Args),
    /// Back up a data directory, even while a server uses it
    Backup(backup::Args),
    /// Restore a backup into an empty data directory
    Restore(restore::Args),
    /// Move a store from a data directory to PostgreSQL, or back
    Move(move_store::Args),
    /// Create a token for a development server, or a secret that signs tokens
    Token(token::Args),
    /// Check that a server is alive, or ready
    Health(health::Args),
    /// Diagnose a server, a data directory or a database
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Write manual pages for `man`, one for each command
    Manual(manual::Args),
}

fn main() -> ExitCode {
    let command = without_empty_variables(Cli::command());
    let with_usage = |error: clap::Error| error.format(&mut Cli::command());
    let cli = config_file::complete(&command, env::args_os().collect())
        .and_then(|arguments| command.try_get_matches_from(arguments))
        .and_then(|matches| Cli::from_arg_matches(&matches).map_err(with_usage));
    let cli = cli.unwrap_or_else(|error| error.exit());
    let ended = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Publish(args) => run(publish::run(args)),
        Command::Update(args) => run(update::run(*args)),
        Command::Retract(args) => run(retract::run(args)),
        Command::Tail(args) => run(tail::run(args)),
        Command::List(args) => run(list::run(args)),
        Command::Get(args) => run(get::run(args)),
        Command::Summary(args) => run(summary::run(args)),
        Command::Mark(args) => run(mark::run(args)),
        Command::Delete(args) => run(delete::run(args)),
        Command::Export(args) => run(export::run(args)),
        Command::Import(args) => run(import::run(args)),
        Command::Health(args) => run(health::run(args)),
        Command::Doctor(args) => run(doctor::run(args)),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Manual(args) => manual::run(&args, Cli::command()),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => run(restore::run(args)),
        Command::Move(args) => run(move_store::run(args)),
        Command::Token(args) => token::run(args),
    };
    match ended {
        Ok(code) => code,
        Err(error) => match error.downcast::<clap::Error>() {
            // A usage error that concerns several arguments.
            Ok(usage) => usage.exit(),
            Err(error) => {
                output::note(format_args!("error: {error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// Treats an empty environment variable as unset, since scripts and units clear variables that way.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| match arg.get_env() {
            Some(name) if is_empty(name) => arg.env(Resettable::Reset),
            _ => arg,
        })
        .mut_subcommands(without_empty_variables)
}

fn run(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(command)
}
