//! Measures Tidings against the limits of the machine.

use std::path::{Path, PathBuf};

use crate::command;

/// What to measure. `target/release/tidings-bench --help` lists the names of the benchmarks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The benchmarks to run [default: all]
    names: Vec<String>,

    /// Run shorter and smaller benchmarks, which show only that they work
    #[arg(long)]
    quick: bool,

    /// Make the data directories here, on a real disk: in memory, commits cost nothing
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Builds the server as it ships, then measures it.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // One after the other: built together, the server would get the features that the benchmarks need.
    let build = ["build", "--release", "--locked", "--package"];
    for package in ["tidings-cli", "tidings-bench"] {
        command::run(command::cargo(&build).arg(package))?;
    }
    let binaries = command::target_directory()?.join("release");
    command::run(&mut bench(args, &binaries))
}

fn bench(args: &Args, binaries: &Path) -> std::process::Command {
    let mut bench = std::process::Command::new(binaries.join("tidings-bench"));
    bench.current_dir(command::root());
    bench.arg("--server").arg(binaries.join("tidings"));
    bench.args(&args.names);
    if args.quick {
        bench.arg("--quick");
    }
    if let Some(scratch) = &args.scratch {
        bench.arg("--scratch").arg(scratch);
    }
    bench
}
