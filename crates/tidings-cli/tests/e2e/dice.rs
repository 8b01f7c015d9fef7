//! The random choices of a test.
//!
//! A seed chooses what a test does; when it happens differs from run to run. Each test prints its seed, and
//! `TIDINGS_TEST_SEED` sets it.

use std::sync::Mutex;

use fastrand::Rng;

/// The source of the choices of one test, which its tasks share.
pub(crate) struct Dice {
    random: Mutex<Rng>,
}

impl Dice {
    /// The dice of a test.
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it if the test fails"
    )]
    pub(crate) fn of(test: &str) -> Self {
        let seed = chosen().unwrap_or_else(|| fastrand::u64(..));
        eprintln!("{test}: TIDINGS_TEST_SEED={seed}");
        Self {
            random: Mutex::new(Rng::with_seed(seed)),
        }
    }

    /// Choices that depend on the seed and on how often this was called before.
    pub(crate) fn roll(&self) -> Rng {
        self.random.lock().expect("no panic").fork()
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
