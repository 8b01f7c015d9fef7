//! Measures Tidings against the limits of the machine.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::MetadataCommand;

use crate::command;

/// What is measured. `cargo xtask bench -- --help` lists the names and options.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The benchmarks to run; all when none is named.
    names: Vec<String>,

    /// Shorter and smaller: to see whether it runs, not for figures to quote.
    #[arg(long)]
    quick: bool,

    /// Where the data directories are made; a real disk, or no commit costs anything.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Builds the server as it is shipped, then measures it.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // Apart from the benchmarks, whose wishes for its dependencies must not reach it.
    let build = ["build", "--release", "--locked", "--package"];
    for package in ["tidings-cli", "tidings-bench"] {
        command::run(command::cargo(&build).arg(package))?;
    }
    let binaries = MetadataCommand::new()
        .current_dir(command::root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?
        .target_directory
        .into_std_path_buf()
        .join("release");
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
