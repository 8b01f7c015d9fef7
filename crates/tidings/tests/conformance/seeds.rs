//! The seeds of the random tests.
//!
//! A test prints each seed before it uses it. With `TIDINGS_TEST_SEED=N` it runs seed `N` alone. A seed that has
//! failed belongs in `seeds/<test>.txt`, one number per line, and runs first from then on.

use std::fs;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// The kept seeds of a test, then `new` random ones.
pub(crate) fn seeds(test: &'static str, new: usize) -> impl Iterator<Item = u64> {
    let seeds = match chosen() {
        Some(seed) => vec![seed],
        None => {
            let new = std::iter::repeat_with(|| fastrand::u64(..)).take(new);
            kept(test).into_iter().chain(new).collect()
        }
    };
    seeds.into_iter().inspect(move |seed| print(test, *seed))
}

/// Runs a property once for each seed, each with other values of the strategy.
pub(crate) fn check<S: Strategy>(
    test: &'static str,
    new: usize,
    strategy: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    for seed in seeds(test, new) {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            ..Config::default()
        };
        let bytes = [seed.to_le_bytes(); 4].concat();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        TestRunner::new_with_rng(config, rng)
            .run(strategy, &property)
            .unwrap_or_else(|failure| panic!("{test} fails with seed {seed}: {failure}"));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a seed is chosen by the person who repeats a test"
)]
fn chosen() -> Option<u64> {
    let text = std::env::var("TIDINGS_TEST_SEED").ok()?;
    Some(text.parse().expect("TIDINGS_TEST_SEED is a number"))
}

fn kept(test: &str) -> Vec<u64> {
    let file = format!(
        "{}/tests/conformance/seeds/{test}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| line.parse().expect("a seed is a number"))
        .collect()
}

#[expect(
    clippy::print_stderr,
    reason = "the test harness shows it if the test fails"
)]
fn print(test: &str, seed: u64) {
    eprintln!("{test}: TIDINGS_TEST_SEED={seed}");
}
