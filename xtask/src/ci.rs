//! The steps of CI, the same on every machine: checks from the quickest to the slowest, then all tests.

use anyhow::ensure;

use crate::cargo_tool::CARGO_DENY;
use crate::step::Steps;
use crate::{clients, codegen, command, example, features, msrv, package, test, tidy, tools, ui};

/// Which checks to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run only these checks, without the tests: format, tidy, dependencies, lints, rustdoc, features, msrv,
    /// package, generated, ui, clients
    #[arg(value_name = "CHECK")]
    only: Vec<String>,
}

struct Check {
    name: &'static str,
    title: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const CHECKS: &[Check] = &[
    check("format", "Formatting", format),
    check("tidy", "Rules of the workspace", tidy::run),
    check(
        "dependencies",
        "Licenses, sources and duplicates of dependencies",
        dependencies,
    ),
    check("lints", "Lints", lints),
    check("rustdoc", "Documentation", rustdoc),
    check("features", "Each feature by itself", features::check),
    check("msrv", "Oldest supported Rust", msrv::check),
    check("package", "Packages for the registry", package::check),
    check("generated", "Generated files", generated),
    check("ui", "Types and lints of the page", ui::check),
    check(
        "clients",
        "Format, types and lints of the clients",
        clients::check,
    ),
];

const fn check(name: &'static str, title: &'static str, run: fn() -> anyhow::Result<()>) -> Check {
    Check { name, title, run }
}

/// Runs the checks, then all tests. The last line is `N passed, N failed`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    for name in &args.only {
        let known = CHECKS.iter().any(|check| check.name == name);
        ensure!(
            known,
            "no check is named {name}; see `cargo xtask ci --help`"
        );
    }
    let is_chosen =
        |check: &&Check| args.only.is_empty() || args.only.iter().any(|name| check.name == name);
    let chosen: Vec<&Check> = CHECKS.iter().filter(is_chosen).collect();
    let tests = if args.only.is_empty() {
        test::SUITES.len()
    } else {
        0
    };
    let mut steps = Steps::of(chosen.len() + tests);
    for check in chosen {
        steps.run(check.title, check.run)?;
    }
    if args.only.is_empty() {
        test::run_in(&mut steps, &test::Args::default())?;
    }
    Ok(())
}

fn format() -> anyhow::Result<()> {
    command::run(&mut command::cargo(&["fmt", "--all", "--check"]))?;
    let mut example = command::cargo(&["fmt", "--check", "--manifest-path"]);
    command::run(example.arg(example::MANIFEST))
}

/// Without advisories, whose database comes from the network and changes under the same commit.
fn dependencies() -> anyhow::Result<()> {
    let mut deny = CARGO_DENY.command()?;
    deny.args(["--locked", "--all-features", "check"]);
    deny.args(["bans", "licenses", "sources"]);
    // An exception without a duplicate leaves the list.
    command::run(deny.args(["--deny", "unmatched-skip", "--deny", "unnecessary-skip"]))?;
    let mut example = CARGO_DENY.command()?;
    example.args(["--locked", "--manifest-path", example::MANIFEST]);
    // Not built into anything that is shipped, so duplicates do no harm.
    command::run(example.args(["check", "licenses", "sources"]))
}

fn lints() -> anyhow::Result<()> {
    let lints = ["--all-targets", "--", "--deny=warnings"];
    let mut workspace = command::cargo(&["clippy", "--workspace", "--all-features", "--locked"]);
    command::run(workspace.args(lints))?;
    // The only target that `cargo test` leaves out, and with it `--all-targets`.
    let mut cluster = command::cargo(&["clippy", "--workspace", "--all-features", "--locked"]);
    command::run(cluster.args(["--test", "cluster", "--", "--deny=warnings"]))?;
    let mut example = example::cargo("clippy")?;
    command::run(example.args(lints))
}

fn rustdoc() -> anyhow::Result<()> {
    command::run(
        command::cargo(&["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "--deny=warnings"),
    )
}

fn generated() -> anyhow::Result<()> {
    tools::install()?;
    codegen::run(&codegen::Args { check: true })
}
