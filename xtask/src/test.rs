//! Runs every test and adds up what ran.

use anyhow::bail;

use crate::javascript::{CONFORMANCE, PROJECTS, UI};
use crate::tally::{Runner, Tally};
use crate::{command, python, tools};

/// How the tests are run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// How often the server is killed under load, instead of a few times.
    #[arg(long, value_name = "N")]
    crash_rounds: Option<u32>,
}

/// Runs all tests, showing their output as it comes; the last line is `N passed, N failed`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let versions = tools::install()?;
    for project in PROJECTS {
        project.install()?;
    }
    for environment in python::ENVIRONMENTS {
        environment.install()?;
    }

    let mut cargo = command::cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(rounds) = args.crash_rounds {
        cargo.env("TIDINGS_CRASH_ROUNDS", rounds.to_string());
    }
    let (rust, status) = Tally::of(&mut cargo, Runner::Cargo)?;
    if !status.success() && rust.failed == 0 {
        // What the other tests would run may be of an earlier build.
        println!("{rust}");
        bail!("cargo test ended with {status}");
    }
    let javascript = CONFORMANCE.test("test", Runner::Node)?;
    let readers = CONFORMANCE.test("readers", Runner::Node)?;
    let proxies = CONFORMANCE.test("proxies", Runner::Node)?;
    let clients = CONFORMANCE.test("clients", Runner::Node)?;
    let page = UI.test("test", Runner::Vitest)?;
    let browser = UI.test("e2e", Runner::Node)?;

    println!("with {versions}:");
    println!("tests in Rust: {rust}");
    println!("tests of the stream in JavaScript: {javascript}");
    println!("tests of stream readers: {readers}");
    println!("tests of reverse proxies: {proxies}");
    println!("tests of generated clients: {clients}");
    println!("tests of the page's logic: {page}");
    println!("tests of the page in a browser: {browser}");
    let all = rust + javascript + readers + proxies + clients + page + browser;
    println!("{all}");
    if all.failed > 0 || !status.success() {
        bail!("some tests failed");
    }
    Ok(())
}
