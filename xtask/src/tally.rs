//! Counts the tests that a test runner reports.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::ops::Add;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, ensure};

/// How many lines of a runner's report of failures are kept, from its beginning.
const KEPT_LINES: usize = 60;

/// How many tests passed and failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many passed.
    pub(crate) passed: u64,
    /// How many did not, or could not be run.
    pub(crate) failed: u64,
    /// What the runner reported of the failed ones, to be repeated at the end: a run of all tests prints a lot.
    pub(crate) report: Vec<String>,
}

/// A test runner, by the lines it prints.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runner {
    /// `cargo test`, one summary a test binary.
    Cargo,
    /// `go test -v`, one line for each test.
    Go,
    /// `node --test` with the reporter `spec`, one summary.
    Node,
    /// `pytest`, one summary.
    Pytest,
    /// `vitest`, one summary.
    Vitest,
}

impl Runner {
    /// Whether a line belongs to a report of failures, if the line before it does or does not.
    fn is_report(self, was_report: bool, line: &str) -> bool {
        match self {
            // Each test binary has one, and ends it with the names of the failed tests and a summary.
            Self::Cargo => {
                (was_report || line == "failures:") && !line.starts_with("test result: ")
            }
            // What a test reports comes before its result.
            Self::Go => {
                line.starts_with("--- FAIL: ") || line.starts_with("    ") && line.contains(".go:")
            }
            Self::Pytest => {
                was_report || line.contains("= FAILURES =") || line.contains("= ERRORS =")
            }
            Self::Node => was_report || line == "✖ failing tests:",
            Self::Vitest => was_report || line.contains(" Failed Tests "),
        }
    }
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
        let mut is_report = false;
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("could not read the output of {program}"))?;
            println!("{line}");
            is_report = runner.is_report(is_report, &line);
            if is_report && tally.report.len() < KEPT_LINES {
                tally.report.push(line.clone());
            }
            match runner {
                Runner::Cargo => tally.count_cargo(&line),
                Runner::Go => tally.count_go(&line),
                Runner::Node => tally.count_node(&line),
                Runner::Pytest => tally.count_pytest(&line),
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

    /// Counts a line such as `--- PASS: TestA (0.02s)`. The lines of subtests are indented.
    fn count_go(&mut self, line: &str) {
        if line.starts_with("--- PASS: ") {
            self.passed += 1;
        } else if line.starts_with("--- FAIL: ") {
            self.failed += 1;
        }
    }

    /// Counts a line such as `== 1 failed, 77 passed, 1 error in 12.47s ==`.
    fn count_pytest(&mut self, line: &str) {
        let line = line.trim_matches(['=', ' ']);
        let Some((results, _)) = line.rsplit_once(" in ") else {
            return;
        };
        for result in results.split(", ") {
            match result.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed" | "error" | "errors")) => {
                    self.failed += number.parse().unwrap_or(0);
                }
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

    fn add(mut self, other: Self) -> Self {
        self.report.extend(other.report);
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            report: self.report,
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
    fn knows_what_is_a_report_of_failures() {
        for (runner, lines, expected) in [
            (
                Runner::Cargo,
                vec![
                    "test a ... FAILED",
                    "failures:",
                    "---- a stdout ----",
                    "    a",
                    "test result: FAILED. 1 passed; 1 failed;",
                    "running 1 test",
                ],
                1..4,
            ),
            (
                Runner::Node,
                vec!["ℹ fail 1", "✖ failing tests:", "✖ a"],
                1..3,
            ),
            (
                Runner::Go,
                vec![
                    "=== RUN   TestA",
                    "    a_test.go:7: b",
                    "--- FAIL: TestA (0.01s)",
                    "FAIL",
                ],
                1..3,
            ),
            (
                Runner::Pytest,
                vec!["..F", "=== FAILURES ===", "E   assert 1"],
                1..3,
            ),
            (
                Runner::Vitest,
                vec![" × a", "⎯⎯ Failed Tests 1 ⎯⎯", " FAIL  a"],
                1..3,
            ),
        ] {
            let mut is_report = false;
            for (index, line) in lines.into_iter().enumerate() {
                is_report = runner.is_report(is_report, line);
                assert_eq!(is_report, expected.contains(&index), "{runner:?}: {line}");
            }
        }
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
    fn counts_tests_of_go_without_subtests() {
        let mut tally = Tally::default();
        for line in [
            "=== RUN   TestA",
            "--- PASS: TestA (0.02s)",
            "    --- FAIL: TestB/c (0.00s)",
            "--- FAIL: TestB (0.01s)",
            "FAIL",
        ] {
            tally.count_go(line);
        }
        assert_eq!(tally.to_string(), "1 passed, 1 failed");
    }

    #[test]
    fn reads_results_of_pytest() {
        let mut tally = Tally::default();
        for line in [
            "tests/test_a.py ....                     [ 67%]",
            "FAILED tests/test_a.py::test_b - assert 1 in []",
            "=== 2 failed, 77 passed, 1 error in 12.47s ===",
        ] {
            tally.count_pytest(line);
        }
        assert_eq!(tally.to_string(), "77 passed, 3 failed");
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
