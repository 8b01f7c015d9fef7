//! Many nodes on one database, as their users see them.
//!
//! Three nodes behind a load balancer store in PostgreSQL and tell each other over a bus. Clients publish, update, mark,
//! delete and follow on random nodes while nodes, database and bus fail. A checker knows every acknowledged effect and
//! finds events and changes that are lost, doubled, out of order or counted wrong.
//!
//! `TIDINGS_TEST_SEED` repeats the choices of a run, though not its timing. `TIDINGS_CLUSTER_SECONDS` sets its length.

mod actors;
mod bus_proxy;
mod caller;
mod checker;
#[path = "../../../tidings/tests/support/commits_on_the_wire.rs"]
mod commits_on_the_wire;
mod faults;
mod findings;
mod follower;
mod gate;
mod history;
mod measures;
#[path = "../../../tidings/tests/support/postgres_programs.rs"]
mod postgres_programs;
mod scene;
mod settings;
mod site;

use scene::Scene;
use settings::Settings;
use site::Bus;

/// The other buses get this part of the time.
const PART: u32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_agree_after_all_faults_with_nats() {
    let Settings { seed, time } = Settings::read();
    let scene = Scene {
        bus: Bus::Nats,
        has_replica: true,
        measures: true,
        time,
        seed,
    };
    scene.play().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_agree_after_faults_with_notify() {
    let Settings { seed, time } = Settings::read();
    let scene = Scene {
        bus: Bus::Postgres,
        has_replica: false,
        measures: false,
        time: time / PART,
        seed,
    };
    scene.play().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_agree_after_faults_without_a_bus() {
    let Settings { seed, time } = Settings::read();
    let scene = Scene {
        bus: Bus::None,
        has_replica: false,
        measures: false,
        time: time / PART,
        seed,
    };
    scene.play().await;
}
