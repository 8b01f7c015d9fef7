//! A bus for tests, between engines in one process: it loses, repeats, delays and reorders messages by a seed.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Bus, BusError, Received, message};
use crate::sync::{Mutex, Notify};

/// How a network treats messages, in percent of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u32,
    pub(crate) repeated: u32,
    /// Held back until another message is sent.
    pub(crate) delayed: u32,
    /// Put before messages that were sent earlier.
    pub(crate) reordered: u32,
}

/// The network that connects the buses of all nodes.
#[derive(Debug)]
pub(crate) struct Network {
    faults: Faults,
    dice: Mutex<fastrand::Rng>,
    lines: Mutex<Vec<Arc<Line>>>,
}

/// The messages on their way to one node.
#[derive(Debug, Default)]
struct Line {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Bytes>,
    delayed: Vec<Bytes>,
    has_missed: bool,
}

/// The bus of one node.
#[derive(Debug)]
pub(crate) struct ShakyBus {
    network: Arc<Network>,
    line: Arc<Line>,
}

impl Network {
    pub(crate) fn new(faults: Faults, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            faults,
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
            lines: Mutex::default(),
        })
    }

    /// Connects another node.
    pub(crate) fn join(self: &Arc<Self>) -> Arc<ShakyBus> {
        let line = Arc::<Line>::default();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(Arc::clone(&line));
        Arc::new(ShakyBus {
            network: Arc::clone(self),
            line,
        })
    }

    /// Delivers a message as it is to all nodes, as a stranger could.
    pub(crate) fn inject(&self, message: &Bytes) {
        for line in self.lines() {
            line.change(|waiting| waiting.messages.push_back(message.clone()));
        }
    }

    /// Tells all nodes that messages may be lost.
    pub(crate) fn reconnect(&self) {
        for line in self.lines() {
            line.change(|waiting| waiting.has_missed = true);
        }
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }

    fn happens(&self, percent: u32) -> bool {
        self.number_below(100) < percent as usize
    }

    fn number_below(&self, end: usize) -> usize {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        dice.usize(..end)
    }
}

impl Line {
    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<Received> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut waiting.has_missed) {
            return Some(Received::Missed);
        }
        waiting.messages.pop_front().map(Received::Message)
    }
}

#[async_trait]
impl Bus for ShakyBus {
    fn message_bytes(&self) -> usize {
        message::MAX_BYTES
    }

    async fn send(&self, message: Bytes) -> Result<(), BusError> {
        let network = &self.network;
        let faults = network.faults;
        for line in network.lines() {
            if network.happens(faults.lost) {
                continue;
            }
            let times = 1 + usize::from(network.happens(faults.repeated));
            let is_delayed = network.happens(faults.delayed);
            let is_reordered = network.happens(faults.reordered);
            line.change(|waiting| {
                let late = std::mem::take(&mut waiting.delayed);
                for _ in 0..times {
                    let end = waiting.messages.len();
                    let place = match is_reordered {
                        true => network.number_below(end + 1),
                        false => end,
                    };
                    match is_delayed {
                        true => waiting.delayed.push(message.clone()),
                        false => waiting.messages.insert(place, message.clone()),
                    }
                }
                waiting.messages.extend(late);
            });
        }
        Ok(())
    }

    async fn receive(&self) -> Received {
        loop {
            if let Some(received) = self.line.take() {
                return received;
            }
            self.line.arrived.notified().await;
        }
    }

    fn check(&self) -> Result<(), BusError> {
        Ok(())
    }
}
