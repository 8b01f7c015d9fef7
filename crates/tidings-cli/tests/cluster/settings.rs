//! The settings of the tests from the environment.

use std::time::Duration;

/// How long the nodes are under faults with the bus NATS: longer than the overlays of deleted system events are kept,
/// unless `TIDINGS_CLUSTER_SECONDS` says otherwise.
const SECONDS: u64 = 75;

/// The seed of a run, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// The time under faults. The other buses get a third of it.
    pub(crate) time: Duration,
}

impl Settings {
    pub(crate) fn read() -> Self {
        let seconds = number("TIDINGS_CLUSTER_SECONDS").unwrap_or(SECONDS);
        Self {
            seed: number("TIDINGS_TEST_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000)),
            time: Duration::from_secs(seconds),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings of the tests, passed on by xtask"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text}, not a number")),
    )
}
