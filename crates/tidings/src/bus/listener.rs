//! Takes the hints of other nodes.

use std::convert::Infallible;
use std::sync::Arc;

use super::message::{NodeId, decode};
use super::{Bus, Received};
use crate::heads::Heads;
use crate::hub::{Finder, Hub};
use crate::metrics::Metrics;

/// Passes the hints of other nodes to the hub. Nothing in a message is believed beyond that a feed is worth
/// a look.
pub(crate) async fn listen(
    bus: Arc<dyn Bus>,
    node: NodeId,
    hub: Arc<Hub>,
    heads: Arc<Heads>,
    metrics: Arc<Metrics>,
) -> Infallible {
    loop {
        match bus.receive().await {
            Received::Message(message) => match decode(&message) {
                Ok(hints) if hints.sender == node => {}
                Ok(hints) => {
                    metrics.hints_received.inc_by(hints.heads.len() as u64);
                    for (owner, head) in hints.heads {
                        if !hub.hear_of(owner, head, Finder::Hint) {
                            metrics.hints_useless.inc();
                        }
                    }
                }
                Err(_) => {
                    metrics.messages_refused.inc();
                }
            },
            Received::Missed => heads.compare_soon(),
        }
    }
}
