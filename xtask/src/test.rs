//! Runs every test and adds up what ran.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, bail};

use crate::command;

/// How the tests are run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// How often the server is killed under load, instead of a few times.
    #[arg(long, value_name = "N")]
    crash_rounds: Option<u32>,
}

/// How many tests passed and failed, over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Counts a line such as `test result: ok. 19 passed; 0 failed; 0 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some(results) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = results.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed;" => self.passed += number,
                "failed;" => self.failed += number,
                _ => {}
            }
        }
    }
}

/// Runs all tests, showing their output as it comes; the last line is `N passed, N failed`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cargo = command::cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(rounds) = args.crash_rounds {
        cargo.env("TIDINGS_CRASH_ROUNDS", rounds.to_string());
    }
    println!("$ {cargo:?}");
    let mut child = cargo
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo test")?;
    let output = child.stdout.take().expect("standard output is piped");
    let mut tally = Tally::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("could not read the output of cargo test")?;
        println!("{line}");
        tally.count(&line);
    }
    let status = child.wait().context("could not wait for cargo test")?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if !status.success() {
        bail!("cargo test ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up() {
        let mut tally = Tally::default();
        tally.count("test a ... ok");
        tally.count("test result: ok. 19 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.count("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured");
        assert_eq!(
            tally,
            Tally {
                passed: 21,
                failed: 3
            }
        );
    }
}
