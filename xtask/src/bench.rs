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

    /// Measure this build of the server instead of building one
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,

    /// Compare with another build of the server, in turns, in `unicast` and `grown`
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Make the data directories here, on a real disk: in memory, commits cost nothing
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Builds the server as it ships, then measures it.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // One after the other: built together, the server would get the features that the benchmarks need.
    let build = ["build", "--release", "--locked", "--package"];
    let server = args.server.is_none().then_some("tidings-cli");
    for package in server.into_iter().chain(["tidings-bench"]) {
        command::run(command::cargo(&build).arg(package))?;
    }
    let binaries = command::target_directory()?.join("release");
    command::run(&mut bench(args, &binaries))
}

fn bench(args: &Args, binaries: &Path) -> std::process::Command {
    let mut bench = std::process::Command::new(binaries.join("tidings-bench"));
    bench.current_dir(command::root());
    let built = binaries.join("tidings");
    bench
        .arg("--server")
        .arg(args.server.as_ref().unwrap_or(&built));
    if let Some(against) = &args.against {
        bench.arg("--against").arg(against);
    }
    bench.args(&args.names);
    if args.quick {
        bench.arg("--quick");
    }
    if let Some(scratch) = &args.scratch {
        bench.arg("--scratch").arg(scratch);
    }
    bench
}
