//! Runs every test and adds up what ran.

use anyhow::bail;

use crate::javascript::{CONFORMANCE, PROJECTS, UI};
use crate::step::Steps;
use crate::tally::{Runner, Tally};
use crate::{clients, command, example, python, tools};

/// How to run the tests.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// How often to kill the server under load [default: a few times]
    #[arg(long, value_name = "N")]
    crash_rounds: Option<u32>,

    /// How long the nodes of a cluster are under faults, in seconds [default: 75]
    #[arg(long, value_name = "SECONDS")]
    cluster_seconds: Option<u64>,
}

/// Tests that one program runs.
pub(crate) struct Suite {
    title: &'static str,
    run: fn(&Args) -> anyhow::Result<Tally>,
}

/// All of them. The first one builds the binary that those in other languages test.
pub(crate) const SUITES: [Suite; 15] = [
    suite("Tests in Rust", rust),
    suite("Tests of many nodes", cluster),
    suite("Tests of the benchmarks", |_| benchmarks()),
    suite("Tests of the Kubernetes example", |_| kubernetes_ping()),
    suite("Tests of the stream in JavaScript", |_| {
        CONFORMANCE.test("test", Runner::Node)
    }),
    suite("Tests of stream readers", |_| {
        CONFORMANCE.test("readers", Runner::Node)
    }),
    suite("Tests of reverse proxies", |_| {
        CONFORMANCE.test("proxies", Runner::Node)
    }),
    suite("Tests of the page with many nodes", |_| {
        CONFORMANCE.test("nodes", Runner::Node)
    }),
    suite("Tests of generated clients", |_| {
        CONFORMANCE.test("clients", Runner::Node)
    }),
    suite("Tests of the client in Go", |_| clients::test_go()),
    suite("Tests of the client in Python", |_| clients::test_python()),
    suite("Tests of the programs in docs/clients.md", |_| {
        CONFORMANCE.test("programs", Runner::Node)
    }),
    suite("Tests of the page's logic", |_| {
        UI.test("test", Runner::Vitest)
    }),
    suite("Tests of the page in a browser", |_| {
        UI.test("e2e", Runner::Node)
    }),
    suite("Tests of the npm package", |_| {
        UI.test("test:package", Runner::Node)
    }),
];

const fn suite(title: &'static str, run: fn(&Args) -> anyhow::Result<Tally>) -> Suite {
    Suite { title, run }
}

/// Runs all tests, showing their output as it comes; the last line is `N passed, N failed`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    run_in(&mut Steps::of(SUITES.len()), args)
}

/// Runs all tests as the last steps of `steps`.
pub(crate) fn run_in(steps: &mut Steps, args: &Args) -> anyhow::Result<()> {
    let versions = tools::install()?;
    for project in PROJECTS {
        project.install()?;
    }
    for environment in python::ENVIRONMENTS {
        environment.install()?;
    }
    let mut results = Vec::new();
    for suite in &SUITES {
        results.push((suite.title, steps.run(suite.title, || (suite.run)(args))?));
    }

    steps.print_times();
    for (title, tally) in &results {
        if tally.failed > 0 {
            println!("\n{title} failed:\n{}", tally.report.join("\n"));
        }
    }
    println!("with {versions}:");
    for (title, tally) in &results {
        println!("{title}: {tally}");
    }
    let all = results
        .into_iter()
        .fold(Tally::default(), |sum, (_, tally)| sum + tally);
    println!("{all}");
    if all.failed > 0 {
        bail!("some tests failed");
    }
    Ok(())
}

fn rust(args: &Args) -> anyhow::Result<Tally> {
    let mut cargo = command::cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(rounds) = args.crash_rounds {
        cargo.env("TIDINGS_CRASH_ROUNDS", rounds.to_string());
    }
    let (tally, status) = Tally::of(&mut cargo, Runner::Cargo)?;
    if !status.success() && tally.failed == 0 {
        // The binary that the other tests would run can be of an earlier build.
        println!("{tally}");
        bail!("cargo test ended with {status}");
    }
    Ok(tally)
}

/// With the whole workspace chosen, so that the dependencies have the features they are built with already.
fn cluster(args: &Args) -> anyhow::Result<Tally> {
    let mut cargo = command::cargo(&["test", "--workspace", "--locked", "--test", "cluster"]);
    if let Some(seconds) = args.cluster_seconds {
        cargo.env("TIDINGS_CLUSTER_SECONDS", seconds.to_string());
    }
    Tally::of_all(&mut cargo, Runner::Cargo)
}

/// With the whole workspace chosen, too.
fn benchmarks() -> anyhow::Result<Tally> {
    let test = ["test", "--workspace", "--locked", "--bin", "tidings-bench"];
    Tally::of_all(&mut command::cargo(&test), Runner::Cargo)
}

fn kubernetes_ping() -> anyhow::Result<Tally> {
    Tally::of_all(example::cargo("test")?.arg("--no-fail-fast"), Runner::Cargo)
}
