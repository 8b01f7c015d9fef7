//! The tools of the reads of a lane.

use std::io;
use std::sync::Arc;

use super::background::Background;
use super::slices::Slices;
use crate::store::lanes::Lane;

/// The tools of the reads of a lane.
#[derive(Debug)]
pub(super) struct Tools {
    /// The turns of the reads that are under way. `None` if all run at the same time.
    pub(super) slices: Option<Arc<Slices>>,
    /// The threads that read. `None` for Tokio's, which have the usual priority.
    pub(super) threads: Option<Background>,
}

impl Tools {
    pub(super) fn of(lane: &Lane) -> io::Result<Self> {
        let is_shared = lane.under_way > lane.running;
        let threads = match lane.number {
            0 => None,
            _ => Some(Background::start(lane.under_way)?),
        };
        Ok(Self {
            slices: is_shared.then(|| Arc::new(Slices::new(lane.running))),
            threads,
        })
    }
}
