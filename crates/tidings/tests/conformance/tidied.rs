//! The maintenance of an engine, as its metrics show it.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::reader::STUCK;

/// Waits until the store has done this many steps of maintenance.
pub(crate) async fn until_tidied(registry: &Registry, steps: u64) {
    let tidied = async {
        loop {
            let mut text = String::new();
            encode(&mut text, registry).expect("metrics are encoded");
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("tidings_tidy_steps_total "));
            if line.is_some_and(|number| number.parse::<u64>().expect("a number") >= steps) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(STUCK, tidied)
        .await
        .expect("it is tidied");
}
