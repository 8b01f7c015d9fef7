//! Sends the hints of this node.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::message::{NodeId, encode, hints_in};
use super::{Bus, Outbox};
use crate::metrics::Metrics;
use crate::sync::{now, sleep_until};

/// The time between two batches of messages. Hints that come meanwhile go together, those of one feed as one.
const PAUSE: Duration = Duration::from_millis(2);

/// Sends the announced heads, the first hint after a pause at once. A hint that cannot be sent is dropped and counted.
pub(crate) async fn announce(
    outbox: Arc<Outbox>,
    bus: Arc<dyn Bus>,
    node: NodeId,
    metrics: Arc<Metrics>,
) -> Infallible {
    let each = hints_in(bus.message_bytes());
    loop {
        let hints = outbox.take().await;
        let begun = now();
        for hints in hints.chunks(each) {
            let number = hints.len() as u64;
            match bus.send(encode(node, hints)).await {
                Ok(()) => metrics.hints_sent.inc_by(number),
                Err(_) => metrics.hints_dropped.inc_by(number),
            };
        }
        sleep_until(begun + PAUSE).await;
    }
}
