//! The project's own commands: `cargo xtask test`, `ci`, `codegen`, `bench` and `tidy`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks on standard output"
)]

mod bench;
mod cargo_tool;
mod ci;
mod clients;
mod codegen;
mod command;
mod example;
mod features;
mod javascript;
mod msrv;
mod package;
mod plot;
mod python;
mod step;
mod tally;
mod test;
mod tidy;
mod tools;
mod ui;

use clap::Parser;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Install what the tests need, and run every test
    Test(test::Args),
    /// Run what CI runs: the checks, then every test
    Ci(ci::Args),
    /// Write the generated files
    Codegen(codegen::Args),
    /// Measure the server against the limits of this machine
    Bench(bench::Args),
    /// Check the rules of the workspace that no compiler checks
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Test(args) => test::run(&args),
        Task::Ci(args) => ci::run(&args),
        Task::Codegen(args) => codegen::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Tidy => tidy::run(),
    }
}
