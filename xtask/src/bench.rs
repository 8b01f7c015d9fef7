//! Measures Tidings against the limits of the machine.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};

use crate::{command, plot};

/// The benchmarks to run. `target/release/tidings-bench --help` lists the names of the benchmarks.
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

    /// Compare with another build of the server, in turns, in `ingest`, `ingest-batch`, `unicast`, `grown`, `fan-out`
    /// and `idle-memory`
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Write the results to this Markdown file too, with a picture of each comparison beside it
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,

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
    let mut bench = bench(args, &binaries);
    let Some(page) = &args.page else {
        return command::run(&mut bench);
    };
    let measured = bench.stderr(Stdio::inherit()).output()?;
    ensure!(
        measured.status.success(),
        "the benchmarks ended with {}",
        measured.status
    );
    let results = String::from_utf8(measured.stdout).context("the results are not UTF-8")?;
    print!("{results}");
    write_page(page, args, &results)
}

/// Writes the results with the command that made them, and a picture below the heading of each benchmark.
fn write_page(page: &Path, args: &Args, results: &str) -> anyhow::Result<()> {
    let mut text = format!(
        "# Measurements\n\n```sh\n{}\n```\n\n{results}",
        args.command()
    );
    for picture in plot::comparisons(&text)? {
        let file = format!("{}.svg", picture.name);
        let heading = format!("### {}: {}\n", picture.name, picture.title);
        let shown = format!("{heading}\n![{}]({file})\n", picture.title);
        text = text.replacen(&heading, &shown, 1);
        std::fs::write(page.with_file_name(file), picture.svg)?;
    }
    std::fs::write(page, text).with_context(|| format!("could not write {}", page.display()))
}

impl Args {
    /// The command with these arguments.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench".to_owned()];
        for (flag, file) in [("--server", &self.server), ("--against", &self.against)] {
            words.extend(
                file.as_ref()
                    .map(|file| format!("{flag} {}", file.display())),
            );
        }
        words.extend(self.quick.then(|| "--quick".to_owned()));
        words.extend(self.names.iter().cloned());
        words.join(" ")
    }
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
