//! The notices of the log about a full disk.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::Disk;

/// How long the log does not repeat that events are rejected: without a reserve, small writes can succeed
/// between large ones that fail.
const BETWEEN_NOTICES: Duration = Duration::from_secs(60);

/// The notices that the log has about the disk.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Events are rejected.
    rejects: bool,
    /// When the log last said so.
    at: Option<Instant>,
}

impl Disk {
    /// Logs once that events are rejected, and once that they are stored again; less often if the disk
    /// changes back and forth.
    pub(crate) fn tell(&self, rejects: bool) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let is_said = told.at.is_some_and(|at| at.elapsed() < BETWEEN_NOTICES);
            if told.rejects == rejects || (rejects && is_said) {
                return;
            }
            told.rejects = rejects;
            if rejects {
                told.at = Some(Instant::now());
            }
        }
        let (directory, free) = (&self.directory, self.free().unwrap_or_default());
        if rejects && self.wanted == 0 {
            tracing::error!(
                directory = %directory.display(),
                free_bytes = free,
                "the disk is full and has no reserve: new events are rejected, and marking, deleting and \
                 retention can fail too; free some space"
            );
        } else if rejects {
            tracing::error!(
                directory = %directory.display(),
                free_bytes = free,
                needed_bytes = self.needed(),
                "the disk is nearly full: new events are rejected, while reading, marking, deleting and \
                 retention continue; free some space or delete events"
            );
        } else {
            tracing::info!(
                directory = %directory.display(),
                free_bytes = free,
                "the disk has space again; new events are stored"
            );
        }
    }
}
