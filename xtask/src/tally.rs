//! Counts the tests that a test runner reports.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::ops::Add;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, ensure};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many passed.
    pub(crate) passed: u64,
    /// How many did not, or could not be run.
    pub(crate) failed: u64,
}

/// A test runner, by the lines it prints.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runner {
    /// `cargo test`, one summary a test binary.
    Cargo,
    /// `node --test` with the reporter `spec`, one summary.
    Node,
    /// `vitest`, one summary.
    Vitest,
}

impl Tally {
    /// Runs all tests of `command`, showing their output as it comes.
    pub(crate) fn of(command: &mut Command, runner: Runner) -> anyhow::Result<(Self, ExitStatus)> {
        println!("$ {command:?}");
        let program = command.get_program().display().to_string();
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {program}"))?;
        let output = child.stdout.take().expect("standard output is piped");
        let mut tally = Self::default();
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("could not read the output of {program}"))?;
            println!("{line}");
            match runner {
                Runner::Cargo => tally.count_cargo(&line),
                Runner::Node => tally.count_node(&line),
                Runner::Vitest => tally.count_vitest(&line),
            }
        }
        let status = child
            .wait()
            .with_context(|| format!("could not wait for {program}"))?;
        Ok((tally, status))
    }

    /// Like [`Tally::of`]: a command that fails without a failed test counts as one, and one that runs no
    /// test is an error.
    pub(crate) fn of_all(command: &mut Command, runner: Runner) -> anyhow::Result<Self> {
        let (mut tally, status) = Self::of(command, runner)?;
        if status.success() {
            ensure!(tally.passed > 0, "{command:?} ran no test");
        } else {
            tally.failed = tally.failed.max(1);
        }
        Ok(tally)
    }

    /// Counts a line such as `test result: ok. 19 passed; 0 failed; 0 ignored; …`.
    fn count_cargo(&mut self, line: &str) {
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

    /// Counts a line such as `ℹ pass 19`.
    fn count_node(&mut self, line: &str) {
        let Some((result, number)) = line
            .strip_prefix("ℹ ")
            .and_then(|line| line.split_once(' '))
        else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else {
            return;
        };
        match result {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }

    /// Counts a line such as `Tests  1 failed | 77 passed (78)`.
    fn count_vitest(&mut self, line: &str) {
        let Some(results) = line.trim_start().strip_prefix("Tests ") else {
            return;
        };
        let words: Vec<&str> = results.split_whitespace().collect();
        for pair in words.windows(2) {
            match (pair[0].parse::<u64>(), pair[1]) {
                (Ok(number), "passed") => self.passed += number,
                (Ok(number), "failed") => self.failed += number,
                _ => {}
            }
        }
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_results_of_cargo() {
        let mut tally = Tally::default();
        for line in [
            "test a ... ok",
            "test result: ok. 19 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured",
        ] {
            tally.count_cargo(line);
        }
        assert_eq!(tally.to_string(), "21 passed, 3 failed");
    }

    #[test]
    fn reads_results_of_vitest() {
        let mut tally = Tally::default();
        for line in [
            " Test Files  1 failed | 7 passed (8)",
            "      Tests  1 failed | 77 passed | 2 skipped (80)",
            "   Duration  12.47s",
        ] {
            tally.count_vitest(line);
        }
        assert_eq!(tally.to_string(), "77 passed, 1 failed");
    }

    #[test]
    fn counts_cancelled_tests_of_node_as_failed() {
        let mut tally = Tally::default();
        for line in [
            "✔ pass 7 (1.2ms)",
            "  ℹ 12 were left",
            "ℹ tests 9",
            "ℹ pass 6",
            "ℹ fail 1",
            "ℹ cancelled 2",
            "ℹ duration_ms 1.5",
        ] {
            tally.count_node(line);
        }
        assert_eq!(tally.to_string(), "6 passed, 3 failed");
    }
}
