//! The promises of the hub, its windows and the committer, kept under schedules that a seed chooses.
//!
//! Each test runs one small scene once per seed. The seed decides which task continues at each lock and
//! wake-up, and how time passes. A scene in which a task waits forever fails as a deadlock, so every scene also
//! checks that no wake-up is lost.

mod closing;
mod delivery;
mod following;
mod nodes;
mod scene;
#[path = "../tests/conformance/seeds.rs"]
#[expect(dead_code, reason = "properties are checked elsewhere")]
pub(crate) mod seeds;
mod store;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, Runner};

/// The number of new seeds of each test.
const SEEDS: usize = 300;

/// The stack of a task. The futures of unoptimized code are large.
const STACK_BYTES: usize = 1024 * 1024;

/// The number of tasks that the second scheduler interrupts at a random moment.
const INTERRUPTIONS: usize = 3;

/// Plays a scene under the schedule of each seed. Even seeds choose the next task at random. Odd seeds give the
/// tasks random priorities and change these a few times, which finds rare orders sooner.
fn play<F: Future<Output = ()> + 'static>(test: &'static str, scene: fn() -> F) {
    for seed in seeds::seeds(test, SEEDS) {
        let mut config = Config::new();
        config.stack_size = STACK_BYTES;
        // The seed is enough to repeat a schedule.
        config.failure_persistence = FailurePersistence::None;
        let play = move || {
            crate::sync::restart_time();
            shuttle::future::block_on(scene());
        };
        if seed.is_multiple_of(2) {
            Runner::new(RandomScheduler::new_from_seed(seed, 1), config).run(play);
        } else {
            // The first of its rounds only measures the scene.
            let scheduler = PctScheduler::new_from_seed(seed, INTERRUPTIONS, 2);
            Runner::new(scheduler, config).run(play);
        }
    }
}
