//! The project's own commands: `cargo xtask test`, `ci`, `codegen`, `bench` and `tidy`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks on standard output"
)]

mod bench;
mod ci;
mod codegen;
mod command;
mod dependencies;
mod javascript;
mod plot;
mod python;
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
    /// Install what the tests need, run every test of every kind, and say what ran.
    Test(test::Args),
    /// What CI runs: formatting, lints, rustdoc, tidy, then all tests.
    Ci,
    /// Write the files that are generated.
    Codegen(codegen::Args),
    /// Measure the server against the limits of this machine.
    Bench(bench::Args),
    /// Check the rules of the workspace that no compiler checks.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Test(args) => test::run(&args),
        Task::Ci => ci::run(),
        Task::Codegen(args) => codegen::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Tidy => tidy::run(),
    }
}
