//! The reads of the store for the entries of a shard.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tidings::wire::ReadDone;

use super::Shard;

/// How many entries of a shard read the store at a time. Each holds a page of a replay meanwhile; the
/// others wait in their order.
const READS: usize = 8;

/// The second is `None` if the read panicked.
pub(super) type PendingRead = Pin<Box<dyn Future<Output = (ReadTarget, Option<ReadDone>)> + Send>>;

/// The entry that a read is for. The number can have passed to another stream meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadTarget {
    pub(super) entry: u32,
    pub(super) serial: u64,
}

impl Shard {
    pub(super) fn begin_reads(&mut self) {
        while self.reads.len() < READS
            && let Some((target, read)) = self.waiting_reads.pop_front()
        {
            if self.is_present(target) {
                let read = AssertUnwindSafe(read.run()).catch_unwind();
                self.reads
                    .push(Box::pin(async move { (target, read.await.ok()) }));
            }
        }
    }

    /// Whether the stream that a read is for has not ended.
    fn is_present(&self, target: ReadTarget) -> bool {
        let entry = self.entries.get(target.entry as usize);
        entry.is_some_and(|entry| entry.serial == target.serial)
    }

    pub(super) fn take_read(&mut self, target: ReadTarget, done: Option<ReadDone>) {
        if self.is_present(target) {
            let reads = Arc::clone(&self.state.stream_reads);
            match done {
                Some(done) => self.serve_by(target.entry, |entry, turn| {
                    entry.take_read(done, turn.now, &reads);
                    entry.advance(turn, false)
                }),
                None => self.end(target.entry),
            }
        }
        self.begin_reads();
    }
}
